"""A paid answer whose separate check cannot be asked just now is kept, and only checked later."""

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.promises import BODY, ME, ask_haiku, checked, chunk_of, claim_one, do, one
from tests.support.receipts import receipt
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.settings import Settings
from worker.config.validators import load_validators
from worker.domain.policy_documents import from_document
from worker.runs.replay import Replay, replay
from worker.sandbox.simulator.state import State
from worker.store.actions import holds
from worker.store.queue.rescue import rescue_from
from worker.store.reading.replay import decided_jobs
from worker.store.runs import RunRef, find_run

REFUSED = {"match": {"purpose": "check", "first": 1}, "do": {"status": 429}}
CALLS = (
    "SELECT array_agg(fence || ' ' || purpose || ' ' || state ORDER BY fence, purpose) FROM calls"
)
ATTEMPTS = """SELECT array_agg(concat_ws(' ', fence, outcome, decision, answer_fence)
ORDER BY fence) FROM attempts WHERE stage = 'answer'"""


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


def replayed(engine: Engine, settings: Settings, run: RunRef) -> Replay:
    with engine.connect() as connection:
        policy = from_document(find_run(connection, run.name).policy)
    return replay(decided_jobs(engine, run.id), policy, load_validators(settings))


def unpause(engine: Engine, tier: str) -> None:
    """The tier is resumed, if it was paused, and its breaker knows nothing."""
    holds.resume_queue(engine, ME, tier)
    do(engine, "UPDATE tiers SET breaker = 'closed', breaker_until = NULL")


@pytest.mark.parametrize(
    ("mood", "paused"),
    [
        ({"status": 429, "headers": {"retry-after": "1"}}, None),
        ({"status": 529}, None),
        ({"status": 503}, None),
        ({"status": 401}, "haiku"),
        ({"status": 402}, "everything"),
    ],
)
def test_a_refused_check_defers_and_the_next_attempt_only_checks(
    engine: Engine,
    settings: Settings,
    simulator: tuple[State, str],
    mood: dict[str, Any],
    paused: str | None,
) -> None:
    # given
    simulator[0].moods.replace([{**REFUSED, "do": mood}])
    run = hand_in(engine, settings, BODY, policy="escalate")
    with working(settings) as runtime:
        # when
        drain(runtime)
        # then: nothing is used up, and nothing is said of the answer
        job = one(engine, "SELECT state, tier, attempts, failures, deferrals FROM jobs")
        assert tuple(job) == (
            "routed", "haiku", 1, 0, 1,
        )  # fmt: skip
        assert one(engine, ATTEMPTS)[0] == ["2 deferred defer"]
        assert one(engine, "SELECT array_agg(name) FROM tiers WHERE paused")[0] == (
            [paused] if paused else None
        )
        # when
        unpause(engine, paused or "haiku")
        make_due(engine)
        drain(runtime)
    # then: one answer was bought, and it was checked
    assert one(engine, CALLS)[0] == ["2 answer done", "2 check failed", "3 check done"]
    assert one(engine, ATTEMPTS)[0] == ["2 deferred defer", "3 accepted accept 2"]
    result = "SELECT j.state, r.tier, r.fence, accepted FROM jobs j JOIN results r ON job_id = id"
    assert one(engine, result) == (
        "answered", "haiku", 3, True,
    )  # fmt: skip
    assert replayed(engine, settings, run).differences == []
    checked(engine, simulator)


def test_a_check_refused_again_and_again_buys_no_second_answer(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given
    simulator[0].moods.replace([{**REFUSED, "match": {"purpose": "check", "first": 3}}])
    run = hand_in(engine, settings, BODY, policy="escalate")
    # when
    with working(settings) as runtime:
        for _ in range(4):
            drain(runtime)
            unpause(engine, "haiku")
            make_due(engine)
    # then
    assert one(engine, ATTEMPTS)[0] == [
        "2 deferred defer",
        "3 deferred defer 2",
        "4 deferred defer 2",
        "5 accepted accept 2",
    ]
    assert one(engine, "SELECT count(*) FROM calls WHERE purpose = 'answer'")[0] == 1
    assert replayed(engine, settings, run).differences == []
    with engine.connect() as connection:
        found = receipt(connection, one(engine, "SELECT id FROM jobs")[0])
    assert found["total_usd"] == found["cost_usd"] > 0
    checked(engine, simulator)


def test_a_kept_answer_that_is_low_climbs_like_any_other(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given
    low = {"match": {"model": "haiku", "purpose": "check"}, "do": {"json": {"confidence": "LOW"}}}
    simulator[0].moods.replace([REFUSED, low])
    run = hand_in(engine, settings, BODY, policy="escalate")
    # when
    with working(settings) as runtime:
        drain(runtime)
        make_due(engine)
        drain(runtime)
    # then
    assert one(engine, ATTEMPTS)[0][:2] == ["2 deferred defer", "3 rejected climb:sonnet 2"]
    assert one(engine, "SELECT from_tier, to_tier, reason FROM escalations LIMIT 1") == (
        "haiku",
        "sonnet",
        "low_confidence",
    )
    assert replayed(engine, settings, run).differences == []
    checked(engine, simulator)


def test_what_was_asked_again_is_remembered_across_a_refused_check(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given: a malformed answer, then a good one whose check is refused
    bad = {"match": {"purpose": "answer", "first": 1}, "do": {"text": "no JSON"}}
    simulator[0].moods.replace([bad, REFUSED])
    run = hand_in(engine, settings, BODY, policy="escalate")
    # when
    with working(settings) as runtime:
        drain(runtime)
        make_due(engine)
        drain(runtime)
    # then
    assert one(engine, ATTEMPTS)[0] == [
        "2 malformed again",
        "3 deferred defer",
        "4 accepted accept 3",
    ]
    assert replayed(engine, settings, run).differences == []
    checked(engine, simulator)


def test_a_crash_while_checking_again_keeps_the_answer_too(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given
    simulator[0].moods.replace([REFUSED])
    run = hand_in(engine, settings, BODY, policy="escalate")
    with working(settings) as runtime:
        drain(runtime)
        make_due(engine)
        queue, ids = chunk_of(runtime)
        # when: the worker dies between claim and check
        assert runtime.claims.take(queue, ids, runtime.planner).granted
        assert rescue_from(engine, [runtime.worker_id]) == 1
        drain(runtime)
    # then
    assert one(engine, ATTEMPTS)[0] == [
        "2 deferred defer",
        "3 lost retry 2",
        "4 accepted accept 2",
    ]
    assert one(engine, "SELECT count(*) FROM calls WHERE purpose = 'answer'")[0] == 1
    assert replayed(engine, settings, run).differences == []
    checked(engine, simulator)


def test_another_model_at_the_tier_answers_for_itself(
    engine: Engine, settings: Settings, database_url: str, simulator: tuple[State, str]
) -> None:
    # given
    simulator[0].moods.replace([REFUSED])
    run = hand_in(engine, settings, BODY, policy="escalate")
    with working(settings) as runtime:
        drain(runtime)
    make_due(engine)
    # when: the tier's model is changed before the check could be asked
    tiers = {name: tier.model_dump() for name, tier in settings.tiers.items()}
    tiers["haiku"]["model"] = "claude-sonnet-5-5"
    with working(settings_for(database_url, simulator[1], tiers=tiers)) as runtime:
        drain(runtime)
    # then
    assert one(engine, CALLS)[0] == [
        "2 answer done", "2 check failed", "3 answer done", "3 check done",
    ]  # fmt: skip
    assert replayed(engine, settings, run).differences == []
    checked(engine, simulator)


def test_a_refusal_that_comes_late_is_taken_off_the_job_as_well(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given: a worker that is thought dead, whose call is refused after its rescue
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": {"status": 429}}])
    hand_in(engine, settings, BODY, policy="single:haiku")
    with working(settings) as runtime:
        queue, ids = chunk_of(runtime)
        runtime.work(queue, ids)
        claimed = claim_one(runtime)
        rescue_from(engine, [runtime.worker_id])
        assert one(engine, "SELECT cost > 0 FROM jobs")[0]
        # when
        runtime.slots.take("haiku", 1, 1)
        ask_haiku(runtime, claimed)
    # then: it stays lost, and costs nothing anywhere
    assert one(engine, ATTEMPTS)[0] == ["2 lost retry"]
    assert one(engine, "SELECT j.cost, a.cost FROM jobs j JOIN attempts a ON a.fence = 2") == (0, 0)
    assert one(engine, "SELECT spent FROM budgets WHERE run_id IS NOT NULL")[0] == 0
    checked(engine, simulator)
