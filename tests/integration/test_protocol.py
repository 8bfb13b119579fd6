"""The promises of the protocol, one by one, on real Postgres."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.domain.policy import Policy
from worker.policies import policy_named
from worker.runtime import Runtime
from worker.sandbox.simulator.state import State
from worker.settings import Settings
from worker.store import ops
from worker.store.dispatch import dispatch
from worker.store.expire import expire
from worker.store.ops import Actor
from worker.store.rescue import rescue, rescue_from

BODY = ["Where is my card? It was due on Monday."]
ME = Actor("a test")


def one(engine: Engine, statement: str, **values: Any) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(statement), values).one()


def do(engine: Engine, statement: str, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), values)


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


def requests(simulator: tuple[State, str]) -> int:
    return simulator[0].counts.by_path["/v1/messages"]


def checked(engine: Engine, simulator: tuple[State, str]) -> None:
    """What must hold after every scenario."""
    found = one(
        engine,
        """
        SELECT (SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL) AS leases,
          (SELECT count(*) FROM attempts WHERE outcome = 'started') AS open_attempts,
          (SELECT count(*) FROM calls WHERE state = 'sent') AS open_calls,
          (SELECT coalesce(sum(reserved), 0) FROM budgets) AS reserved,
          (SELECT count(*) FROM budgets WHERE spent + reserved > cap) AS overspent,
          (SELECT coalesce(sum(overrun), 0) FROM budgets) AS overrun,
          (SELECT coalesce(sum(spent), 0) FROM budgets WHERE run_id IS NOT NULL)
            - (SELECT coalesce(sum(cost), 0) FROM calls) AS unaccounted,
          (SELECT coalesce(sum(cost), 0) FROM jobs)
            - (SELECT coalesce(sum(cost), 0) FROM calls) AS job_difference,
          (SELECT coalesce(sum(cost), 0) FROM run_spend)
            - (SELECT coalesce(sum(cost), 0) FROM calls) AS tally_difference,
          (SELECT coalesce(sum(calls), 0) FROM run_spend) - (SELECT count(*) FROM calls)
            AS count_difference,
          (SELECT count(*) FROM (
            SELECT run_id, state, coalesce(tier, ''), count(*) FROM jobs GROUP BY 1, 2, 3
            EXCEPT SELECT run_id, state, tier, jobs FROM run_counts) AS d) AS miscounted
        """,
    )
    assert dict(found._mapping) == dict.fromkeys(found._fields, 0)
    lost = one(engine, "SELECT count(*) FROM calls WHERE state = 'lost'")[0]
    ledger = one(engine, "SELECT count(*) FROM calls")[0]
    assert ledger - lost <= requests(simulator) <= ledger


def chunk_of(runtime: Runtime) -> tuple[str, tuple[int, ...]]:
    (found,) = dispatch(runtime.engine, chunk=25, redispatch_s=60)
    return found.queue, found.ids


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
        do(engine, "UPDATE jobs SET dispatched_at = now() - interval '61 seconds'")
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "answered"
    checked(engine, simulator)


def crashed_claim(runtime: Runtime) -> tuple[str, tuple[int, ...]]:
    """Claims a chunk and 'dies' before anything is sent."""
    queue, ids = chunk_of(runtime)
    assert len(runtime._claims.claim(queue, ids, runtime.planner)) == len(ids)
    return queue, ids


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
    with working(settings) as runtime:
        queue, ids = chunk_of(runtime)
        runtime.work(queue, ids)
        queue, ids = chunk_of(runtime)
        (claimed,) = runtime._claims.claim(queue, ids, runtime.planner)
        rescue_from(engine, [runtime.worker_id])
        runtime._send([claimed], "haiku", 1e12).result(20)
        assert runtime.slots.take("haiku", 1, 0) == 1
    answered = one(engine, "SELECT state, fence, failures FROM jobs")
    assert tuple(answered) == ("answered", 2, 1)
    assert one(engine, "SELECT outcome FROM attempts WHERE fence = 2")[0] == "accepted"
    assert one(engine, "SELECT state FROM calls")[0] == "done"
    checked(engine, simulator)


def test_nothing_is_sent_by_a_worker_that_was_frozen_since_its_claim(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        queue, ids = chunk_of(runtime)
        (claimed,) = runtime._claims.claim(queue, ids, runtime.planner)
        runtime.slots.take("haiku", 1, 1)
        runtime._send([claimed], "haiku", -1e9).result(20)
        assert requests(simulator) == 0
        assert one(engine, "SELECT count(*) FROM calls")[0] == 0
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "answered"
    checked(engine, simulator)


def test_a_budget_is_never_exceeded_and_the_run_says_that_it_waits(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    run = hand_in(
        engine, settings, BODY * 1 + [f"And {n}?" for n in range(30)], cap=Decimal("0.01")
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
        ops.resume_run(engine, ME, run.id, run.name, Decimal(5))
        for _ in range(3):
            drain(runtime)
            make_due(engine)
    assert one(engine, "SELECT state, waiting_for FROM runs") == ("finished", None)
    checked(engine, simulator)


@pytest.mark.parametrize(
    ("mood", "state", "paused"),
    [
        ({"status": 401}, "routed", "haiku"),
        ({"status": 402}, "routed", "everything"),
        ({"status": 429, "code": "enforced_spend_limit_reached"}, "routed", "everything"),
        ({"status": 400, "message": "invalid schema"}, "dead", None),
        ({"status": 529}, "routed", None),
        ({"status": 429, "headers": {"retry-after": "garbage"}}, "routed", None),
    ],
)
def test_trouble_is_met_by_its_meaning(
    engine: Engine,
    settings: Settings,
    simulator: tuple[State, str],
    mood: dict[str, Any],
    state: str,
    paused: str | None,
) -> None:
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": mood}])
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        drain(runtime)
    job = one(engine, "SELECT state, failures, attempts FROM jobs")
    assert tuple(job) == (state, 1 if state == "dead" else 0, 2 if state == "dead" else 1)
    names = one(engine, "SELECT array_agg(name) FROM tiers WHERE paused")[0]
    assert names == ([paused] if paused else None)
    checked(engine, simulator)


@pytest.mark.parametrize(
    "mood", [{"status": 500}, {"reset": True}, {"cut": True}, {"garbage": True}]
)
def test_unknown_outcomes_are_charged_at_worst_case_and_end_after_three(
    engine: Engine, settings: Settings, simulator: tuple[State, str], mood: dict[str, Any]
) -> None:
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": mood}])
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        for _ in range(5):
            drain(runtime)
            make_due(engine)
    assert tuple(one(engine, "SELECT state, failures FROM jobs")) == ("dead", 3)
    charged = one(
        engine, "SELECT count(*), bool_and(cost = worst_cost) FROM calls WHERE state = 'failed'"
    )
    assert tuple(charged) == (3, True)
    checked(engine, simulator)


def test_cancel_ends_open_jobs_and_pays_for_what_was_in_flight(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    run = hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        queue, ids = chunk_of(runtime)
        (claimed,) = runtime._claims.claim(queue, ids, runtime.planner)
        assert ops.cancel_run(engine, ME, run.id, run.name) == 1
        runtime.slots.take("haiku", 1, 1)
        runtime._send([claimed], "haiku", 1e12).result(20)
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "cancelled"
    assert one(engine, "SELECT outcome FROM attempts")[0] == "superseded"
    assert one(engine, "SELECT state, cost > 0 FROM calls") == ("done", True)
    assert one(engine, "SELECT action, affected FROM audit_events") == ("cancel", 1)
    checked(engine, simulator)


def test_a_paused_run_is_left_alone_and_goes_on(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    run = hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        ops.pause_run(engine, ME, run.id, run.name, "lunch")
        assert drain(runtime) == 0
        ops.resume_run(engine, ME, run.id, run.name, None)
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "answered"
    checked(engine, simulator)


def test_a_paused_tier_is_left_alone_and_goes_on(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        ops.pause_tier(engine, ME, "haiku", "too dear")
        drain(runtime)
        assert one(engine, "SELECT state FROM jobs")[0] == "routed"
        assert ops.resume_tier(engine, ME, "haiku")
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "answered"
    checked(engine, simulator)


def test_dead_letters_are_retried_where_they_stood(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    simulator[0].moods.replace(
        [{"match": {"purpose": "answer", "first": 1}, "do": {"status": 422}}]
    )
    run = hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        drain(runtime)
        assert one(engine, "SELECT state FROM jobs")[0] == "dead"
        assert ops.retry_run(engine, ME, run.id, run.name) == 1
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "answered"
    assert one(engine, "SELECT state FROM runs")[0] == "finished"
    checked(engine, simulator)


def test_a_run_past_its_deadline_ends(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    do(engine, "UPDATE runs SET deadline = now() - interval '1 minute'")
    assert expire(engine, settings.worker.max_age) == 1
    assert one(engine, "SELECT state, reason FROM jobs") == (
        "dead",
        "the deadline of its run passed",
    )
    checked(engine, simulator)


def test_a_reply_that_postgres_cannot_hold_is_mended(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    planted = {
        "reply": "A reply with \x00 in it, and long enough to pass.",
        "grounds": "",
        "confidence": 1,
    }
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": {"json": planted}}])
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        drain(runtime)
    assert "\ufffd" in one(engine, "SELECT reply FROM results")[0]
    checked(engine, simulator)


def test_an_unpriced_model_is_recorded_as_such(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    tiers = {"only": {"model": "claude-fable-5-2"}}
    settings = settings_for(database_url, simulator[1], tiers=tiers)
    with working(settings) as runtime:
        runtime.planner.prices["claude-fable-5-2"] = None  # type: ignore[index]
        hand_in(engine, settings, BODY)
        drain(runtime)
    rows = one(engine, "SELECT count(*), bool_and(unpriced), count(cost) FROM calls")
    assert tuple(rows) == (2, True, 0)
    assert one(engine, "SELECT state, cost FROM jobs") == ("answered", 0)


def test_policies_of_runs_are_frozen(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    frozen: Policy = policy_named(settings, "single:opus")
    hand_in(engine, settings, BODY, policy=frozen)
    with working(settings) as runtime:
        drain(runtime)
    assert one(engine, "SELECT tier, model FROM results") == ("opus", "claude-opus-5-5")
    checked(engine, simulator)
