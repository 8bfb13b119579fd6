"""Reports that come when their job has ended, or is somebody else's: paid for, and not used."""

import pytest
from sqlalchemy import Engine, text

from tests.support.promises import (
    BODY,
    ME,
    ask_haiku,
    checked,
    chunk_of,
    claim_one,
    crashed_claim,
    many,
    one,
)
from tests.support.works import hand_in, make_due, settings_for, working
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State
from worker.store.actions import changes
from worker.store.actions.selection import whole
from worker.store.queue.record import record
from worker.store.queue.rescue import reports_of, rescue_from

LOW = {"match": {"purpose": "answer"}, "do": {"merge": {"confidence": 0.1}}}
ANSWERS = "SELECT outcome FROM attempts WHERE stage = 'answer' ORDER BY fence"
STATES = "SELECT state FROM jobs"


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], policy={"preset": "single:haiku"})


def test_an_answer_to_what_was_cancelled_meanwhile(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    run = hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        runtime.work(*chunk_of(runtime))
        (claimed,) = runtime.claims.take(*chunk_of(runtime), runtime.planner).granted
        changes.apply(engine, ME, changes.CANCEL, whole(run))
        ask_haiku(runtime, claimed)
    assert (many(engine, STATES), many(engine, ANSWERS)) == ([("cancelled",)], [("superseded",)])
    assert one(engine, "SELECT count(*) FROM results")[0] == 0
    assert one(engine, "SELECT cost > 0 FROM jobs")[0]
    checked(engine, simulator)


def test_what_a_dead_worker_held_of_it(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    run = hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        runtime.work(*chunk_of(runtime))
        crashed_claim(runtime)
        changes.apply(engine, ME, changes.CANCEL, whole(run))
        rescue_from(engine, [runtime.worker_id])
    assert (many(engine, STATES), many(engine, ANSWERS)) == ([("cancelled",)], [("lost",)])
    # and when it is said once more, because nobody heard that it was written
    (paid,) = one(engine, "SELECT cost FROM jobs")
    with engine.connect() as connection:
        held = connection.execute(text("SELECT job_id AS id, fence FROM attempts")).all()
        again = reports_of(connection, held[-1:])
    record(engine, again)
    assert (one(engine, "SELECT cost FROM jobs")[0], paid > 0) == (paid, True)
    checked(engine, simulator)


def test_an_answer_that_is_not_good_enough_leaves_the_job_to_whoever_has_it(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    simulator[0].moods.replace([LOW])
    hand_in(engine, settings, BODY)
    with working(settings) as runtime, working(settings) as other:
        runtime.work(*chunk_of(runtime))
        first = claim_one(runtime)
        rescue_from(engine, [runtime.worker_id])
        make_due(engine)
        (second,) = other.claims.take("haiku", [first.candidate.job_id], other.planner).granted
        # when the first comes back
        ask_haiku(runtime, first)
        # then the other goes on
        held = one(engine, "SELECT state, fence, lease_until IS NOT NULL FROM jobs")
        assert tuple(held) == ("routed", 3, True)
        ask_haiku(other, second)
    assert many(engine, STATES) == [("review",)]
    assert one(engine, "SELECT fence FROM results")[0] == 3
    checked(engine, simulator)


def test_an_attempt_that_was_lost_and_answers_after_all_is_counted_once(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        runtime.work(*chunk_of(runtime))
        first = claim_one(runtime)
        rescue_from(engine, [runtime.worker_id])
        before = one(engine, "SELECT attempts FROM jobs")
        ask_haiku(runtime, first)
    assert many(engine, STATES) == [("answered",)]
    assert one(engine, "SELECT attempts FROM jobs") == before
    checked(engine, simulator)
