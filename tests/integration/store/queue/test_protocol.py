"""The promises of the protocol, one by one, on real Postgres."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from tests.support.checker import Checker
from tests.support.promises import (
    BODY,
    LONG_AGO,
    ME,
    ask_haiku,
    checked,
    chunk_of,
    claim_one,
    crashed_claim,
    do,
    many,
    one,
    requests,
)
from tests.support.waiting import eventually
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.settings import Settings
from worker.domain.attempt import Attempt
from worker.lanes.upkeep.housekeeping import Housekeeping
from worker.sandbox.simulator.state import State
from worker.store.actions import holds
from worker.store.actions.selection import whole
from worker.store.queue.dispatch import Chunk, dispatch
from worker.store.queue.record import record, record_in
from worker.store.queue.rescue import EXPIRED, reports_of, rescue, rescue_from

WAITING_FOR_A_LOCK = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


def test_a_delivery_twice_late_or_to_the_wrong_queue_asks_nothing_again(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        queue, ids = chunk_of(runtime)
        runtime.work("haiku", ids)
        assert requests(simulator) == 0
        runtime.work(queue, ids)
        runtime.work(queue, ids)
        assert requests(simulator) == 1
        drain(runtime)
        runtime.work("haiku", ids)
        assert requests(simulator) == 2
    checked(engine, simulator)


def test_what_nobody_claimed_is_dispatched_again(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        chunk_of(runtime)
        assert dispatch(engine, chunk=25, redispatch_s=60) == []
        do(engine, "UPDATE dispatches SET dispatched_at = now() - interval '61 seconds'")
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "answered"
    checked(engine, simulator)


def test_an_expired_lease_is_rescued_at_worst_case_and_the_job_goes_on(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        crashed_claim(runtime)
        assert rescue(engine, 180) == 0
        do(engine, "UPDATE jobs SET lease_until = now() - interval '1 second'")
        assert rescue(engine, 180) == 1
        lost = one(engine, "SELECT state, cost = worst_cost, cost > 0 FROM calls")
        assert tuple(lost) == ("lost", True, True)
        drain(runtime)
    assert tuple(one(engine, "SELECT state, failures FROM jobs")) == ("answered", 1)
    checked(engine, simulator)


def test_three_losses_make_a_dead_letter_alone(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        for _ in range(3):
            crashed_claim(runtime)
            assert rescue_from(engine, [runtime.worker_id]) == 1
        drain(runtime)
    state, reason = one(engine, "SELECT state, reason FROM jobs")
    assert (state, reason) == (
        "dead",
        "lost or failed 3 times, the last time because its worker died",
    )
    assert requests(simulator) == 0
    checked(engine, simulator)


def test_the_first_paid_answer_wins_even_from_a_worker_that_lost_its_lease(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY, policy="single:haiku")
    with working(settings) as runtime, working(settings) as other:
        queue, ids = chunk_of(runtime)
        runtime.work(queue, ids)
        first = claim_one(runtime)
        rescue_from(engine, [runtime.worker_id])
        make_due(engine)
        # when another has claimed the job, and the first comes back with an answer
        (second,) = other.claims.take("haiku", [first.candidate.job_id], other.planner).granted
        ask_haiku(runtime, first)
        # then that is the result, and the lease of the other is over
        answered = one(engine, "SELECT state, fence, failures, lease_until FROM jobs")
        assert tuple(answered) == ("answered", 3, 1, None)
        ask_haiku(other, second)
        assert runtime.slots.take("haiku", 1, 0) == 1
    outcomes = "SELECT outcome FROM attempts WHERE stage = 'answer' ORDER BY fence"
    assert many(engine, outcomes) == [("accepted",), ("superseded",)]
    assert one(engine, "SELECT fence FROM results")[0] == 2
    checked(engine, simulator)


def test_nothing_is_sent_by_a_worker_that_was_frozen_since_its_claim(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        claimed = claim_one(runtime)
        runtime.slots.take("haiku", 1, 1)
        ask_haiku(runtime, claimed, LONG_AGO)
        assert requests(simulator) == 0
        assert one(engine, "SELECT count(*) FROM calls")[0] == 0
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "answered"
    checked(engine, simulator)


def test_a_rescued_call_that_never_left_is_taken_back_to_the_cent(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        claimed = claim_one(runtime)
        rescue_from(engine, [runtime.worker_id])
        runtime.slots.take("haiku", 1, 1)
        ask_haiku(runtime, claimed, LONG_AGO)
        checked(engine, simulator)
        Checker().require(engine, rest=False)
        assert one(engine, "SELECT count(*) FROM calls")[0] == 0
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "answered"
    checked(engine, simulator)


@pytest.mark.parametrize("second", ["rescue", "the worker, which never sent it"])
def test_two_that_record_one_attempt_at_the_same_moment_settle_it_once(
    engine: Engine, settings: Settings, simulator: tuple[State, str], second: str
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        claimed = claim_one(runtime)
        do(engine, "UPDATE jobs SET lease_until = now() - interval '1 second'")
        with engine.connect() as connection, connection.begin():
            rows = connection.execute(EXPIRED, {"limit": 9, "lease": 180}).all()
            (lost,) = reports = reports_of(connection, rows)
        never = Attempt(claimed, runtime.standards).held_back("the worker was held up")
        late = lost if second == "rescue" else never
        with ThreadPoolExecutor(1) as pool, engine.connect() as first:
            with first.begin():
                record_in(first, reports)
                other = pool.submit(record, engine, [late])
                eventually(lambda: one(engine, WAITING_FOR_A_LOCK)[0])
            other.result(20)
    outcome, calls = one(engine, "SELECT outcome, (SELECT count(*) FROM calls) FROM attempts")
    assert (outcome, calls) == ("lost", 1 if second == "rescue" else 0)
    checked(engine, simulator)


def test_a_step_of_housekeeping_that_fails_keeps_no_other_from_its_work(
    engine: Engine,
    settings: Settings,
    simulator: tuple[State, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hand_in(engine, settings, BODY)
    monkeypatch.setattr("worker.lanes.upkeep.housekeeping.finish_runs", lambda *_: 1 / 0)
    published = list[Chunk]()
    with working(settings) as runtime:
        housekeeping = Housekeeping(runtime, ["routing", "haiku"], published.append)
        housekeeping.start()
        eventually(lambda: published)
        housekeeping.stop()
    assert len(published[0].ids) == 1
    assert "housekeeping failed" in caplog.text


def test_a_long_round_of_housekeeping_dispatches_between_its_steps(
    engine: Engine,
    database_url: str,
    simulator: tuple[State, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Any step is long beside so short a pause; over a slow line they are long beside ten seconds.
    settings = settings_for(database_url, simulator[1], timing={"housekeeping_s": 0.0001})
    hand_in(engine, settings, BODY)
    seen = list[str]()
    module = "worker.lanes.upkeep.housekeeping"
    monkeypatch.setattr(f"{module}.half_open", lambda *_: seen.append("a later step"))
    with working(settings) as runtime:
        queues = ["routing", "haiku"]
        housekeeping = Housekeeping(runtime, queues, lambda _: seen.append("dispatch"))
        housekeeping.start()
        eventually(lambda: {*seen} >= {"dispatch", "a later step"})
        housekeeping.stop()
    assert seen[0] == "dispatch"


def test_a_claim_that_failed_before_its_commit_is_made_again(
    engine: Engine,
    settings: Settings,
    simulator: tuple[State, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        queue, ids = chunk_of(runtime)
        with monkeypatch.context() as patch:
            patch.setattr(runtime.claims, "_write", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                runtime.claims.take(queue, ids, runtime.planner)
        assert one(engine, "SELECT count(*) FROM budgets WHERE day IS NOT NULL")[0] == 0
        runtime.work(queue, ids)
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "answered"
    checked(engine, simulator)


def test_a_budget_is_never_exceeded_and_the_run_says_that_it_waits(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    run = hand_in(
        engine, settings, BODY * 1 + [f"And {n}?" for n in range(30)], cap=Decimal("0.004")
    )
    with working(settings) as runtime:
        drain(runtime)
        waiting, spent, cap = one(
            engine,
            "SELECT r.waiting_for, b.spent, b.cap FROM runs r JOIN budgets b ON b.run_id = r.id",
        )
        assert waiting == "run budget"
        assert spent <= cap
        assert one(engine, "SELECT count(*) FROM jobs WHERE finished_at IS NULL")[0] > 0
        holds.resume_run(engine, ME, whole(run), Decimal(5))
        for _ in range(3):
            drain(runtime)
            make_due(engine)
    assert one(engine, "SELECT state, waiting_for FROM runs") == ("finished", None)
    checked(engine, simulator)
