"""Strata of messages by what is known before anything is asked: their length."""

STRATA = ((80, "short"), (200, "medium"), (600, "long"), (2_000, "longer"))
"""Characters below which a message belongs to a stratum."""
LONGEST = "longest"


def stratum_of(chars: int) -> str:
    """The stratum of a message of so many characters."""
    return next((name for most, name in STRATA if chars < most), LONGEST)
