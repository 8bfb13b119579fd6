"""Parts and multiples of what something is worth: `a third off`, `half of the price`, `twice the
shipping`, `das Dreifache`, `deux tiers`. A third is 33 % or 33.3 % to whoever writes it in digits.

Beside a word of worth alone, for `half the work` and `I looked twice` say nothing that could be
looked up.
"""

import re
from collections.abc import Iterator, Mapping, Set
from decimal import Decimal

from worker.domain.validation.fact import Fact, Key
from worker.domain.validation.fact_words import NUMBERS, either

_NEAR = 48
"""Letters before and behind, within which a word of worth has to stand."""
_WORTH = re.compile(
    r"(?<!\w)(?:off|discounts?|reduced|cheaper|price[sd]?|costs?|fees?|postage|shipping|amounts?"
    r"|values?|money|deposits?|refund\w{0,3}|pay(?:s|ing)?|paid|points?|interest|rates?|bill"
    r"|\w{0,14}(?:rabatt|preis|kosten|gebühr)\w{0,3}|reduziert|betrag\w{0,2}|wert\w{0,2}|geld"
    r"|erstatt\w{1,4}|zahl(?:en|t|e)|punkte|kostet|zurück|günstiger"
    r"|remises?|réductions?|prix|frais|montant|valeur|argent|rembours\w{1,6}|soldes|payez|coûte"
    r"|descuentos?|precio|gastos|importe|valor|dinero|devolv\w{1,5}|pagan?|cuesta|reembols\w{1,5}"
    r"|sconto|prezzo|spese|importo|valore|denaro|rimbors\w{1,6}|pagano?|costa"
    r"|desconto|preço|custos?|korting|prijs|kosten|bedrag)(?!\w)",
    re.IGNORECASE,
)
_PARTS: Mapping[int, str] = {
    2: "half halves hälfte moitié mitad metà metade helft",
    3: "third thirds drittel tiers tercio tercios terzo terzi terço terços derde",
    4: "quarter quarters viertel quart quarts cuarto cuartos quarto quarti quartos kwart",
    5: "fifth fifths fünftel cinquième cinquièmes quinto quintos quinti vijfde",
    10: "tenth tenths zehntel dixième dixièmes décimo décimos decimo decimi tiende",
}
_PART = {word: parts for parts, words in _PARTS.items() for word in words.split()}
_PART_WORDS = frozenset(_PART)
_TIMES: Mapping[int, str] = {
    2: "twice double doubled zweimal doppelt doppelte doppelten doppeltes doppelter zweifache"
    " zweifachen double doublé doble doppio doppia dobro duas dubbel dubbele twofold",
    3: "triple tripled trebled treble thrice threefold dreimal dreifach dreifache dreifachen triple"
    " triplé triplo tripla driedubbel",
    4: "quadruple fourfold viermal vierfache vierfachen cuádruple quadruplo",
    5: "fivefold fünfmal fünffache fünffachen quíntuple",
    10: "tenfold zehnmal zehnfache zehnfachen décuple",
}
_MANY = {word: times for times, words in _TIMES.items() for word in words.split()}
_COUNTS = {word: number for word, number in NUMBERS.items() if number <= 100}
_COUNT = rf"(?P<count>{either(_COUNTS)}|\d{{1,3}})"
_SHARE = re.compile(
    rf"(?<!\w)(?:{_COUNT}[ \u00a0-])?(?:[dl]['’])?(?P<part>{either(_PART)})(?!\w)", re.IGNORECASE
)
_HALVES = frozenset(_PARTS[2].split())
_OF = re.compile(
    r"[ \u00a0](?:off|of|less|cheaper|back|del?|du|des|di|dell[aeo]?|do|da|van)(?!\w)", re.I
)
"""What a share has behind it, and the third of several or a third party does not."""
_WHICH = re.compile(
    r"(?:first|second|other|erste[nr]?|zweite[nr]?|première|seconde|primera|segunda)\s\Z", re.I
)
_TWICE = re.compile(
    rf"(?<!\w)(?:(?P<word>{either(_MANY)})"
    r"|(?P<half>one and a half|anderthalb)(?:[ -](?:times|mal))?"
    rf"|{_COUNT}(?:[ \u00a0](?:times|mal|fois|veces|volte|vezes|keer)|-?(?:fold|fach|mal)e?n?))"
    r"(?!\w)",
    re.IGNORECASE,
)
_MULTIPLES = frozenset(_MANY) | frozenset(
    [
        "times",
        "mal",
        "fois",
        "veces",
        "volte",
        "vezes",
        "keer",
        "fold",
        "fach",
        "fache",
        "fachen",
        "half",
        "anderthalb",
    ]
)
_MULTIPLIED = re.compile(
    r"[ \u00a0](?:the|your|our|its|his|that|what|as (?:much|many)|points|so viel\w{0,2}|de[nrs]?"
    r"|die|das|le|la|les|l['’]|du|des|del|el|los|las|il|lo|gli|di|dell[aeo]?|do|dos|da|plus|más|het"
    r"|\w{0,9}(?:kosten|preis\w{0,2}|betrag\w{0,2}|wert\w{0,2}|gebühr\w{0,2}|punkte))(?!\w)"
    r"|[ \u00a0]?[.,;!)]",
    re.IGNORECASE,
)
"""Something is so many times itself; `charged twice` and `I looked twice` count how often."""
_HOW_OFTEN = frozenset(
    {"twice", "thrice", "zweimal", "dreimal", "viermal", "fünfmal", "zehnmal", "double"}
)


def shares_in(text: str, words: Set[str]) -> Iterator[Fact]:
    """Each as it stands there; asked for only beside a word of worth."""
    for match in () if words.isdisjoint(_PART_WORDS) else _SHARE.finditer(text):
        count = _number(match["count"]) if match["count"] else Decimal(1)
        word = match["part"].lower()
        if 0 < count < _PART[word]:
            yield _fact(text, match, _percent(count, _PART[word]), _is_share(text, match, word))
    for match in () if words.isdisjoint(_MULTIPLES) else _TWICE.finditer(text):
        if match["word"]:
            times = Decimal(_MANY[match["word"].lower()])
        else:
            times = Decimal("1.5") if match["half"] else _number(match["count"])
        if times > 1:
            follows = _MULTIPLIED.match(text, match.end())
            ends = follows is not None and not follows.group()[-1].isalpha()
            often = (match["word"] or "times").lower() in (*_HOW_OFTEN, "times")
            yield _fact(
                text, match, (("times", times),), follows is not None and not (ends and often)
            )


def beside_worth(text: str, begin: int, end: int) -> bool:
    """Whether a word of worth stands near that stretch, in its sentence."""
    around, behind = text[max(0, begin - _NEAR) : begin], text[end : end + _NEAR]
    near = re.split(r"[.!?\n;](?!\d)", around)[-1] + "\0" + re.split(r"[.!?\n;](?!\d)", behind)[0]
    return _WORTH.search(near) is not None


def _is_share(text: str, match: re.Match[str], word: str) -> bool:
    if word in _HALVES:
        return _WHICH.search(text[max(0, match.start() - 12) : match.start()]) is None
    german = word.endswith(("tel", "telen"))
    return bool(match["count"]) and (german or _OF.match(text, match.end()) is not None)


def _number(said: str) -> Decimal:
    return Decimal(said) if said.isdigit() else Decimal(_COUNTS[said.lower()])


def _percent(count: Decimal | int, parts: int) -> tuple[Key, ...]:
    """Rounded as people round it: to one, to a tenth, to a hundredth, and down."""
    exact = Decimal(100) * count / parts
    rounded = [exact.quantize(Decimal(step)) for step in ("1", "0.1", "0.01")]
    return tuple(
        ("percent", value.quantize(Decimal("1.0000")))
        for value in dict.fromkeys((*rounded, Decimal(int(exact))))
    )


def _fact(text: str, match: re.Match[str], keys: tuple[Key, ...], is_asked: bool) -> Fact:
    kind = "the share" if keys[0][0] == "percent" else "the multiple"
    asked = keys if is_asked and beside_worth(text, match.start(), match.end()) else ()
    return Fact(kind=kind, said=match.group(), asked=asked, held=keys)
