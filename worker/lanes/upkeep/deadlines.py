"""Deadlines at risk: noted once for each run and deadline, in the words of its forecast."""

import logging

from sqlalchemy import Engine

from worker.config.settings import Settings
from worker.store.queue import notices
from worker.store.reading.outlook import deadline_risks
from worker.store.reading.standings import live_runs
from worker.store.reading.surrounding import surrounding_of

log = logging.getLogger(__name__)
RUNS = 200
"""Live runs that are looked at, the first served first."""


def watch_deadlines(engine: Engine, settings: Settings) -> int:
    """Notes the live runs that will not be done in time. Returns how many were new."""
    noted = 0
    with engine.begin() as connection:
        around = surrounding_of(connection, settings)
        for run, why in deadline_risks(connection, around, live_runs(connection, RUNS)):
            if why is None:
                continue
            words = f"Run {run.name} may miss its deadline: {why}."
            key, target = f"{run.id}:{run.deadline}", f"run {run.name}"
            detail = {"deadline": run.deadline, "left": run.open}
            if notices.note(
                connection, "deadline_at_risk", key=key, target=target, words=words, **detail
            ):
                log.warning("deadline at risk", extra={"run": run.name, "left": run.open})
                noted += 1
    return noted
