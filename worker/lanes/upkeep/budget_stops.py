"""Runs that a budget has stopped: noted once for each run and cap, in the words of every screen."""

from sqlalchemy import Connection, Engine

from worker.store.audit import RUNG, audit
from worker.store.queue import notices
from worker.store.reading.run_money import RUN_BUDGET
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.standings import live_runs
from worker.store.reading.status import today

RUNS = 200
"""Live runs that are looked at, the first served first."""


def tell_of_stops(engine: Engine) -> None:
    """Notes each run that a budget has stopped, once for a cap."""
    with engine.begin() as connection:
        for run in live_runs(connection, RUNS):
            if run.out_of_money:
                _tell(connection, run)


def _tell(connection: Connection, run: RunStanding) -> None:
    target, words = f"run {run.name}", f"Run {run.name} is {run.money_words}."
    key, wanted = f"{_budget_of(connection, run)}:{run.id}", run.enough
    if notices.note(
        connection, "budget_stop", key=key, target=target, words=words, enough_usd=wanted
    ):
        audit(connection, RUNG, "budget stop", target, 1, waits_for=run.waiting_for)


def _budget_of(connection: Connection, run: RunStanding) -> str:
    """The budget that stops it, and its cap: a raised one is told of anew."""
    if run.waiting_for == RUN_BUDGET:
        return f"run:{run.cap}"
    day = today(connection)
    return f"day:{day.day}:{day.budget_usd}" if day is not None else "day:None:None"
