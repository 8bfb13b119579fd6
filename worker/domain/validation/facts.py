"""The facts of a text that can be compared: links, addresses, dates, amounts, numbers.

A fact has keys, any of which another text may hold; a text of ours gives all the keys under which
its facts may be repeated. So `1.234,50 €` in a German reply is `1234.50` on an English page, `two
years` are `24 months`, and `26.11.2026` is `November 26`. Time is linear in the text.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from worker.domain.validation.amounts_apart import amounts_apart
from worker.domain.validation.clocks import clock_keys, in_clocks
from worker.domain.validation.compounds import in_one
from worker.domain.validation.counted import in_digits
from worker.domain.validation.dates import Reader, dates_for
from worker.domain.validation.decimal_words import in_decimals
from worker.domain.validation.fact import Fact, Key, same
from worker.domain.validation.fact_words import UNITS
from worker.domain.validation.free import free_in
from worker.domain.validation.month_days import day_key, month_day, month_days_for, told_month_days
from worker.domain.validation.notations import as_read_here
from worker.domain.validation.number_words import WORD
from worker.domain.validation.numbers import MAX_DIGITS, ORDINAL, dialled, numbers_in, spelt_in
from worker.domain.validation.promises import BARE_HOST, EMAIL
from worker.domain.validation.shares import shares_in
from worker.domain.validation.told_days import told_days_in, weekday_of

_LINK = re.compile(
    rf"(?<![a-z0-9])[a-z]{{2,8}}://(?P<url>[^\s<>()\[\]{{}}\"'“”«»]++)"
    rf"|(?P<bare>{BARE_HOST.pattern}(?:/[^\s<>()\[\]{{}}\"'“”«»]*+)?)",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?<![\w:.,])T?(\d{1,2})(?::| ?h ?| ?uhr |(?=\.\d\d ?[ap]\.?m\b)\.)(\d{2})"
    r"(?::\d{2}(?:[.,]\d{1,9})?(?:Z\b|[+-]\d{2}:?\d{2}\b)?|(?<=T\d\d:\d\d)(?:Z|[+-]\d{2}:?\d{2})\b)?"
    r"(?![\d:]\d|\d)(?:[ \u00a0]?(?P<half>[ap])\.?m\b\.?)?",
    re.IGNORECASE,
)
"""With its zone only where a machine wrote it: `9:00-17:00` are two hours of a day."""
_SPAN = re.compile(r"\d{1,2} ?h", re.IGNORECASE)
_HOUR = re.compile(
    r"(?<![\w:.,])(\d{1,2})[ \u00a0]?(?:(?P<half>[ap])\.?m\b\.?|uhr\b|o['’]clock\b)", re.IGNORECASE
)
_PHONE = re.compile(
    r"(?<![\w.,+/-])(?:\+\d{7,15}|(?:\+|00(?=[1-9]))?(?:\(\d{1,5}\)|\d{1,5})"
    r"(?:[ \u00a0.\-/]{1,2}(?:\(0\)[ \u00a0]?)?\(?\d{1,8}\)?){1,6})(?!\w|[.,]\d)"
)
_ACCOUNT = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?(?!\w)")
"""An IBAN, with its gaps or without."""
_DASHED = re.compile(r"(?<![\w.,-])(?=\d{2,4}(?:-\d{2,4}){0,4}-0)\d{2,4}(?:-\d{2,4}){1,5}(?![\w-])")
"""`20-00-00`: no span has a nought before its numbers."""
_POSTCODE = re.compile(r"(?<![\w-])[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?!\w)")
_VOUCHER = re.compile(r"[^\W\d_]{4,20}\d{2,6}")
_NATIONAL = re.compile(r"1([-. ])\d{3}\1\d{3}\1\d{4}|\d{3}[-. ]\d{3,4}(?:[-. ]\d{4})?")
_REFERENCE = re.compile(
    r"(?<![\w#/-])(?:#[^\W_]|(?:[^\W\d]{1,12}[-_/]){0,3}[^\W\d]{0,12}\d)[\w/-]*+"
)
_VERSION = re.compile(
    r"(?<![\w.,])v?(\d{1,4}\.\d{1,4})(?:\.(?!\d{3}(?!\d))\d{1,4}){1,3}(?![\w,]|\.\d)"
)
"""`2.4.1`; thousands have three digits each, and are none."""
_TRACKING = re.compile(r"(?<=[?&])(?:utm_[a-z]+|gclid|fbclid|msclkid|mc_[ce]id)=[^&#]*&?")
"""Says where somebody came from, and nothing about where they go."""
_MASK = re.compile(r"\Ax{2,}(?=\d+\Z)")
"""Before the last digits of a card, which are all that is shown of it."""
_GLUED = re.compile(r"\d++-?([^\W\d_]++)(?:-[^\W\d_]*+)*+")
_BRACKETED = re.compile(r" ?[\[(](?:(?P<at>at|ät)|dot|punkt|point|punto)[\])] ?", re.IGNORECASE)
"""`help (at) shop.example`, `shop[dot]example`."""
_WRITTEN = re.compile(r"[\d.@#]")
"""Without any of these a text has words alone."""
_NO_FACT = re.compile(
    r"(?:(?<=\n)|\A)[ \t]{0,8}(?:\*\*)?\d{1,2}[.)](?=\s)|(?<!\d)(?:24/7|50/50)(?!\d)"
)
"""The number of an item, all day long, and half of it each."""


def facts_in(text: str, language: str | None = None) -> list[Fact]:
    """The facts of a text, in no order. Without a language a number that two notations read in two
    ways (`1.234`) counts in both."""
    text = as_read_here(_BRACKETED.sub(lambda match: "@" if match["at"] else ".", text))
    words = frozenset(WORD.findall(text.lower()))
    text = in_one(in_clocks(in_digits(in_decimals(text, words), words), words))
    found = [*told_days_in(text, words), *free_in(text), *shares_in(text, words)]

    def taken(pattern: re.Pattern[str], read: Callable[[re.Match[str]], Fact | None]) -> None:
        nonlocal text

        def blank(match: re.Match[str]) -> str:
            fact = read(match)
            if fact is None:
                return match.group()
            found.append(fact)
            return " " * len(match.group())

        text = pattern.sub(blank, text)

    if _WRITTEN.search(text) is None:
        for pattern, read in dates_for(words):
            taken(pattern, partial(_date, read))
        for pattern in month_days_for(words):
            taken(pattern, month_day)
        return [*found, *spelt_in(text)]
    taken(EMAIL, _address)
    taken(_LINK, _link)
    found += [*told_month_days(text, words), *amounts_apart(text, words)]
    for pattern, read in dates_for(words):
        taken(pattern, partial(_date, read))
    for pattern in month_days_for(words):
        taken(pattern, month_day)
    taken(_TIME, _time)
    taken(_HOUR, _hour)
    taken(_ACCOUNT, _account)
    taken(_PHONE, _phone)
    taken(_VERSION, _version)
    taken(_POSTCODE, _account)
    taken(_DASHED, _account)
    taken(_REFERENCE, _reference)
    text = _NO_FACT.sub(lambda m: " " * len(m.group()), text)
    return [*found, *spelt_in(text), *numbers_in(text, language)]


def keys_of(text: str, language: str | None = None) -> frozenset[Key]:
    """Every key under which a text may be asked for what it says."""
    return frozenset(key for fact in facts_in(text, language) for key in fact.held)


def _address(match: re.Match[str]) -> Fact:
    return same("the address", match.group(), ("mail", match.group().lower().rstrip(".")))


def _link(match: re.Match[str]) -> Fact:
    """A page may be named by what it lies under: `acme.example` for `acme.example/returns`."""
    written = (match["url"] or match["bare"]).rstrip(".,;:!?*_'’)…")
    address = _TRACKING.sub("", written.lower().removeprefix("www."))
    path, _, asked = address.partition("?")
    path, asked = path.rstrip("/"), asked.strip("&")
    parts = path.split("/")[:12]
    above = (("link", "/".join(parts[:count])) for count in range(1, len(parts) + bool(asked)))
    return same("the link", written, ("link", f"{path}?{asked}" if asked else path), *above)


def _date(read: Reader, match: re.Match[str]) -> Fact | None:
    asked: list[Key] = []
    held: list[Key] = []
    for year, month, day in read(match):
        held += [("raw", Decimal(part)) for part in (year, month, day) if part is not None]
        held.append(("month", month))
        if year is not None:
            held.append(("year and month", year, month))
        if day is None:
            asked.append(("month", month) if year is None else ("year and month", year, month))
            continue
        held += [("day", month, day), day_key(day), ("raw", Decimal(f"{day}.{month:02}"))]
        if year is None:
            asked.append(("day", month, day))
            held.append(("any year", month, day))
        else:
            asked += [("date", year, month, day), ("any year", month, day)]
            held += [("date", year, month, day), *weekday_of(year, month, day)]
    return (
        Fact(kind="the date", said=match.group().strip(), asked=tuple(asked), held=tuple(held))
        if asked
        else None
    )


def _time(match: re.Match[str]) -> Fact | None:
    hour, minute = int(match[1]), int(match[2])
    if hour > 24 or minute > 59:
        return None
    clock = clock_keys(hour, minute, (match["half"] or "").lower())
    held: tuple[Key, ...] = (*clock, ("raw", Decimal(hour)), ("raw", Decimal(minute)))
    asked: tuple[Key, ...] = (*clock, ("plain", Decimal(hour))) if minute == 0 else clock
    if _SPAN.match(match.group()):
        # `1h30` is an hour and a half as well.
        span: Key = ("hours", (hour + Decimal(minute) / 60).quantize(Decimal("1.0000")))
        asked, held = (*asked, span), (*held, span)
    return Fact(kind="the time", said=match.group(), asked=asked, held=held)


def _hour(match: re.Match[str]) -> Fact | None:
    """A full hour of a clock: `6 pm`, `18 Uhr`. A number alone will do for it."""
    hour = int(match[1])
    if hour > 24:
        return None
    clock = clock_keys(hour, 0, (match["half"] or "").lower())
    return Fact(
        kind="the time",
        said=match.group(),
        asked=(*clock, ("plain", Decimal(hour))),
        held=(*clock, ("raw", Decimal(hour))),
    )


def _account(match: re.Match[str]) -> Fact:
    name = re.sub(r"[ -]", "", match.group()).casefold()
    return same("the number", match.group(), ("reference", name))


def _phone(match: re.Match[str]) -> Fact | None:
    written = match.group()
    digits = "".join(c for c in written.replace("(0)", "") if c.isdigit())
    begins = written.startswith(("+", "0", "("))
    if not 7 <= len(digits) <= 15 or not (begins or _NATIONAL.fullmatch(written)):
        return None
    asked, held = dialled(digits)
    return Fact(kind="the telephone number", said=written, asked=asked, held=held)


def _version(match: re.Match[str]) -> Fact:
    """Those that it is one of may be named by what it begins with."""
    parts = (("raw", Decimal(part)) for part in (match[1], *match[1].split(".")))
    name = match.group().lower().removeprefix("v")
    return same("the number", match.group(), ("reference", name), *parts)


def _reference(match: re.Match[str]) -> Fact | None:
    """A number with letters in it, or after a `#`. A unit glued to a number makes none."""
    written = match.group().rstrip("/-_")
    glued = _GLUED.fullmatch(written)
    if glued and (glued[1].lower() in UNITS or ORDINAL.fullmatch(glued[1].lower())):
        return None
    if not written.startswith("#"):
        lettered = any(character.isalpha() for character in written)
        digits = sum(character.isdigit() for character in written)
        if not lettered or digits < (2 if _VOUCHER.fullmatch(written) else 3):
            return None
    name = _MASK.sub("", re.sub(r"[-_/#]", "", written).casefold())
    parts = re.findall(rf"\d{{1,{MAX_DIGITS}}}", written)
    raw = (("raw", Decimal(part)) for part in parts)
    return same("the number", written, ("reference", name), *raw)
