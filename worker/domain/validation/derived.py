"""Numbers that follow from others of the same reply: `2 × 9.99 = 19.98`, `10 % of 50 are 5`.

What is reckoned with has to be named in the reply and to stand in a source: a total alone is as
good as made up, for nobody who reads it can see where it comes from.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice, permutations

from worker.domain.validation.fact import Fact, Key
from worker.domain.validation.fact_words import CENTS

MOST_PARTS = 8
"""Numbers of a reply that are reckoned with."""
MOST_TIMES = 100
_CENT = Decimal("0.01")
_IN_PARTS = (("hours", "hours"), (CENTS, "money"))
"""What is asked for in parts, and under what its whole is held."""
Value = tuple[str, Decimal]
"""What is measured, and how much of it."""


def underived(
    missing: Sequence[Fact], standing: Iterable[Fact], known: Sequence[Collection[Key]]
) -> list[Fact]:
    """Those of `missing` that do not follow from `standing`, facts of the reply that do stand in a
    source; `known` are the keys of all sources."""
    for what, whole in _IN_PARTS:
        if _is_in_parts(missing, known, what, whole):
            missing = [fact for fact in missing if not _of(fact, what)]
    if not missing:
        return []
    standing = list(standing)
    parts = list(islice(dict.fromkeys(v for fact in standing for v in _values(fact)), MOST_PARTS))
    results = {*_results(parts), *_products(standing[:MOST_PARTS])}
    return [fact for fact in missing if not any(_is_among(one, results) for one in _values(fact))]


def _values(fact: Fact) -> Iterator[Value]:
    """What a number is asked for as, in its unit."""
    small = () if fact.asked or fact.kind != "the number" else fact.held[:1]
    for key in fact.asked or small:
        what, value = key[0], key[-1]
        if isinstance(what, str) and isinstance(value, Decimal) and what != "plain":
            yield what, value


def _of(fact: Fact, what: str) -> list[Decimal]:
    return [value for kind, value in _values(fact) if kind == what]


def _is_in_parts(
    missing: Sequence[Fact], known: Sequence[Collection[Key]], what: str, whole: str
) -> bool:
    """`4 weeks and 2 days` are 30 days, `twenty euros and fifty cents` 20.50."""
    parts = [values[0] for fact in missing if (values := _of(fact, what))]
    total: Key = (whole, sum(parts, Decimal(0)))
    return len(parts) in (2, 3) and any(total in keys for keys in known)


def _counts(fact: Fact) -> Iterator[Decimal]:
    for key in fact.held:
        value = key[1] if key[0] == "raw" else None
        if isinstance(value, Decimal) and 1 < value <= MOST_TIMES and value % 1 == 0:
            yield value


def _products(standing: Sequence[Fact]) -> Iterator[Value]:
    """So many times something, as two facts say: `2-4 days` are not twice two days."""
    for one, other in permutations(standing, 2):
        for times in _counts(one):
            yield from ((what, value * times) for what, value in _values(other))


def _results(parts: Sequence[Value]) -> Iterator[Value]:
    for (what, one), (other, two) in permutations(parts, 2):
        if what == "percent" and other != "percent":
            share = two * one / 100
            yield from ((other, share), (other, two - share), (other, two + share))
        elif what == other:
            yield from ((what, one + two), (what, one - two))
    for what in {what for what, _ in parts}:
        yield what, sum((value for kind, value in parts if kind == what), Decimal(0))


def _is_among(wanted: Value, results: Iterable[Value]) -> bool:
    """Money is rounded to cents by whoever reckons."""
    what, value = wanted
    return value > 0 and any(
        abs(value - found) < _CENT and (kind == what or "raw" in (kind, what))
        for kind, found in results
    )
