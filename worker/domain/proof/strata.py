"""Strata of messages by what is known before anything is asked: their length."""

from bisect import bisect_right

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
