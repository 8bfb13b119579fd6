"""Amounts whose smaller coins stand behind the currency and a gap: `215 € 40` is 215.40.

`15 € 20 Punkte` are two numbers, so either reading will do.
"""

import re
from collections.abc import Collection, Iterator, Sequence, Set
from decimal import Decimal

from worker.domain.validation.fact import Fact, Key
from worker.domain.validation.fact_words import UNITS
from worker.domain.validation.numbers import measured

_APART = re.compile(
    r"(?<![\w.,])(?P<whole>\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3}){1,2}|\d{1,7})[ \u00a0]?"
    r"(?P<unit>€|£|\$|eur(?:os?)?|chf|francs?|franken)[ \u00a0](?P<cents>\d\d)"
    r"(?![\w%€$£]|[.,]\d|[ \u00a0]?[%€$£])",
    re.IGNORECASE,
)
_NAMES = frozenset({"eur", "euro", "euros", "chf", "franc", "francs", "franken"})


def amounts_apart(text: str, words: Set[str]) -> Iterator[Fact]:
    """Each, as a source of these words may be asked for it."""
    if words.isdisjoint(_NAMES) and not any(sign in text for sign in "€£$"):
        return
    for match in _APART.finditer(text):
        yield Fact(kind="the amount", said=match.group(), held=_keys(match)[1])


def without_apart(reply: str, known: Sequence[Collection[Key]]) -> str:
    """The reply without those that a source has as one amount."""

    def blank(match: re.Match[str]) -> str:
        said = match.group()
        stands = any(key in keys for key in _keys(match)[0] for keys in known)
        return " " * len(said) if stands else said

    return _APART.sub(blank, reply)


def _keys(match: re.Match[str]) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    whole = re.sub(r"\D", "", match["whole"])
    return measured(Decimal(f"{whole}.{match['cents']}"), UNITS[match["unit"].lower()])
