"""Results of a batch line by line: whose they are, which count, and who reads them."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from models.vocabulary import Lane, Purpose
from tests.support.checker import Checker
from tests.support.nights import night, night_settings, rounds, step
from tests.support.promises import do, many, one
from tests.support.works import hand_in
from worker.lanes.batch import reader
from worker.lanes.batch.lane import BatchLane
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator import batching
from worker.sandbox.simulator.state import State
from worker.store.queue import message_batches

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(4)]
Simulator = tuple[State, str]
BATCH = "SELECT state, counts ->> 'unknown', counts ->> 'malformed' FROM message_batches"
THIRTY_DAYS = "UPDATE message_batches SET submitted_at = now() - interval '30 days'"


def a_night(database_url: str, simulator: Simulator, **batch: Any) -> Any:
    return night_settings(database_url, simulator[1], batch={"adopt_after_s": 600, **batch})


def bend(simulator: Simulator, how: str) -> None:
    simulator[0].moods.replace([{"match": {"purpose": "results"}, "do": {"results": how}}])


def send(runtime: Runtime, lane: BatchLane) -> None:
    hand_in(runtime.engine, runtime.settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
    step(runtime, lane)


def test_a_batch_that_is_not_ours_is_left_alone_and_its_intent_stands_again(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    with night(a_night(database_url, simulator)) as (runtime, lane):
        send(runtime, lane)
        # given: what was adopted is somebody else's, of the same size
        (theirs,) = simulator[0].batches.values()
        theirs.requests = [
            {**asked, "custom_id": f"99999{n}-1-answer"} for n, asked in enumerate(theirs.requests)
        ]
        # when
        step(runtime, lane)
        # then
        found = one(engine, "SELECT state, external_id, counts -> 'foreign' FROM message_batches")
        assert tuple(found) == ("intended", None, [theirs.id])
        assert many(engine, "SELECT DISTINCT state FROM jobs") == [("submitted",)]


def test_a_line_that_nobody_asked_for_is_unknown_though_it_comes_alone(
    engine: Engine, database_url: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: lines are taken one by one, and the second is of no attempt
    monkeypatch.setattr(reader, "GROUP", 1)
    bend(simulator, "unknown")
    with night(a_night(database_url, simulator)) as (runtime, lane):
        send(runtime, lane)
        step(runtime, lane)
    assert many(engine, BATCH) == [("recorded", "1", None)]
    Checker().require(engine)


def test_a_line_of_another_purpose_is_unknown_though_its_attempt_is_ours(
    engine: Engine, database_url: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def renamed(lines: list[dict[str, Any]], _: str) -> list[dict[str, Any]]:
        return [{**line, "custom_id": line["custom_id"] + "-more"} for line in lines]

    monkeypatch.setattr(batching, "bent", renamed)
    with night(a_night(database_url, simulator)) as (runtime, lane):
        send(runtime, lane)
        step(runtime, lane)
    assert many(engine, "SELECT DISTINCT state FROM jobs") == [("submitted",)]


def test_batches_that_were_adopted_crosswise_change_places(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    with night(a_night(database_url, simulator, slice=2)) as (runtime, lane):
        send(runtime, lane)
        mine, other = simulator[0].batches.values()
        mine.requests, other.requests = other.requests, mine.requests
        before = many(engine, "SELECT external_id FROM message_batches ORDER BY id")
        # when
        step(runtime, lane)
        # then
        after = many(engine, "SELECT external_id FROM message_batches ORDER BY id")
        assert after == before[::-1]
        rounds(runtime, lane)
    assert many(engine, "SELECT DISTINCT state FROM jobs") == [("answered",)]
    Checker().require(engine)


def test_results_that_were_recorded_before_are_not_short(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    with night(a_night(database_url, simulator)) as (runtime, lane):
        send(runtime, lane)
        step(runtime, lane)
        # given: whoever read them died before the batch was closed
        do(engine, "UPDATE message_batches SET state = 'ended', recorded_at = NULL")
        step(runtime, lane)
    assert many(engine, BATCH) == [("recorded", None, None)]
    Checker().require(engine)


def test_a_line_that_cannot_be_understood_is_one_that_claude_counted(
    engine: Engine, database_url: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: of one item there is half a line
    monkeypatch.setattr(batching, "bent", lambda lines, _: [None, *lines[1:]])
    with night(a_night(database_url, simulator)) as (runtime, lane):
        send(runtime, lane)
        step(runtime, lane)
    # then: another copy would bring no more
    assert many(engine, BATCH)[0] == ("recorded", None, "1")
    Checker().require(engine, rest=False)


@pytest.mark.parametrize("look", ["answers", "fails"])
def test_results_that_claude_still_keeps_are_fetched_again_however_old_they_are(
    look: str,
    engine: Engine,
    database_url: str,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bend(simulator, "404")
    with night(a_night(database_url, simulator)) as (runtime, lane):
        send(runtime, lane)
        step(runtime, lane)
        do(engine, THIRTY_DAYS)
        if look == "fails":

            def failing(*_: Any) -> None:
                raise RuntimeError("the simulator cannot look")

            monkeypatch.setattr(batching.Batching, "_advance", failing)
        # when
        step(runtime, lane)
        # then
        assert one(engine, "SELECT state FROM message_batches")[0] == "ended"
        assert many(engine, "SELECT DISTINCT state FROM jobs") == [("submitted",)]


def test_one_process_at_a_time_tends_the_batches(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    with night(a_night(database_url, simulator)) as (runtime, lane):
        with message_batches.leading(engine) as mine:
            assert mine
            send(runtime, lane)
        assert not simulator[0].batches
        step(runtime, lane)
        assert len(simulator[0].batches) == 1


def test_a_statement_that_was_stopped_stops_no_other_part(
    engine: Engine, database_url: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def takes_too_long() -> None:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = '10ms'"))
            connection.execute(text("SELECT pg_sleep(30)"))

    with night(a_night(database_url, simulator)) as (runtime, lane):
        monkeypatch.setattr(lane, "_adopt", takes_too_long)
        send(runtime, lane)
        assert len(simulator[0].batches) == 1


def test_what_was_meant_under_a_prompt_that_changed_is_not_sent(
    engine: Engine, database_url: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: an intent that Claude did not take
    simulator[0].moods.replace([{"match": {"purpose": "create"}, "do": {"status": 429}}])
    with night(a_night(database_url, simulator)) as (runtime, lane):
        send(runtime, lane)
        simulator[0].moods.replace([])
        # when: it is sent by a worker with other words
        prompts: Any = runtime.planner.prompts
        changed = {Purpose.ANSWER: replace(prompts[Purpose.ANSWER], version="other words")}
        object.__setattr__(lane._sender.planner, "prompts", prompts | changed)
        step(runtime, lane)
    error = "SELECT state, error FROM message_batches ORDER BY id LIMIT 1"
    assert tuple(one(engine, error)) == ("failed", "nothing was left to be asked")
