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
CHOSEN_ALIKE = {
    "domain.shared_labels: 'question is None or question.together == 1' -> 'question is None'": (
        "a group of one is full, so the next of its kind begins another anyway"
    ),
    """domain.timetable: 'return f"cron {table.cron!r} is never due"' -> 'return None'""": (
        "the library refuses a day that no month has before it is asked for the next"
    ),
}
"""Of those chosen by hand, by their whole name."""


def why(name: str) -> str | None:
    """The reason for which a fault is equivalent; None for one that should be seen."""
    if name in CHOSEN_ALIKE:
        return CHOSEN_ALIKE[name]
    statement, _, fault = name.partition(" at ")
    return ALIKE.get(f"{statement}: {fault.partition(': ')[2]}")
