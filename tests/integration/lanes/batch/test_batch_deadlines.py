"""A run with a deadline is answered at half price while there is slack, and in time."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

from models.vocabulary import Lane
from tests.support.nights import night, night_settings, rounds
from tests.support.works import drain, hand_in, make_due
from worker.config.settings import Settings
from worker.lanes.batch.deadline import leave_for_deadlines
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator.state import State
from worker.store.reading.bill import bill_of
from worker.store.reading.receipts import receipt
from worker.store.runs import find_run

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(30)]
Simulator = tuple[State, str]


def rows(engine: Engine, statement: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement)).all())


def due_in(engine: Engine, seconds: float) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE runs SET deadline = now() + make_interval(secs => :s)"), {"s": seconds}
        )


def answered_in_time(runtime: Runtime) -> None:
    make_due(runtime.engine)
    drain(runtime)
    assert rows(runtime.engine, "SELECT state, count(*) FROM jobs GROUP BY 1") == [
        ("answered", len(BODIES))
    ]


def the_bill(settings: Settings, engine: Engine) -> Any:
    with engine.connect() as connection:
        return bill_of(connection, find_run(connection, "run"), settings)


def test_with_slack_a_run_stays_at_half_price(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        # given: minutes, which are enough for the simulator, and hours, which are for Claude
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        due_in(engine, 700)
        assert leave_for_deadlines(engine, settings, simulated=True) == 0
        due_in(engine, 20_000)
        # when
        rounds(runtime, lane)
    # then
    assert rows(engine, "SELECT DISTINCT lane FROM calls") == [("batch",)]
    assert rows(engine, "SELECT count(*) FROM audit_events")[0][0] == 0
    bill = the_bill(settings, engine)
    assert (bill.batch_saved, bill.hurry_cost) == (bill.total, 0)


def test_without_slack_no_batch_is_made_at_all(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        # given: less time than a batch takes
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        due_in(engine, 60)
        # when
        lane.step()
        answered_in_time(runtime)
    # then: asked in the realtime lane, and both the record and the bill say why and for how much
    assert len(simulator[0].batches) == 0
    assert rows(engine, "SELECT DISTINCT lane FROM calls") == [("realtime",)]
    ((action, target, affected, detail),) = rows(
        engine, "SELECT action, target, affected, detail FROM audit_events"
    )
    assert (action, target, affected) == ("move to the realtime lane", "run run", len(BODIES))
    assert detail["reason"].startswith("1 minutes to the deadline")
    bill = the_bill(settings, engine)
    assert bill.batch_saved == 0
    assert bill.hurry_cost == bill.total / 2 > 0


def test_what_is_at_claude_is_cancelled_there_and_what_it_cost_is_kept(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: two slices at Claude that take for ever, one of which has ended unseen, and ready jobs
    simulator[0].latency_scale = 1_000
    settings = night_settings(database_url, simulator[1], batch={"slice": 10})
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        due_in(engine, 20_000)
        lane.step()
        first, *_ = simulator[0].batches.values()
        first.ready_at = 0

        # when: the deadline comes near, and Claude needs a while to cancel
        simulator[0].latency_scale = 0
        due_in(engine, 60)
        for _ in range(6):
            with engine.begin() as connection:
                connection.execute(text("UPDATE message_batches SET next_poll_at = now()"))
            lane.step()
        answered_in_time(runtime)

    # then: each job was answered once, ten of them at half price, and the rest was hurried
    assert rows(engine, "SELECT lane, state, count(*) FROM calls GROUP BY 1, 2 ORDER BY 1, 2") == [
        ("batch", "done", 10),
        ("realtime", "done", 20),
    ]
    bill = the_bill(settings, engine)
    halved = sum((x.cost for x in bill.lines if x.lane is Lane.BATCH), Decimal(0))
    assert bill.batch_saved == halved > 0
    assert bill.hurry_cost == (bill.total - halved) / 2
    # then: so says each receipt, and they add up to the bill
    with engine.connect() as connection:
        ids = connection.execute(text("SELECT id FROM jobs")).scalars().all()
        receipts = [receipt(connection, job_id).lanes for job_id in ids]
    assert sum(saved for saved, _ in receipts) == bill.batch_saved
    assert sum(hurried for _, hurried in receipts) == bill.hurry_cost


def test_a_run_with_a_deadline_never_shares_a_slice(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: two runs in the batch lane, one of which may have to leave it
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (_, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH, name="late")
        due_in(engine, 20_000)
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH, name="calm")
        # when
        lane.step()
    # then: cancelling the one's batch touches nobody else
    assert rows(
        engine,
        "SELECT batch_id, count(DISTINCT run_id), count(*) FROM attempts"
        " JOIN jobs ON jobs.id = job_id WHERE batch_id IS NOT NULL GROUP BY 1 ORDER BY 1",
    ) == [(1, 1, 30), (2, 1, 30)]
