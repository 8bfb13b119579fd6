"""Rows that another transaction holds are passed over: nobody waits for them."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from models.vocabulary import Purpose
from tests.integration.lanes.upkeep.test_notify import noted
from tests.support.attempts import asks, claimed
from tests.support.near_misses import FUTURE, PAST, Rows
from tests.support.promises import BODY, crashed_claim, do, many
from tests.support.works import hand_in, settings_for, working
from worker.domain.claimed import Plan
from worker.domain.first_tier import Decided
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator.state import State
from worker.store.actions import holds, standing_shadows
from worker.store.engine import make_engine
from worker.store.queue import (
    canaries,
    deliveries,
    gates,
    leaving_batch,
    notices,
    reading_leases,
    run_intake,
)
from worker.store.queue.budgets import Budgets, ensure_day
from worker.store.queue.claim import NONE_PREPARED
from worker.store.queue.dispatch import UNMARK, UNMARK_ENDED, dispatch
from worker.store.queue.expire import expire
from worker.store.queue.gates import Stops, unmark
from worker.store.queue.notices import Way
from worker.store.queue.rescue import rescue, rescue_from

HELD = ("jobs", "notices", "notice_mails", "deliveries", "tiers", "canaries", "runs",
        "dispatches", "reading_leases")  # fmt: skip
KEY = {"tier": "haiku", "prompt_version": "p", "schema_version": "s", "model": "m"}
READ_NEXT = {"kind": "review", "holder": "ada/1", "job": 0, "fence": 0}
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PATIENCE = "SET LOCAL lock_timeout = '100ms'"


@pytest.fixture
def impatient(database_url: str) -> Iterator[Engine]:
    """An engine whose transactions wait for no lock."""
    made = make_engine(database_url)
    event.listen(made, "begin", lambda connection: connection.exec_driver_sql(PATIENCE))
    yield made
    made.dispose()


def steps(runtime: Runtime, engine: Engine) -> Mapping[str, Callable[[], object]]:
    """What each finds, most of it first."""
    ids = [row[0] for row in many(engine, "SELECT id FROM jobs WHERE lease_until IS NULL")]

    def claim() -> object:
        with engine.begin() as connection:
            rows = runtime.claims._lock(connection, "routing", "routing", ids, NONE_PREPARED)
            return [row.id for row in rows]

    def forget() -> object:
        before = many(engine, "SELECT FROM dispatches")
        with engine.begin() as connection:
            unmark(connection, "routing", ids)
        return len(before) - len(many(engine, "SELECT FROM dispatches"))

    return {
        "claim": claim,
        "dispatch": lambda: dispatch(engine, chunk=25, redispatch_s=60),
        "unmark": forget,
        "rescue": lambda: rescue(engine, 180),
        "rescue from": lambda: rescue_from(engine, [runtime.worker_id]),
        "expire": lambda: expire(engine, dt.timedelta(0)),
        "deliveries": lambda: deliveries.take(engine, ["helpdesk"], 8),
        "webhook": lambda: notices.take(engine, Way.WEBHOOK, NOW),
        "mail": lambda: notices.take(engine, Way.MAIL, NOW),
    }


def test_rows_that_are_held_are_passed_over(
    engine: Engine, impatient: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given something for each of them
    settings = settings_for(database_url, simulator[1])
    hand_in(engine, settings, BODY * 2, name="held")
    deliveries.announce(engine, {"helpdesk": True})
    with working(settings) as runtime:
        crashed_claim(runtime)
        hand_in(engine, settings, BODY, name="ready")
        hand_in(engine, settings, BODY, name="stale")
        do(engine, "UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id < 3")
        do(engine, "INSERT INTO dispatches VALUES (4, 'routing', now() - interval '1 hour')")
        do(engine, "INSERT INTO deliveries (target, job_id) VALUES ('helpdesk', 1)")
        noted(engine)
        do(engine, "INSERT INTO notice_mails (notice_id) SELECT id FROM notices")
        found = steps(runtime, impatient)
        # when all is held
        with engine.begin() as holder:
            hold(holder)
            met = {name: step() for name, step in found.items()}
        # then nothing is found, and nobody has waited
        assert not any(met.values()), met
        # and when nobody holds it, it is
        assert [name for name, step in found.items() if not step()] == ["rescue from"]


def test_what_is_changed_row_by_row_leaves_out_what_is_held(
    engine: Engine, impatient: Engine
) -> None:
    # given
    with engine.begin() as connection:
        rows = Rows(connection)
        run = rows.run(lane="batch")
        rows.routed(run, lane="batch", available_at=FUTURE)
        rows.sent(run, rows.batch(state="submitted", external_id="b"))
        rows.run(shadow_share=0.5, state="finished", finished_at=PAST)
        rows.job(rows.run(state="cancelled", finished_at=PAST))
        rows.tier("haiku")
        marked = rows.run()
        rows.routed(marked, tier="a", dispatched_at=PAST)
        rows.routed(rows.run(), tier="b", dispatched_at=PAST)
        met = rows.routed(rows.run(), tier="c", dispatched_at=PAST)
        rows.insert("dispatches", None, job_id=rows.job(run, state="dead"), queue="haiku")
        rows.insert("canaries", None, **KEY)
        rows.insert("reading_leases", None, kind="review", job_id=met, fence=0, holder="ada/1",
                    reader="ada", since=PAST, until=FUTURE)  # fmt: skip
    asked = {
        "due now": (holds.DUE_NOW, {"name": "everything"}),
        "leave sent": (leaving_batch.LEAVE_SENT, {"run": run, "limit": 9}),
        "leave unsent": (leaving_batch.LEAVE_UNSENT, {"run": run, "limit": 9}),
        "probe": (gates.TRY_PROBE, {"queue": "haiku"}),
        "canary": (canaries.LOCK, KEY),
        "shadows": (standing_shadows.OWING, {}),
        "dispatched": (holds.FORGET_DISPATCHED, {"run": marked}),
        "taken back": (holds.TAKE_BACK, {"name": "b"}),
        "not published": (UNMARK, {"ids": [met]}),
        "ended": (UNMARK_ENDED, {}),
        "left by a reader": (reading_leases.LEAVE_OTHERS, READ_NEXT),
        "left open": (run_intake.END_LEFT_OPEN, {"group": 9}),
    }

    def changed() -> dict[str, int]:
        with impatient.begin() as connection:
            done = ((name, connection.execute(*one)) for name, one in asked.items())
            return {name: one.rowcount for name, one in done}

    # when
    with engine.begin() as holder:
        hold(holder)
        found = changed()
    # then
    assert found == dict.fromkeys(asked, 0)
    assert changed() == dict.fromkeys(asked, 1)


def test_what_can_cost_nothing_waits_for_no_budget(engine: Engine, impatient: Engine) -> None:
    # given
    day, budgets = NOW.date(), Budgets(None)
    with engine.begin() as connection:
        ensure_day(connection, day, None)
    budgets.committed(day)

    def stops(plan: Plan) -> Stops:
        with impatient.begin() as connection:
            return budgets.stops(day, connection, [claimed(plan)])

    # when
    with engine.begin() as holder:
        holder.exec_driver_sql("SELECT FROM budgets FOR UPDATE")
        # then
        assert stops(Decided("haiku")) == {}
        with pytest.raises(OperationalError):
            stops(asks(Purpose.ANSWER))


def hold(connection: Connection) -> None:
    for table in HELD:
        connection.exec_driver_sql(f"SELECT FROM {table} FOR UPDATE")
