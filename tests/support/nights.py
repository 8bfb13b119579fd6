"""The batch lane in a test: rounds of the real thing, one after another, with no waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from tests.support.works import make_due, settings_for, working
from worker.config.settings import Settings
from worker.lanes.batch.lane import BatchLane
from worker.lanes.realtime.runtime import Runtime
from worker.store.queue.run_ends import finish_runs

OPEN = text("SELECT count(*) FROM jobs WHERE finished_at IS NULL")
DUE = text("UPDATE message_batches SET next_poll_at = now() WHERE recorded_at IS NULL")


def night_settings(database_url: str, simulator_url: str, **changes: Any) -> Settings:
    """Slices go at once, and batches are looked at in every round."""
    batch = {"gather_s": 0, "poll_s": 0.001, "adopt_after_s": 0.001, **changes.pop("batch", {})}
    return settings_for(database_url, simulator_url, batch=batch, **changes)


@contextmanager
def night(settings: Settings) -> Iterator[tuple[Runtime, BatchLane]]:
    """A worker whose batch lane is driven by hand."""
    with working(settings) as runtime:
        lane = BatchLane(runtime)
        try:
            yield runtime, lane
        finally:
            lane.close()


def step(runtime: Runtime, lane: BatchLane, times: int = 1) -> None:
    """Rounds with every look due, and every wait over."""
    for _ in range(times):
        with runtime.engine.begin() as connection:
            connection.execute(DUE)
        make_due(runtime.engine)
        lane.step()


def rounds(runtime: Runtime, lane: BatchLane, *, at_most: int = 60) -> int:
    """Rounds until every job has ended; time passes between them. Returns how many."""
    for number in range(at_most):
        with runtime.engine.begin() as connection:
            connection.execute(DUE)
            if not connection.execute(OPEN).scalar_one():
                finish_runs(runtime.engine)
                return number
        lane.step()
        make_due(runtime.engine)
    raise AssertionError(f"jobs were still open after {at_most} rounds")
