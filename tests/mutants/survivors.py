"""Faults that change nothing, and why: no test can see them."""

ALIKE: dict[str, str] = {
    "dispatch.UNMARK at 62: dispatched_at IS NOT NULL": "spares a write: null becomes null",
    "budgets.SETTLE at 636: , 0": "an overrun is not below 0, so 0 is never the greatest",
}
"""By a part of the fault's name."""


def why(name: str) -> str | None:
    """The reason for which a fault is equivalent; None for one that should be seen."""
    return next((reason for part, reason in ALIKE.items() if part in name), None)
