"""What shadows of a run say: which tier is right, and what might have started lower."""

import pytest
from sqlalchemy import Engine

from models.vocabulary import Grader
from tests.support.cli import say
from tests.support.nights import night, night_settings, rounds
from tests.support.promises import do
from tests.support.recorded import Traffic, answered_run
from worker.domain.shadow_advice import Quality
from worker.sandbox.simulator.state import State
from worker.store.actions.truths import Graded, store
from worker.store.reading.audits import queue_of
from worker.store.reading.shadow_facts import shadow_facts

LADDER = ("haiku", "sonnet", "opus")


@pytest.fixture
def monday(
    engine: Engine, database_url: str, simulator: tuple[State, str], configured: None
) -> Engine:
    """Forty messages that started at sonnet, as shadows all asked about at haiku and opus: haiku
    was 0.8 sure of each."""
    sure = {"match": {"purpose": "answer"}, "do": {"merge": {"confidence": 0.8}}}
    simulator[0].moods.replace([sure])
    answered_run(engine, database_url, Traffic(messages=40, sure=1.0), judged=False)
    do(engine, "UPDATE attempts SET tier = 'sonnet'")
    do(engine, "UPDATE results SET tier = 'sonnet'")
    assert say("audit", "monday", "--shadow", "100%", "--max-cost", "9").code == 0
    with night(night_settings(database_url, simulator[1])) as (runtime, lane):
        rounds(runtime, lane)
    return engine


def accepted(engine: Engine, threshold: str) -> tuple[int, int]:
    do(engine, "UPDATE runs SET policy = jsonb_set(policy, '{accept,threshold}',"
        " to_jsonb(CAST(:at AS text))) WHERE id = 1", at=threshold)  # fmt: skip
    with engine.connect() as connection:
        (found,) = shadow_facts(connection, [1], LADDER).lower
    assert (found.start, found.below) == ("sonnet", "haiku")
    return found.hops[0].climbs.climbed, found.hops[0].climbs.accepted


def test_a_shadow_counts_as_accepted_at_its_runs_own_threshold(monday: Engine) -> None:
    assert accepted(monday, "0.8") == (40, 40)
    assert accepted(monday, "0.81") == (40, 0)
    do(monday, "UPDATE runs SET policy = jsonb_set(policy, '{accept,thresholds}',"
        " '{\"haiku\": \"0.5\"}') WHERE id = 1")  # fmt: skip
    assert accepted(monday, "0.81") == (40, 40)


def test_a_batch_answer_is_priced_as_its_run_would_have_paid_it(monday: Engine) -> None:
    do(monday, "UPDATE attempts SET cost = CASE tier WHEN 'haiku' THEN 0.001 ELSE 0.01 END")
    with monday.connect() as connection:
        (found,) = shadow_facts(connection, [1], LADDER).lower
    assert found.hops[0].needed == pytest.approx(0.2)
    figures = say("advise", "monday", "--json").document["advice"]
    assert figures[0]["topic"] == "evidence"


def test_tiers_are_judged_on_the_same_messages(monday: Engine) -> None:
    with monday.begin() as connection:
        blind = queue_of(connection, "ada", limit=1_000)
        said = [Graded(one.job_id, one.fence, True) for one in blind]
        store(connection, Grader.PERSON, "ada", said)
    do(monday, "UPDATE truths AS t SET is_right = false FROM jobs AS j"
        " WHERE j.id = t.job_id AND j.run_id > 1 AND j.tier = 'haiku'"
        " AND j.id % 2 = 0")  # fmt: skip
    do(monday, "UPDATE attempts SET outcome = 'rejected' WHERE tier = 'opus' AND job_id ="
        " (SELECT max(job_id) FROM attempts WHERE tier = 'opus')")  # fmt: skip
    with monday.connect() as connection:
        found = shadow_facts(connection, [1], LADDER).quality
    assert found == {
        "haiku": Quality(20, 40),
        "sonnet": Quality(40, 40),
        "opus": Quality(39, 40),
    }
    assert list(found) == list(LADDER)


def test_without_shadows_there_is_nothing(engine: Engine, database_url: str) -> None:
    answered_run(engine, database_url, Traffic(messages=5), judged=False)
    with engine.connect() as connection:
        found = shadow_facts(connection, [1], LADDER)
    assert (dict(found.quality), list(found.lower)) == ({}, [])
