"""Doors without batches: the runs that want them wait for a person, and nobody else."""

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane
from tests.support.checker import Checker
from tests.support.cli import say
from tests.support.nights import night, night_settings, step
from tests.support.promises import do, many
from tests.support.works import drain, hand_in
from worker.config.sections import ClaudeSettings
from worker.sandbox.simulator.state import State
from worker.store.queue.leaving_batch import pause_lane

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(12)]
Simulator = tuple[State, str]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_batches_keeps_that_run_waiting_and_no_other(
    status: int, engine: Engine, database_url: str, simulator: Simulator, configured: None
) -> None:
    # given: a gateway that knows the Messages API alone
    simulator[0].moods.replace([{"match": {"purpose": "create"}, "do": {"status": status}}])
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH, name="night")
        hand_in(engine, settings, BODIES[:2], policy="single:haiku", name="day")
        # when
        step(runtime, lane, 3)
        drain(runtime)
        # then: that run says what to do, no tier is paused, and the other run is done
        why = "SELECT name, state, state_reason FROM runs ORDER BY name"
        assert many(engine, why) == [
            ("day", "finished", None),
            ("night", "paused", "Claude's door has no batches"),
        ]
        assert many(engine, "SELECT count(*) FROM tiers WHERE paused") == [(0,)]
        ((words,),) = many(engine, "SELECT words FROM notices WHERE kind = 'paused'")
        assert words.endswith("rung resume night --lane realtime")
        assert many(engine, "SELECT count(*) FROM message_batches") == [(1,)]
        # when: a person takes the price
        assert say("resume", "night", "--lane", "realtime").code == 0
        drain(runtime)
    assert many(engine, "SELECT lane, state, failures, count(*) FROM jobs GROUP BY 1, 2, 3") == [
        ("realtime", "answered", 0, len(BODIES) + 2)
    ]
    assert many(engine, "SELECT DISTINCT lane FROM runs") == [("realtime",)]
    Checker().require(engine)


def test_an_intent_of_a_process_that_died_is_given_back_where_there_are_no_batches(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: a slice whose create was never answered, and a door that is another one by now
    simulator[0].moods.replace([{"match": {"purpose": "create"}, "do": {"reset": True}}])
    settings = night_settings(database_url, simulator[1], batch={"adopt_after_s": 600})
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        assert many(engine, "SELECT state FROM message_batches") == [("intended",)]
    cloud = settings.model_copy(
        update={"claude": ClaudeSettings(via="bedrock", region="eu-central-1")}
    )
    with night(cloud) as (runtime, lane):
        # when
        step(runtime, lane, 2)
    # then
    assert many(engine, "SELECT state FROM message_batches") == [("failed",)]
    assert many(engine, "SELECT state, count(*) FROM jobs GROUP BY 1") == [("routed", 12)]
    assert many(engine, "SELECT state FROM runs") == [("paused",)]
    assert many(engine, "SELECT DISTINCT spent, reserved FROM budgets") == [(0, 0)]


def test_only_what_is_under_way_is_paused(engine: Engine, database_url: str) -> None:
    # given a run that a person has cancelled meanwhile, and one that is under way
    settings = night_settings(database_url, "http://127.0.0.1:1")
    first, second = (
        hand_in(engine, settings, BODIES[:1], lane=Lane.BATCH, name=name) for name in "ab"
    )
    do(engine, "UPDATE runs SET state = 'cancelled' WHERE name = 'a'")
    # when
    pause_lane(engine, {first.id, second.id})
    # then
    assert many(engine, "SELECT name, state FROM runs ORDER BY name") == [
        ("a", "cancelled"),
        ("b", "paused"),
    ]
    assert many(engine, "SELECT target FROM notices") == [("run b",)]
    # and told again when it is met again
    do(engine, "UPDATE runs SET state = 'active' WHERE name = 'b'")
    pause_lane(engine, {second.id})
    assert many(engine, "SELECT count(*) FROM notices") == [(2,)]
