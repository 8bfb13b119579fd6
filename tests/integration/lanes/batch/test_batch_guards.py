"""What the batch lane holds on to: money that is out, results that are short, time that passes."""

from typing import Any

import pytest
from sqlalchemy import Engine

from models.vocabulary import ROUTING, Lane
from tests.support.checker import Checker
from tests.support.nights import night, night_settings, rounds, step
from tests.support.promises import ME, do, many, one
from tests.support.works import hand_in
from worker.sandbox.simulator.state import State
from worker.store.actions import holds
from worker.store.queue.rescue import rescue, rescue_from

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(12)]
Simulator = tuple[State, str]
OLDER = "UPDATE message_batches SET submitted_at = now() - interval '1 hour'"


def moods(simulator: Simulator, *documents: dict[str, Any]) -> None:
    simulator[0].moods.replace(documents)


def a_night(database_url: str, simulator: Simulator, **batch: Any) -> Any:
    return night_settings(database_url, simulator[1], batch={"adopt_after_s": 600, **batch})


@pytest.mark.parametrize(
    "account",
    [
        {"status": 400, "message": "Your credit balance is too low to access the API."},
        {"status": 400, "message": "You have reached your specified spend limit."},
        {"status": 429, "message": "no more", "code": "enforced_spend_limit_reached"},
        {"status": 402, "message": "billing"},
    ],
)
def test_items_that_met_an_empty_account_are_given_back_and_everything_waits(
    account: dict[str, Any], engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: the account runs dry while a batch is at work
    moods(simulator, {"match": {"purpose": "answer"}, "do": {"batch": "errored", **account}})
    settings = a_night(database_url, simulator)
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane, 4)
        # then: nothing was paid and no attempt used up; it waits, and says why
        assert many(engine, "SELECT DISTINCT state, failures, cost FROM jobs") == [("routed", 0, 0)]
        name, reason = one(engine, "SELECT name, paused_reason FROM tiers WHERE paused")
        assert (name, bool(reason)) == ("everything", True)
        assert len(simulator[0].batches) == 1
        # when: somebody has paid
        moods(simulator)
        holds.resume_queue(engine, ME, "everything")
        rounds(runtime, lane)
    assert many(engine, "SELECT DISTINCT state, failures FROM jobs") == [("answered", 0)]
    Checker().require(engine)


def test_short_results_are_fetched_again_before_anything_is_asked_again(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    moods(simulator, {"match": {"purpose": "results", "first": 2}, "do": {"results": "missing"}})
    settings = a_night(database_url, simulator)
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane, 2)
        state, error = one(engine, "SELECT state, error FROM message_batches")
        assert (state, error[:13]) == ("ended", "short results")
        assert one(engine, "SELECT count(*) FROM jobs WHERE finished_at IS NULL")[0] == 1
        rounds(runtime, lane)
    # then: each was asked once, and paid once
    assert set(simulator[0].counts.batch_items.values()) == {1}
    outcomes = "SELECT DISTINCT outcome FROM attempts WHERE batch_id IS NOT NULL"
    assert many(engine, outcomes) == [("accepted",)]
    assert one(engine, "SELECT counts -> 'missing' FROM message_batches")[0] is None
    Checker().require(engine)


def test_results_that_stay_short_are_taken_as_they_are(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    moods(simulator, {"match": {"purpose": "results", "first": 4}, "do": {"results": "missing"}})
    settings = a_night(database_url, simulator)
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        rounds(runtime, lane)
    first, *_ = many(engine, "SELECT counts ->> 'missing' FROM message_batches ORDER BY id")
    assert first[0] == "1"
    assert one(engine, "SELECT count(*) FROM calls WHERE cost = worst_cost")[0] == 1
    assert sum(simulator[0].counts.batch_items.values()) == len(BODIES) + 1
    Checker().require(engine)


def test_a_create_that_is_refused_goes_again_when_claude_said_and_not_when_orphans_are_given_up(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    refusal = {"status": 429, "headers": {"retry-after": "7"}}
    moods(
        simulator,
        {"match": {"purpose": "create", "first": 1}, "do": refusal},
        # The second create is taken, and its reply lost.
        {"match": {"purpose": "create", "first": 1}, "do": {"create": "drop"}},
    )
    settings = a_night(database_url, simulator)
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        lane.step()
        wait = "extract(epoch FROM next_poll_at - now())::float8"
        assert 5 < one(engine, f"SELECT {wait} FROM message_batches")[0] <= 7
        lane.step()
        assert not simulator[0].batches
        # when: the seven seconds are over; ten minutes are not
        do(engine, "UPDATE message_batches SET created_at = now() - interval '11 minutes'")
        step(runtime, lane)
        assert len(simulator[0].batches) == 1
        # then: of this one nothing is known, so it is not sent a third time, but found
        rounds(runtime, lane)
    assert set(simulator[0].counts.batch_items.values()) == {1}
    assert many(engine, "SELECT DISTINCT state, failures FROM jobs") == [("answered", 0)]
    Checker().require(engine)


def test_an_absurd_wait_is_cut_short(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    refusal = {"status": 429, "headers": {"retry-after": "86400"}}
    moods(simulator, {"match": {"purpose": "create"}, "do": refusal})
    settings = a_night(database_url, simulator)
    with night(settings) as (_, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        lane.step()
    waits = "next_poll_at BETWEEN now() + interval '14 minutes' AND now() + interval '15 minutes'"
    assert one(engine, f"SELECT {waits} FROM message_batches")[0]


def test_an_intent_of_which_nothing_is_known_is_sent_again_only_after_its_time(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    moods(simulator, {"match": {"purpose": "create"}, "do": {"status": 500}})
    settings = a_night(database_url, simulator)
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        moods(simulator)
        # when: nine minutes of ten have passed, then eleven
        do(engine, "UPDATE message_batches SET submitted_at = now() - interval '9 minutes'")
        step(runtime, lane)
        assert not simulator[0].batches
        do(engine, "UPDATE message_batches SET submitted_at = now() - interval '11 minutes'")
        step(runtime, lane)
        assert len(simulator[0].batches) == 1
        rounds(runtime, lane)
    Checker().require(engine)


def test_rescue_never_takes_what_is_at_claude(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    simulator[0].latency_scale = 1_000
    settings = a_night(database_url, simulator)
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        # when: a day goes by, and the worker that sent it is known to be dead
        do(engine, "UPDATE attempts SET claimed_at = now() - interval '1 day'")
        do(engine, "UPDATE calls SET sent_at = now() - interval '1 day'")
        assert rescue(engine, 180) == 0
        assert rescue_from(engine, [runtime.worker_id]) == 0
    outcomes = "SELECT DISTINCT outcome FROM attempts WHERE batch_id IS NOT NULL"
    assert many(engine, outcomes) == [("started",)]
    assert many(engine, "SELECT DISTINCT state FROM jobs") == [("submitted",)]


def test_results_that_are_not_found_at_first_are_fetched_later(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    """As a copy at Claude's says that has not heard of them yet."""
    moods(simulator, {"match": {"purpose": "results", "first": 2}, "do": {"results": "404"}})
    with night(a_night(database_url, simulator)) as (runtime, lane):
        hand_in(engine, runtime.settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane, 2)
        assert one(engine, "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL")[0] == 0
        rounds(runtime, lane)
    # then: each was asked once, and paid once
    assert many(engine, "SELECT DISTINCT state FROM jobs") == [("answered",)]
    assert set(simulator[0].counts.batch_items.values()) == {1}
    Checker().require(engine)


def test_orphans_are_told_apart_by_their_size_and_each_is_adopted_once(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: Claude takes the last two of three creates, and no reply comes
    moods(
        simulator,
        {"match": {"purpose": "create", "first": 1}, "do": {"status": 500}},
        {"match": {"purpose": "create", "first": 3}, "do": {"create": "drop"}},
    )
    settings = a_night(database_url, simulator)
    with night(settings) as (runtime, lane):
        for tier, jobs in (("haiku", 1), ("sonnet", 2), ("opus", 2)):
            policy = f"single:{tier}"
            hand_in(engine, settings, BODIES[:jobs], policy=policy, name=tier, lane=Lane.BATCH)
        # when: one round routes and sends them all, the next looks for them
        step(runtime, lane)
        intents = "SELECT requests, state FROM message_batches ORDER BY id"
        assert many(engine, intents) == [(1, "intended"), (2, "intended"), (2, "intended")]
        step(runtime, lane)
        # then
        assert many(engine, intents)[0] == (1, "intended")
        taken = "SELECT count(DISTINCT external_id) FROM message_batches"
        assert one(engine, taken)[0] == 2
        do(engine, f"{OLDER} WHERE state = 'intended'")
        rounds(runtime, lane)
    assert set(simulator[0].counts.batch_items.values()) == {1}
    Checker().require(engine)


def test_a_slice_is_as_large_as_is_set_and_as_fits_into_one_request(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    settings = a_night(database_url, simulator, slice=2)
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES[:6], policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        assert many(engine, "SELECT requests FROM message_batches") == [(2,), (2,), (2,)]
        run = hand_in(engine, settings, BODIES[:6], policy="ladder", name="b", lane=Lane.BATCH)
        ids = [row[0] for row in many(engine, "SELECT id FROM jobs WHERE run_id = :id", id=run.id)]
        for most, fit in ((25, 2), (5, 1)):
            taken = runtime.claims.take_slice(
                ROUTING, ids, runtime.planner, lambda _: 10, max_bytes=most
            )
            assert len(taken.asked) == fit
