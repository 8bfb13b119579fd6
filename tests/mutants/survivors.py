"""Faults that change nothing, and why: no test can see them."""

ALIKE = {
    "dispatch.UNMARK: dispatched_at IS NOT NULL -> true": "spares a write: null becomes null",
    "gates.UNMARK: dispatched_at IS NOT NULL -> true": "spares a write: null becomes null",
    "budgets.SETTLE: , 0 -> left out": "an overrun is not below 0, so 0 is never the greatest",
    "message_batches.KNOWN: counts ? 'foreign' -> true": "a list that is absent has no elements",
    "message_batches.UNWANTED: - coalesce(submitted_at, created_at) -> left out": "nobody reads the"
    " age of a batch that is to be cancelled; that of the others is tested",
}
"""By the statement and what becomes of it; where it stands may change."""


def why(name: str) -> str | None:
    """The reason for which a fault is equivalent; None for one that should be seen."""
    statement, _, fault = name.partition(" at ")
    return ALIKE.get(f"{statement}: {fault.partition(': ')[2]}")
