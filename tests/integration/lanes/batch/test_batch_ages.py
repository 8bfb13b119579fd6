"""A batch grows old: whatever Claude did with it in a day or a month, each message ends once."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane
from tests.support.checker import Checker
from tests.support.nights import night, night_settings, rounds
from tests.support.promises import do, many, one
from tests.support.works import hand_in
from worker.config.settings import Settings
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator.state import State
from worker.store.queue.expire import expire
from worker.store.queue.rescue import rescue

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(6)]
Simulator = tuple[State, str]
AGED = {
    "message_batches": ("created_at", "submitted_at", "ended_at"),
    "attempts": ("available_at", "claimed_at", "finished_at"),
    "calls": ("sent_at", "finished_at"),
    "jobs": ("created_at", "lease_until", "available_at"),
    "dispatches": ("dispatched_at",),
    "runs": ("created_at",),
    "escalations": ("at",),
}
"""Columns that are so much older when time has passed."""


def age(runtime: Runtime, hours: int) -> None:
    """Time passes; and those that keep house come round meanwhile."""
    for table, columns in AGED.items():
        moved = ", ".join(f"{one} = {one} - make_interval(hours => :h)" for one in columns)
        do(runtime.engine, f"UPDATE {table} SET {moved}", h=hours)
    assert rescue(runtime.engine, 180.0) == 0, "what is at Claude is nobody's to rescue"
    assert expire(runtime.engine, runtime.settings.worker.max_age) == 0


def cancelled(state: State) -> None:
    """By somebody else: in Anthropic's console, or by Claude."""
    for batch in state.batches.values():
        batch.cancelled, batch.ready_at = batch.created, 0.0


def expired(state: State) -> None:
    state.moods.replace([{"match": {"purpose": "answer", "first": 6}, "do": {"batch": "expired"}}])


def some_expired(state: State) -> None:
    state.moods.replace([{"match": {"purpose": "answer", "first": 4}, "do": {"batch": "expired"}}])


def short(state: State) -> None:
    state.moods.replace(
        [{"match": {"purpose": "results", "first": 2}, "do": {"results": "missing"}}]
    )


def gone(state: State) -> None:
    for batch in state.batches.values():
        batch.archived = True


@pytest.mark.parametrize(
    ("happens", "hours", "unpaid", "lost"),
    [
        (expired, 25, 6, 0),
        (some_expired, 25, 4, 0),
        (cancelled, 25, 6, 0),
        (short, 25, 0, 0),
        (gone, 30 * 24, 0, 6),
    ],
)
def test_a_batch_grows_old(
    happens: Callable[[State], None], hours: int, unpaid: int, lost: int,
    engine: Engine, database_url: str, simulator: Simulator,
) -> None:  # fmt: skip
    # given: a batch at Claude, of which nobody hears for long
    settings = settings_of(database_url, simulator)
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        if happens is not gone:
            happens(simulator[0])  # the simulator's batches end when somebody looks
        lane.step()
        assert many(engine, "SELECT state, requests FROM message_batches") == [("submitted", 6)]
        happens(simulator[0])
        age(runtime, hours)
        # when
        if happens is gone:
            do(engine, "UPDATE message_batches SET state = 'ended'")
        rounds(runtime, lane)
    # then
    assert many(engine, "SELECT DISTINCT state FROM jobs") == [("answered",)]
    assert one(engine, "SELECT count(*), count(DISTINCT job_id) FROM results WHERE accepted") == (
        6, 6,
    )  # fmt: skip
    # What was not processed was not billed, and its calls leave the ledger: it holds what was paid.
    calls = dict(many(engine, "SELECT state, count(*) FROM calls GROUP BY 1"))
    assert calls == {"done": 6} | ({"failed": lost} if lost else {})
    assert sum(calls.values()) == sum(simulator[0].counts.batch_items.values())
    assert many(engine, "SELECT DISTINCT failures FROM jobs") == [(1 if lost else 0,)]
    charged = "SELECT count(*) FROM calls WHERE state <> 'done' AND cost > 0"
    assert one(engine, charged)[0] == lost
    assert one(engine, "SELECT count(*) FROM message_batches")[0] == (2 if unpaid + lost else 1)
    Checker().require(engine)


def settings_of(database_url: str, simulator: Simulator) -> Settings:
    batch: dict[str, Any] = {"adopt_after_s": 600}
    return night_settings(database_url, simulator[1], batch=batch)
