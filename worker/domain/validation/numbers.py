"""Numbers of a text with what they measure, by value in a language's notation."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from worker.domain.validation.clocks import clock_keys
from worker.domain.validation.fact import Fact, Key
from worker.domain.validation.fact_words import (
    ALSO,
    CENTS,
    CODES,
    COMMA_LANGUAGES,
    CURRENCY_SIGNS,
    PERCENT,
    QUALIFIERS,
    UNITS,
    Unit,
    either,
)
from worker.domain.validation.free import FREE
from worker.domain.validation.number_words import MILLIONS, WORD, counts, written_out
from worker.domain.validation.shares import beside_worth

MONEY = frozenset({*CODES, *CURRENCY_SIGNS.values(), CENTS})
MAX_DIGITS = 24
"""A longer number is compared as it is written."""
_CURRENCY = either([*CURRENCY_SIGNS, *CODES])
_NUMBER = re.compile(
    rf"(?<![\w.,'’])(?P<sign>(?:{_CURRENCY})[\s\u00a0]?)?"
    r"(?P<digits>\d{1,2}(?:,\d{2})+,\d{3}(?!\d)(?:\.\d{1,2}(?!\d))?"
    r"|\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?!\d)(?:[.,]\d{1,2}(?!\d))?"
    r"|\d++(?:[.,]\d++)?)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"[\s\u00a0\u202f-]{{0,2}}(?:(?<=[^\W\d_][ \u00a0])(?:d['’]|d[ei] ))?"
    rf"(?:(?:{either(QUALIFIERS)})[ -])?([^\W\d_]{{1,20}}|[€$£¥₹₽₺])",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"\s?(?:-|–|—|to|bis|à|al?|y|et?|und|and|ou?|or|oder|of|tot|en)\s?", re.IGNORECASE
)
ORDINAL = re.compile(r"(?:st|nd|rd|th|er|º|ª|°)\b")
_AMBIGUOUS = re.compile(r"(?<!\d)\d{1,3}[.,]\d{3}(?![\d.,]?\d)")
_OF = re.compile(r" (?:d['’]|d[ei] )", re.IGNORECASE)
_CLOCK = re.compile(r"([01]?\d|2[0-4])\.([0-5]\d)")
"""`17.30` may be an hour as well."""
_MAGNITUDE = re.compile(
    r"[ \u00a0](?:(?P<e3>thousand|tausend|mille|mila|mil|duizend)|(?P<e5>lakhs?|lacs?)"
    r"|(?P<e7>crores?)|(?P<e9>mrd|billions?)|(?P<e6>mio|million(?:s|en)?|mill[oó]n(?:es)?|milion[ei]|milh(?:ão|ões)|miljoen))\b\.?",
    re.IGNORECASE,
)
SMALL = 10
"""Numbers below this that measure nothing ("3 steps") are no facts."""


def ambiguous(text: str) -> bool:
    """Whether some number of the text is read otherwise in another language's notation."""
    return _AMBIGUOUS.search(text) is not None


def dialled(digits: str) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """How a telephone number is asked for and held: with and without the codes before it."""
    digits = digits.removeprefix("00").removeprefix("0")
    tails = [digits[-size:] for size in range(7, len(digits) + 1)]
    asked = (("tail", digits), *(("telephone", tail) for tail in tails if len(tail) > 7))
    return asked, (("telephone", digits), *(("tail", tail) for tail in tails))


def spelt_in(text: str) -> Iterator[Fact]:
    """Numbers that are written out, with a unit: `thirty days`, `five to seven days`. One of
    something is too common a phrase to be asked for."""
    words = list(WORD.finditer(text))
    spans = list(written_out(text, words, [word.group().lower() for word in words]))
    after: tuple[int, Unit] | None = None
    for value, at, to in reversed(spans):
        begin, end = words[at].start(), words[to - 1].end()
        unit, end = _spelt_unit(text, words, to, end)
        if unit is None and after and _RANGE.fullmatch(text[end : after[0]][:8]):
            unit = after[1]
        after = (begin, unit) if unit is not None else None
        if unit is None:
            if counts(value, text, begin, end, words[at].group().lower() if to == at + 1 else ""):
                exact = Decimal(value)
                yield Fact(
                    kind="the number",
                    said=text[begin:end],
                    asked=(("raw", exact),),
                    held=(("raw", exact), ("plain", exact)),
                )
        elif unit == UNITS["%"] and value == 100 and not beside_worth(text, begin, end):
            # `cien por cien`: wholly.
            continue
        elif text[:begin].rstrip()[-1:].isdigit():
            # `12.5 thousand euros`: read with its digits.
            continue
        else:
            asked, held = measured(Decimal(value), unit)
            said = text[begin:end]
            yield Fact(kind="the number", said=said, asked=asked if value > 1 else (), held=held)


def _spelt_unit(
    text: str, words: Sequence[re.Match[str]], to: int, end: int
) -> tuple[Unit | None, int]:
    """The unit that begins at the word `to`, one letter behind what ends at `end`, and its end."""
    if percent := PERCENT.match(text, end):
        return UNITS["%"], percent.end()
    if words[to - 1].group().lower() in MILLIONS and (of := _OF.match(text, end)) is not None:
        # `un million d'euros`
        to, end = to + 1, of.end() - 1
    if to + 1 < len(words) and words[to].group().lower() in QUALIFIERS:
        if words[to].start() != end + 1:
            return None, end
        to, end = to + 1, words[to].end()
    if to < len(words) and words[to].start() == end + 1:
        unit = UNITS.get(words[to].group().lower())
        return unit, words[to].end() if unit is not None else end
    return None, end


def numbers_in(text: str, language: str | None) -> Iterator[Fact]:
    """Numbers in digits, with the units around them."""
    matches = list(_NUMBER.finditer(text))
    found = [_unit_of(match, text, _times(match, text)[1]) for match in matches]
    units = [unit for unit, _ in found]
    for at in range(len(matches) - 2, -1, -1):
        between = text[matches[at].end() : matches[at + 1].start()][:8]
        if units[at] is None and _RANGE.fullmatch(between):
            units[at] = units[at + 1]
            if units[at] == UNITS["h"]:
                # `9 a 18 h`: its `h` says that it may be a time.
                found[at] = (units[at], found[at + 1][1])
    for at in range(1, len(matches)):
        between = text[matches[at - 1].end() : matches[at].start()][:8]
        if units[at] is None and matches[at - 1]["sign"] and _RANGE.fullmatch(between):
            units[at] = units[at - 1]
    for match, unit, (_, end) in zip(matches, units, found, strict=True):
        said = text[match.start() : end].strip()
        times, _ = _times(match, text)
        values = tuple(times * value for value in read_number(match["digits"], language))
        yield _number(match["digits"] if times == 1 else "", said, unit, values)


def _times(match: re.Match[str], text: str) -> tuple[int, int]:
    """What a number is to be multiplied by, `2 million`, and where that ends."""
    found = _MAGNITUDE.match(text, match.end())
    if found is None:
        return 1, match.end()
    return 10 ** int(str(found.lastgroup).removeprefix("e")), found.end()


def _number(digits: str, said: str, unit: Unit | None, values: tuple[Decimal, ...]) -> Fact:
    """`digits` is empty where they are not all of the number."""
    if unit is None:
        return _plain(digits, said, values)
    keys = [measured(value, unit) for value in values]
    asked = tuple(key for each, _ in keys for key in each)
    if said.lower().endswith(("h", "uur")) and unit[0] == "hours":
        # `9 h` is a time of the day as well.
        hours = (int(value) for value in values if value in range(25))
        asked += tuple(key for hour in hours for key in clock_keys(hour, 0))
        if clock := _CLOCK.fullmatch(digits):
            asked += clock_keys(int(clock[1]), int(clock[2]))
    held = tuple(key for _, each in keys for key in each)
    return Fact(kind=_kind(unit[0]), said=said, asked=asked, held=held)


def _plain(digits: str, said: str, values: tuple[Decimal, ...]) -> Fact:
    """A number that measures nothing. Small ones count steps and options."""
    asked: tuple[Key, ...] = tuple(("raw", value) for value in values)
    held: tuple[Key, ...] = (*asked, *(("plain", value) for value in values))
    if clock := _CLOCK.fullmatch(digits):
        keys = clock_keys(int(clock[1]), int(clock[2]))
        asked, held = (*asked, *keys), (*held, *keys)
    if digits.isdigit():
        asked, held = (*asked, ("reference", digits)), (*held, ("reference", digits))
        if 7 <= len(digits) <= 15:
            held += dialled(digits)[1]
    small = len(digits) < 5 and all(value < SMALL and value % 1 == 0 for value in values)
    return Fact(kind="the number", said=said, asked=() if small else asked, held=held)


def _kind(what: str) -> str:
    if what in MONEY:
        return "the amount"
    return "the percentage" if what == "percent" else "the number"


def measured(value: Decimal, unit: Unit) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """How a number with a unit is asked for and held. A number without one will do for it, but for
    a percentage; cents are of any currency."""
    what, factor = unit
    exact = _exact(value * factor)
    asked: tuple[Key, ...] = ((what, exact), ("plain", exact if what == CENTS else value))
    held: tuple[Key, ...] = ((what, exact), ("raw", value))
    if what == "percent":
        return ((what, exact),), held
    if what in MONEY:
        asked += (("money" if what == CENTS else CENTS, exact),)
        held += (("money", exact), *((sign, exact) for sign in ALSO.get(what, ())))
        if value == 0:
            asked, held = (*asked, FREE), (*held, FREE)
    return asked, held


def _exact(value: Decimal) -> Decimal:
    return value.quantize(Decimal("1.0000")) if value.adjusted() < MAX_DIGITS else value


def _unit_of(match: re.Match[str], text: str, end: int) -> tuple[Unit | None, int]:
    """From what stands before the number, or behind it at `end`; and where that ends."""
    if sign := match["sign"]:
        return UNITS[sign.strip().lower()], end
    if percent := PERCENT.match(text, end):
        return UNITS["%"], percent.end()
    after = _AFTER.match(text, end)
    unit = UNITS.get(after[1].lower()) if after else None
    return unit, after.end() if after and unit else end


def read_number(digits: str, language: str | None = None) -> tuple[Decimal, ...]:
    """The values of a number as it is written in a language: `1.234,5`, `1,234.5`, `1 234,5`."""
    plain = re.sub(r"[\s'’]", "", digits)
    if len(plain) > MAX_DIGITS:
        return ()
    marks = [character for character in plain if character in ".,"]
    if not marks:
        return (Decimal(plain),)
    grouped = Decimal(plain.replace(".", "").replace(",", ""))
    last = marks[-1]
    head, _, tail = plain.rpartition(last)
    fraction = Decimal(f"{head.replace('.', '').replace(',', '')}.{tail}")
    if len(set(marks)) == 2:
        return (fraction,)
    if len(marks) > 1:
        return (grouped,)
    if len(tail) != 3 or head.startswith("0") or len(head) > 3:
        return (fraction,)
    if language is None or (language == "es" and last == ","):
        return (grouped, fraction)
    return (fraction,) if (last == ",") == (language in COMMA_LANGUAGES) else (grouped,)
