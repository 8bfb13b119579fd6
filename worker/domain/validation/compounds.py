"""Numbers of several parts, put as one: `5 euros and 99 cents`, `5€99`, `1 1/2 hours`, `an hour and
a half`, `eineinhalb Stunden`, `50p`, `3.5k`, `half price`."""

import re
from decimal import Decimal

from worker.domain.validation.fact_words import NUMBERS, UNITS

_MAY_HOLD = re.compile(
    r"[€£$¢½¼¾]|\d[x×]\d|\d[ \u00a0]?[pglkm](?!\w)|/[24]|hal[bfv]|demi|medi[ao]|mezz"
    r"|mei[ao]|quarter|viertel|quart|cuarto|kwartier|moitié|mitad|metà|metade"
    r"|\d[ \u00a0]?(?:c[eé]nt|cênt|rappen|pen[cn])|(?:eur|euros?|franken)[ \u00a0]?\d",
    re.IGNORECASE,
)
_WHOLE = r"(?<![\w.,])(?P<whole>\d{1,3}(?:[.,'’\u00a0\u202f]\d{3}){1,3}|\d{1,7})"
_SIGNED = r"(?P<unit>[€£$])\s?(?P<whole>\d{1,7})"
_CURRENCY = (
    r"(?P<unit>[€£$]|eur|gbp|usd|chf|euros?|dollars?|dólar(?:es)?|pounds?|quid|pfund|francs?"
    r"|franken|libras?|sterline)"
)
_CENTS = (
    r"\s?(?:(?:and|und|et|y|e|con|en)\s)?(?P<cents>\d{1,2})\s?(?:cents?|centimes?|céntimos?"
    r"|centavos?|centesimi|cêntimos?|rappen|pence|penn(?:y|ies)|p)(?!\w)"
)
_MONEY = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_WHOLE}\s?{_CURRENCY}{_CENTS}",
        rf"{_SIGNED}{_CENTS}",
        rf"{_WHOLE}(?P<unit>[€£$]|eur|chf)(?P<cents>\d\d)(?!\d|[.,]\d)",
        rf"{_WHOLE}\s(?P<unit>euros?|franken)\s(?P<cents>\d\d)(?=\s*(?:[.,;:!?)](?!\d)|\Z))",
    )
)
_PARTS = {"½": ".5", "¼": ".25", "¾": ".75", "1/2": ".5", "1/4": ".25", "3/4": ".75"}
_FRACTION = re.compile(
    r"(?<![\w./,])(?:(?P<whole>\d{1,4})(?:[ \u00a0](?=\d)|[ \u00a0]?(?=[½¼¾])))?"
    r"(?P<part>[½¼¾]|1/2|1/4|3/4)(?![\d/])(?=[\s\u00a0-]{0,2}(?P<unit>[^\W\d_]{1,20}|%)?)"
)
_COUNT = r"(?<!\w)(?P<whole>\d{1,3}|[^\W\d_]{1,14})[ \u00a0]"
_UNIT = r"(?P<unit>[^\W\d_]{2,12})"
_AND_A_HALF = tuple(
    re.compile(_COUNT + pattern + r"(?!\w)", re.IGNORECASE)
    for pattern in (
        rf"(?:and a half|en een half)[ \u00a0]{_UNIT}",
        rf"and (?P<quarters>a quarter|three quarters)[ \u00a0]{_UNIT}",
        rf"{_UNIT}[ \u00a0](?:and a half|et demie?|y medi[ao]|e mezz[ao]|e mei[ao]|en een half)",
    )
)
_QUARTER_PARTS = {"": "0.5", "a quarter": "0.25", "three quarters": "0.75"}
_ONE_WORD = re.compile(
    r"(?<!\w)(?:(?P<whole>ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|twee|drie|vier|vijf)"
    r"(?:einhalb|[eë]nhalve?)|anderthalb|anderhalve?)(?=[ \u00a0])",
    re.IGNORECASE,
)
_HALF_OF = re.compile(
    r"(?<!\w)(?:(?:halbe[rsnm]?|half|halve|demie?|mezza|medi[ao]|mei[ao])[ -](?:an? )?|mezz['’])"
    r"(?P<unit>[^\W\d_]{2,12})(?!\w)",
    re.IGNORECASE,
)
_QUARTERS = re.compile(
    r"(?<!\w)(?:(?P<three>three[ -]quarters of an hour|dreiviertelstunde|trois[ -]quarts d['’]heure"
    r"|tres cuartos de hora|tre quarti d['’]ora|drie kwartier)"
    r"|quarter of an hour|viertelstunde|quart d['’]heure|cuarto de hora|quarto d['’]ora"
    r"|quarto de hora|kwartier)(?!\w)",
    re.IGNORECASE,
)
_HALF_PRICE = re.compile(
    r"(?<!\w)(?:half[ -]price|half off|halbe[nrm]? preis|moitié prix|mitad de precio|metà prezzo"
    r"|metade do preço|halve prijs)(?!\w)",
    re.IGNORECASE,
)
_GLUED = re.compile(
    r"(?<=\d)(?:(?P<cents>[ \u00a0]?p(?!\.?\s?m\b)|\s?¢)|(?P<thousand>k)"
    r"|(?P<litres>[ \u00a0]?l)(?!['’]))(?!\w)"
    r"|(?<=\d\d)(?P<grams>[ \u00a0]?g)(?!\w)"
    r"|(?:(?<=\d\d\d)|(?<=\d[.,]\d)|(?<=[.,]\d\d)|(?<=\d)(?=[ \u00a0]))"
    r"(?P<metres>[ \u00a0]?m)(?![\w²³'’./])"
)
_MILLIONS = re.compile(
    r"(?P<sign>[€£$])\s?(?P<number>\d{1,4}(?:[.,]\d{1,3})?)\s?(?P<times>k|mn?|mio|bn)(?!\w)",
    re.IGNORECASE,
)
_TIMES = {"k": "thousand", "bn": "billion"}
_BY = re.compile(r"(?<![\w.,])(\d{1,4}(?:[.,]\d{1,3})?)[x×](?=\d)", re.IGNORECASE)
"""`45x15cm`."""
_ELSEWHERE = {"ora": "ore", "journée": "jours", "giornata": "giorni", "heure": "heures"}


def in_one(text: str) -> str:
    """The text with such numbers in digits and words that are known; any other is left as it is."""
    if _MAY_HOLD.search(text) is None:
        return text
    text = _BY.sub(r"\1 x ", text)
    text = _MILLIONS.sub(
        lambda m: f"{m['sign']}{m['number']} {_TIMES.get(m['times'].lower(), 'million')}", text
    )
    for pattern in _MONEY:
        text = pattern.sub(_amount, text)
    text = _FRACTION.sub(_fraction, text)
    for pattern in _AND_A_HALF:
        text = pattern.sub(_and_a_half, text)
    text = _ONE_WORD.sub(lambda m: f"{NUMBERS[(m['whole'] or 'ein').lower()]}.5", text)
    text = _HALF_PRICE.sub(" 50 % ", text)
    text = _HALF_OF.sub(_half, text)
    text = _QUARTERS.sub(lambda m: " 45 minutes " if m["three"] else " 15 minutes ", text)
    return _GLUED.sub(lambda match: f" {match.lastgroup}", text)


def _amount(match: re.Match[str]) -> str:
    whole = re.sub(r"\D", "", match["whole"])
    return f"{whole}.{int(match['cents']):02} {match['unit']} "


def _fraction(match: re.Match[str]) -> str:
    """By itself only before a unit: `1/2` is a page or a step as well."""
    whole, part, unit = match["whole"], match["part"], (match["unit"] or "").lower()
    if whole is None and "/" in part and unit not in UNITS:
        return match.group()
    return f"{whole or 0}{_PARTS[part]}"


def _and_a_half(match: re.Match[str]) -> str:
    value, unit = _value(match["whole"]), _unit(match["unit"])
    if value is None or unit is None:
        return match.group()
    parts = _QUARTER_PARTS[match.groupdict().get("quarters") or ""]
    return f"{value + Decimal(parts)} {unit}"


def _half(match: re.Match[str]) -> str:
    unit = _unit(match["unit"])
    # `half a minute` is said of any short while.
    return match.group() if unit is None or UNITS[unit] in _SHORT else f"0.5 {unit}"


_SHORT = (UNITS["minute"], UNITS["second"])


def _value(word: str) -> Decimal | None:
    if word.isdigit():
        return Decimal(word)
    found = NUMBERS.get(word.lower())
    return Decimal(found) if found is not None else None


def _unit(word: str) -> str | None:
    name = _ELSEWHERE.get(word.lower(), word.lower())
    return name if name in UNITS else None
