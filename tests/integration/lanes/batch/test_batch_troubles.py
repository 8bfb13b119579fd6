"""What goes wrong with a batch as a whole: named beside it, and every job still ends."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from models.vocabulary import Lane
from tests.support.checker import Checker
from tests.support.nights import night, night_settings, rounds, step
from tests.support.works import hand_in
from worker.cli.views.run_lines import print_run
from worker.sandbox.simulator.state import State
from worker.store.actions import changes, holds
from worker.store.actions.selection import whole
from worker.store.audit import Actor
from worker.store.reading.batches import batches_of
from worker.store.reading.standings import standing_of

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(12)]
Simulator = tuple[State, str]
ME = Actor("a test")


def rows(engine: Engine, statement: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement)).all())


def do(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_what_was_cancelled_before_it_was_sent_is_never_sent(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: an intent whose create failed before Claude took anything
    simulator[0].moods.replace([{"match": {"purpose": "create"}, "do": {"status": 500}}])
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        run = hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        assert rows(engine, "SELECT state FROM message_batches") == [("intended",)]
        # when: nobody wants it any more, and Claude is well again
        changes.apply(engine, ME, changes.CANCEL, whole(run))
        simulator[0].moods.replace([])
        step(runtime, lane, 3)
    # then: nothing was asked, nothing is reserved, and the intent is closed with the reason
    assert not simulator[0].batches
    assert rows(engine, "SELECT state, error FROM message_batches") == [
        ("failed", "nothing was left to be asked")
    ]
    assert rows(engine, "SELECT DISTINCT spent, reserved FROM budgets") == [(0, 0)]
    Checker().require(engine)


def test_a_pause_holds_for_what_was_meant_to_be_sent(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: an intent that was never taken, whose tier is paused before it is sent again
    simulator[0].moods.replace([{"match": {"purpose": "create"}, "do": {"status": 500}}])
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        simulator[0].moods.replace([])
        holds.pause_queue(engine, ME, "haiku", "to see")
        # when
        step(runtime, lane, 3)
        # then: its jobs are back in the queue, with no attempt used up
        assert not simulator[0].batches
        assert rows(engine, "SELECT DISTINCT state, failures FROM jobs") == [("routed", 0)]
        holds.resume_queue(engine, ME, "haiku")
        rounds(runtime, lane)
    assert rows(engine, "SELECT DISTINCT state FROM jobs") == [("answered",)]
    Checker().require(engine)


@pytest.mark.parametrize("how", ["no link to them", "unknown batch"])
def test_results_that_claude_keeps_no_longer_are_named_as_gone(
    how: str, engine: Engine, database_url: str, simulator: Simulator
) -> None:
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        # given: a batch that ended and was not read for thirty days, for no worker ran
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        (batch,) = simulator[0].batches.values()
        batch.archived, batch.deleted = how == "no link to them", how == "unknown batch"
        do(
            engine,
            "UPDATE message_batches SET submitted_at = now() - interval '30 days', state = 'ended'",
        )
        # when
        step(runtime, lane)
        # then: it says so, what may have been paid is charged, and the messages are asked again
        assert rows(engine, "SELECT state, error, counts ->> 'missing' FROM message_batches") == [
            ("failed", "its results are gone: Claude keeps them for 29 days", str(len(BODIES)))
        ]
        assert rows(engine, "SELECT count(*) FROM calls WHERE state = 'failed' AND cost > 0") == [
            (len(BODIES),)
        ]
        rounds(runtime, lane)
    assert rows(engine, "SELECT DISTINCT state FROM jobs") == [("answered",)]
    Checker().require(engine)


def test_a_batch_that_is_unknown_at_first_is_waited_for(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: a batch that Claude does not find for a while after it was made
    simulator[0].moods.replace([{"match": {"purpose": "create"}, "do": {"create": "404"}}])
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane, 2)
        # then: that is shown beside it, and nothing is given up
        ((state, error),) = rows(engine, "SELECT state, error FROM message_batches")
        assert (state, error[:4]) == ("submitted", "404 ")
        # when
        for batch in simulator[0].batches.values():
            batch.visible_at = 0.0
        rounds(runtime, lane)
    assert set(simulator[0].counts.batch_items.values()) == {1}
    assert rows(engine, "SELECT DISTINCT outcome FROM attempts WHERE batch_id IS NOT NULL") == [
        ("accepted",)
    ]
    Checker().require(engine)


def test_a_batch_that_stays_unknown_is_given_up_and_its_messages_are_asked_again(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        (batch,) = simulator[0].batches.values()
        batch.deleted = True
        do(engine, "UPDATE message_batches SET submitted_at = now() - interval '1 hour'")
        step(runtime, lane)
        assert rows(engine, "SELECT state, error FROM message_batches") == [
            ("failed", "Claude no longer knows this batch")
        ]
        rounds(runtime, lane)
    assert rows(engine, "SELECT DISTINCT state FROM jobs") == [("answered",)]
    Checker().require(engine)


@pytest.mark.parametrize("status", [429, 529, 503])
def test_a_create_that_is_refused_for_now_waits_and_uses_up_nothing(
    status: int, engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: Claude has no room for more
    simulator[0].moods.replace(
        [{"match": {"purpose": "create", "first": 3}, "do": {"status": status}}]
    )
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        # then: the reason stands beside the batch
        ((error,),) = rows(engine, "SELECT error FROM message_batches")
        assert error.startswith(f"{status} ")
        rounds(runtime, lane)
    # then: later it goes through, with no attempt used up
    assert rows(engine, "SELECT state, failures, count(*) FROM jobs GROUP BY 1, 2") == [
        ("answered", 0, len(BODIES))
    ]
    assert set(simulator[0].counts.batch_items.values()) == {1}
    Checker().require(engine)


@pytest.mark.parametrize(
    ("status", "code", "paused"),
    [(401, None, "haiku"), (403, None, "haiku"), (402, None, "everything")],
)
def test_a_create_that_needs_a_person_pauses_and_says_why(
    status: int,
    code: str | None,
    paused: str,
    engine: Engine,
    database_url: str,
    simulator: Simulator,
) -> None:
    # given: a key or an account that does not work
    simulator[0].moods.replace([{"match": {"purpose": "create"}, "do": {"status": status}}])
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        # when
        step(runtime, lane, 3)
        # then: one try was made; the pause holds, names its reason, and nothing is reserved
        ((name, reason),) = rows(engine, "SELECT name, paused_reason FROM tiers WHERE paused")
        assert (name, reason[:4]) == (paused, f"{status} ")
        assert rows(engine, "SELECT state, count(*) FROM message_batches GROUP BY 1") == [
            ("failed", 1)
        ]
        assert rows(engine, "SELECT DISTINCT spent, reserved FROM budgets") == [(0, 0)]
        # when: a person has mended it
        simulator[0].moods.replace([])
        holds.resume_queue(engine, ME, paused)
        rounds(runtime, lane)
    assert rows(engine, "SELECT state, failures, count(*) FROM jobs GROUP BY 1, 2") == [
        ("answered", 0, len(BODIES))
    ]
    Checker().require(engine)


def test_a_batch_that_is_too_large_is_cut_until_it_fits(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: a server that takes less than we think
    simulator[0].moods.replace(
        [{"match": {"purpose": "create", "first": 2}, "do": {"status": 413}}]
    )
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        rounds(runtime, lane)
    # then: slices were halved until one went through, and grew again after that
    assert rows(engine, "SELECT state, requests FROM message_batches ORDER BY id") == [
        ("failed", 12),
        ("failed", 6),
        ("recorded", 3),
        ("recorded", 6),
        ("recorded", 3),
    ]
    assert rows(engine, "SELECT DISTINCT state FROM jobs") == [("answered",)]
    Checker().require(engine)


def test_status_says_what_is_at_claude_and_what_is_wrong_with_it(
    engine: Engine, database_url: str, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    # given: two batches at Claude, one of which cannot be looked at
    simulator[0].latency_scale = 1_000
    settings = night_settings(database_url, simulator[1], batch={"slice": 6})
    with night(settings) as (runtime, lane):
        run = hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        first, *_ = simulator[0].batches.values()
        first.deleted = True
        step(runtime, lane)
    # when
    with engine.connect() as connection:
        batches = batches_of(connection, found := standing_of(connection, run.id))
    print_run(found, "the pace is being measured", batches=batches)
    # then
    said = capsys.readouterr().out
    assert "  batches     12 messages in 2 batches (2 at Claude); the oldest was sent at " in said
    assert "  trouble     batch 1: 404 not_found_error" in said


def test_a_paused_run_sends_nothing_and_what_is_at_claude_is_kept(
    engine: Engine, database_url: str, simulator: Simulator
) -> None:
    # given: one slice at Claude, and one that waits
    settings = night_settings(database_url, simulator[1], batch={"slice": 6})
    with night(settings) as (runtime, lane):
        run = hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        step(runtime, lane)
        before = len(simulator[0].batches)
        holds.pause_run(engine, ME, whole(run), "to see")
        # when
        step(runtime, lane, 3)
        # then: what had been asked is recorded; nothing new was
        assert len(simulator[0].batches) == before
        assert rows(engine, "SELECT DISTINCT state FROM message_batches") == [("recorded",)]
        holds.resume_run(engine, ME, whole(run), None)
        rounds(runtime, lane)
    assert rows(engine, "SELECT DISTINCT state FROM jobs") == [("answered",)]
    Checker().require(engine)
