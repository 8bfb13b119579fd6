"""Numbers with a fraction that are written out, put in digits: `two point seven five percent`,
`drei Komma fünf Euro`, `deux virgule soixante-quinze pour cent`."""

import re
from collections.abc import Mapping, Sequence, Set

from worker.domain.validation.number_words import WORD, written_out

_MARKS = frozenset({"point", "komma", "virgule", "coma", "virgola", "vírgula"})
_ZEROS = frozenset({"zero", "null", "zéro", "cero", "nul", "oh", "nulla"})
_GAP = re.compile(r"[ \u00a0-]")
_DIGITS_BEHIND = re.compile(r"\d{1,4}(?![\w.,])")
_DIGITS_BEFORE = re.compile(r"(?<![\w.,])\d{1,6}\Z")
_AT = re.compile(r"(?:at|sur|von|en|su) (?:the |ce |dem )?\Z", re.IGNORECASE)
"""`at one point two of us …` is no number."""
_MOST_DIGITS = 4
_WITHIN_CHARS = 8
"""Before a mark, where digits may stand."""


def in_decimals(text: str, words: Set[str]) -> str:
    """The text, whose words in lower case are given, with such numbers in digits; any other is left
    as it is."""
    if words.isdisjoint(_MARKS):
        return text
    found = list(WORD.finditer(text))
    lowered = [word.group().lower() for word in found]
    spans = [
        *written_out(text, found, lowered),
        *((0, at, at + 1) for at, word in enumerate(lowered) if word in _ZEROS),
    ]
    begun = {at: (value, to) for value, at, to in spans}
    ended = {to: (value, at) for value, at, to in spans}
    for mark in reversed([at for at, word in enumerate(lowered) if word in _MARKS]):
        whole = _whole(text, found, ended, mark)
        fraction = _fraction(text, found, begun, mark)
        if whole is not None and fraction is not None:
            (begin, value), (end, digits) = whole, fraction
            # Three digits behind a mark would be thousands to some.
            digits += "0" * (len(digits) == 3)
            # `d'un virgule cinq`
            gap = " " if text[:begin].endswith(("'", "’")) else ""
            text = f"{text[:begin]}{gap}{value}.{digits}{text[end:]}"
    return text


def _whole(
    text: str,
    words: Sequence[re.Match[str]],
    ended: Mapping[int, tuple[int, int]],
    mark: int,
) -> tuple[int, int] | None:
    """Where what stands before the mark begins, and its value."""
    gap = words[mark].start() - 1
    if gap < 0 or not _GAP.match(text, gap):
        return None
    if (digits := _DIGITS_BEFORE.search(text, max(0, gap - _WITHIN_CHARS), gap)) is not None:
        return digits.start(), int(digits.group())
    value, at = ended.get(mark, (None, 0))
    if value is None or words[mark - 1].end() != gap:
        return None
    begin = words[at].start()
    return None if _AT.search(text[max(0, begin - 8) : begin]) else (begin, value)


def _fraction(
    text: str, words: Sequence[re.Match[str]], begun: Mapping[int, tuple[int, int]], mark: int
) -> tuple[int, str] | None:
    """Where what stands behind the mark ends, and its digits: one after another or as a number."""
    end, at, said = words[mark].end(), mark + 1, ""
    if _GAP.match(text, end) and (digits := _DIGITS_BEHIND.match(text, end + 1)) is not None:
        return digits.end(), digits.group()
    while at in begun and _GAP.fullmatch(text[end : words[at].start()]):
        value, to = begun[at]
        if value >= 100 or len(said) >= _MOST_DIGITS or (said.strip("0") and value >= 10):
            break
        said, end, at = f"{said}{value}", words[to - 1].end(), to
    return (end, said) if said else None
