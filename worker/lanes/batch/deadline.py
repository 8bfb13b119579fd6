"""Takes runs with a deadline out of the batch lane before they would be late.

A run starts at half price while there is slack. Looked at before every round of the batch lane, so
what has no time for a batch is never put into one.
"""

import logging

from sqlalchemy import Engine

from worker.config.addresses import SIMULATED_TURNAROUND_S
from worker.config.settings import Settings
from worker.domain.lane_choice import Move, move, realtime_s
from worker.store.queue.leaving_batch import (
    lane_paces,
    leave_lane,
    runs_with_deadline,
    turnaround_s,
)

log = logging.getLogger(__name__)


def leave_for_deadlines(engine: Engine, settings: Settings, *, simulated: bool) -> int:
    """Moves what would be late to the realtime lane. Returns how many jobs were moved."""
    most = SIMULATED_TURNAROUND_S if simulated else float("inf")
    with engine.begin() as connection:
        runs = runs_with_deadline(connection, settings)
        if not runs:
            return 0
        paces = lane_paces(connection, settings)
        turnaround = turnaround_s(connection, min(settings.batch.turnaround_s, most))
    total = 0
    for run in runs:
        needed = realtime_s(run.rest, paces)
        which = move(
            run.left_s,
            needed,
            turnaround_s=turnaround,
            margin_s=min(settings.batch.margin_s, most),
        )
        if which is Move.STAY:
            continue
        why = f"{run.left_s / 60:.0f} minutes to the deadline, {needed / 60:.0f} needed"
        if moved := leave_lane(engine, run, which, why):
            log.warning("left the batch lane", extra={"run": run.name, "jobs": moved})
            total += moved
    return total
