"""Strata of messages by what is known before anything is asked: their length."""

from bisect import bisect_right
from collections.abc import Mapping

STRATA = (
    *((80, "short"), (200, "medium"), (600, "long"), (2_000, "longer")),
    *((10_000, "very long"), (50_000, "a document")),
)
"""Characters below which a message belongs to a stratum."""
LONGEST = "longest"
_BOUNDS = [most for most, _ in STRATA]
_NAMES = (*(name for _, name in STRATA), LONGEST)
"""Asked for each message of an intake: a search takes a fifth of going through them."""


def stratum_of(chars: int) -> str:
    """The stratum of a message of so many characters."""
    return _NAMES[bisect_right(_BOUNDS, chars)]


def in_proportion(strata: Mapping[str, int], wanted: int) -> Mapping[str, int]:
    """So many messages, parted as these strata are: largest remainders, so that the sum is right.
    All of them where there are no more."""
    total = sum(strata.values())
    if wanted >= total:
        return strata
    shares = {name: count * wanted for name, count in strata.items()}
    found = {name: share // total for name, share in shares.items()}
    by_remainder = sorted(shares, key=lambda name: shares[name] % total, reverse=True)
    for name in by_remainder[: wanted - sum(found.values())]:
        found[name] += 1
    return {name: count for name, count in found.items() if count}
