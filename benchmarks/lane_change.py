"""A run of 200,000 messages leaves the batch lane for its deadline, on a database whose statistics
are those of one small run that ended long ago.

The rows are made by Postgres itself: all of the run's jobs are at Claude, in six batches. What is
measured is `leaving_batch.leave_lane` with the product's own statements, triggers and groups.
"""

import time
from typing import Any

from sqlalchemy import Engine, event, text

from benchmarks.figures import Figure, Finding
from tests.support.backlog_rows import NIGHT, fill, put_back
from tests.support.servers import database_of_its_own
from worker.config.settings import Settings
from worker.domain.lane_choice import Move
from worker.store.engine import make_engine
from worker.store.queue.leaving_batch import leave_lane, runs_with_deadline

IN_BATCHES, QUICK_IN_BATCHES = 200_000, 20_000
OF_ALL = 0.6
"""So many of the jobs that `fill` makes are in batches."""
LONGEST_S, WHOLE_S = 5.0, 60.0
MOMENT = "one small old run"


def run(*, quick: bool = False) -> Finding:
    """How long the longest statement takes, and all of it."""
    with database_of_its_own("lane_change") as url:
        return _left(url, QUICK_IN_BATCHES if quick else IN_BATCHES)


def _left(url: str, in_batches: int) -> Finding:
    engine = make_engine(url, pool_size=1)
    took = list[float]()
    try:
        moments = fill(engine, round(in_batches / OF_ALL))
        with engine.begin() as connection:
            put_back(connection, moments[MOMENT])
            (leaving,) = (
                one for one in runs_with_deadline(connection, Settings()) if one.run_id == NIGHT
            )
        _clocked(engine, took)
        began = time.monotonic()
        moved = leave_lane(engine, leaving, Move.ALL, "benchmark")
        whole = time.monotonic() - began
        with engine.connect() as connection:
            left = connection.scalar(
                text("SELECT count(*) FROM jobs WHERE run_id = :run AND lane = 'batch'"),
                {"run": NIGHT},
            )
    finally:
        engine.dispose()
    figures = (
        Figure("the longest statement", max(took), LONGEST_S, True, " s"),
        Figure(f"{in_batches:,} jobs out of the batch lane", whole, WHOLE_S, True, " s"),
    )
    return Finding("lane_change", figures, {"moved": moved, "left": left, "statements": len(took)})


def _clocked(engine: Engine, took: list[float]) -> None:
    """Notes what each statement from now on takes, in seconds."""
    began = list[float]()

    def before(*_: Any) -> None:
        began.append(time.monotonic())

    def after(*_: Any) -> None:
        took.append(time.monotonic() - began.pop())

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
