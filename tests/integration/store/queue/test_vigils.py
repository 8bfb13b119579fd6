"""Evidence on a certificate: nothing of it is lost, whoever judges or takes back meanwhile."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from models.vocabulary import Grader
from tests.support.promises import do, many, one
from tests.support.works import hand_in, settings_for
from worker.store.actions.truths import Graded, give, store, undo
from worker.store.audit import Actor

ADA, BOB = Actor("ada"), Actor("bob")
CERTIFIED = """
INSERT INTO certificates (claim, tier, top, alpha, delta, errors, labels, upper, coverage,
  threshold, segment_by, key, runs, sources, rehearsal, issued_by)
VALUES ('accuracy', 'haiku', 'opus', 0.05, 0.05, 0, 100, 0.03, 0.8, 0.9, 'difficulty', '{}',
  '[]', '{}', true, 'a test');
UPDATE jobs SET state = 'answered', tier = 'haiku', finished_at = now();
INSERT INTO attempts (job_id, fence, stage, tier, lane, outcome, policy_version, budget_day,
  available_at, finished_at, certificate_id)
SELECT id, 1, 'answer', 'haiku', 'realtime', 'accepted', 'v', current_date, now(), now(), 1
FROM jobs;
INSERT INTO audits (job_id, fence, run_id, tier, probability)
SELECT id, 1, run_id, 'haiku', 1 FROM jobs;
"""
EVIDENCE = "SELECT day, audits, errors FROM evidence"
WAITING_FOR_A_LOCK = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture(autouse=True)
def certified(engine: Engine) -> None:
    """Answers 1 to 12 went out under one certificate, and are audited."""
    hand_in(engine, settings_for("", ""), [f"number {n}" for n in range(12)])
    do(engine, CERTIFIED)


def say(engine: Engine, who: Actor, job: int, *, right: bool) -> None:
    give(engine, who, Grader.PERSON, Graded(job, 1, right))


def test_what_ended_a_certificate_stays_whatever_is_taken_back(engine: Engine) -> None:
    for job in range(1, 13):
        say(engine, ADA, job, right=False)
    assert one(engine, "SELECT state FROM certificates")[0] == "void"
    evidence = many(engine, EVIDENCE)
    assert undo(engine, ADA) == 12
    assert many(engine, EVIDENCE) == evidence != []


def test_what_is_heard_while_another_verdict_is_taken_back_stays(engine: Engine) -> None:
    # given
    say(engine, ADA, 1, right=True)
    say(engine, ADA, 2, right=True)
    # when
    with ThreadPoolExecutor(1) as beside:
        with engine.begin() as connection:
            store(connection, Grader.PERSON, BOB.name, [Graded(3, 1, True)])
            undone = beside.submit(undo, engine, ADA)
            while not one(engine, WAITING_FOR_A_LOCK)[0] and not undone.done():
                pass
        assert undone.result(10) == 2
    # then ada's first and bob's count
    assert one(engine, EVIDENCE)[1:] == (2, 0)


def test_a_verdict_from_before_midnight_counts_with_what_was_heard_after(engine: Engine) -> None:
    say(engine, ADA, 1, right=True)
    do(engine, "UPDATE evidence SET day = day + 1")
    say(engine, ADA, 2, right=True)
    assert [row[1:] for row in many(engine, EVIDENCE)] == [(2, 0)]


def test_an_audit_that_wants_one_judge_stays_judged_when_another_takes_theirs_back(
    engine: Engine,
) -> None:
    do(engine, "UPDATE audits SET again = true WHERE job_id = 2")
    for job in (1, 2):
        say(engine, ADA, job, right=True)
        say(engine, BOB, job, right=True)
    states = "SELECT state FROM audits WHERE job_id < 3 ORDER BY job_id"
    assert [undo(engine, BOB), undo(engine, BOB)] == [2, 1]
    assert [row[0] for row in many(engine, states)] == ["graded", "second"]
    assert [undo(engine, ADA), undo(engine, ADA)] == [2, 1]
    assert [row[0] for row in many(engine, states)] == ["open", "open"]
