"""Trouble met by its meaning, and what people do to a run in its course, on real Postgres."""

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.promises import BODY, ME, ask_haiku, checked, claim_one, do, one
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.policy import Policy
from worker.sandbox.simulator.state import State
from worker.store.actions import changes, holds
from worker.store.actions.selection import whole
from worker.store.queue.expire import expire


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


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
        claimed = claim_one(runtime)
        assert changes.apply(engine, ME, changes.CANCEL, whole(run)).affected == 1
        runtime.slots.take("haiku", 1, 1)
        ask_haiku(runtime, claimed)
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
        holds.pause_run(engine, ME, whole(run), "lunch")
        assert drain(runtime) == 0
        holds.resume_run(engine, ME, whole(run), None)
        drain(runtime)
    assert one(engine, "SELECT state FROM jobs")[0] == "answered"
    checked(engine, simulator)


def test_a_paused_tier_is_left_alone_and_goes_on(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        holds.pause_queue(engine, ME, "haiku", "too dear")
        drain(runtime)
        assert one(engine, "SELECT state FROM jobs")[0] == "routed"
        assert holds.resume_queue(engine, ME, "haiku")
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
        assert changes.apply(engine, ME, changes.RETRY, whole(run)).affected == 1
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
