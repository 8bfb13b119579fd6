"""Scopes of budgets: a run's, a day's."""

import datetime as dt


def run_scope(run_id: int) -> str:
    """Scope of a run's budget."""
    return f"run:{run_id}"


def day_scope(day: dt.date) -> str:
    """Scope of a day's budget, by UTC date."""
    return f"day:{day.isoformat()}"
