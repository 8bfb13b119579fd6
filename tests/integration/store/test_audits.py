"""Audits: chance chooses, with a known probability, and nobody else."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine

from models.vocabulary import Grader
from tests.support.promises import ME, do, many, one
from tests.support.works import drain, hand_in, settings_for, working
from worker.errors import UsageError
from worker.sandbox.simulator.state import State
from worker.store.actions.audits import raise_share
from worker.store.actions.truths import Graded, Imported, give, take_file, undo
from worker.store.audit import Actor
from worker.store.reading.audits import counts, queue_of

BODIES = [f"Where is card number {n}? It was due on Monday." for n in range(60)]
SHARE = Decimal("0.5")
ADA, BOB = Actor("ada"), Actor("bob")


@pytest.fixture
def answered(engine: Engine, database_url: str, simulator: tuple[State, str]) -> Engine:
    """A run that was answered while half of its answers were to be audited."""
    settings = settings_for(database_url, simulator[1])
    run = hand_in(engine, settings, BODIES, policy="single:haiku", name="monday")
    raise_share(engine, ME, run, SHARE)
    with working(settings) as runtime:
        drain(runtime)
    return engine


def drawn(engine: Engine) -> set[int]:
    return {row[0] for row in many(engine, "SELECT job_id FROM audits")}


def accepted(engine: Engine) -> set[int]:
    return {row[0] for row in many(engine, "SELECT job_id FROM results WHERE accepted")}


def run_of(engine: Engine) -> object:
    from worker.store.runs import RunRef

    row = one(engine, "SELECT id, name, lane, priority FROM runs WHERE name = 'monday'")
    return RunRef(**row._mapping)


def test_the_recording_transaction_draws_a_known_share(answered: Engine) -> None:
    found, all_of_them = drawn(answered), accepted(answered)
    assert found < all_of_them
    assert 0.2 * len(all_of_them) < len(found) < 0.8 * len(all_of_them)
    assert one(answered, "SELECT DISTINCT probability, purpose FROM audits") == (SHARE, "audit")


def test_drawing_again_draws_the_same_and_another_salt_draws_others(answered: Engine) -> None:
    before = drawn(answered)
    assert raise_share(answered, ME, run_of(answered), SHARE) == 0  # type: ignore[arg-type]
    do(answered, "DELETE FROM audits")
    raise_share(answered, ME, run_of(answered), SHARE)  # type: ignore[arg-type]
    assert drawn(answered) == before
    do(answered, "DELETE FROM audits")
    do(answered, "UPDATE audit_salt SET salt = 'another'")
    raise_share(answered, ME, run_of(answered), SHARE)  # type: ignore[arg-type]
    assert drawn(answered) != before


def test_a_greater_share_keeps_what_was_drawn_and_a_smaller_one_is_refused(
    answered: Engine,
) -> None:
    before = drawn(answered)
    more = raise_share(answered, ME, run_of(answered), Decimal("0.9"))  # type: ignore[arg-type]
    assert before < drawn(answered)
    assert more == len(drawn(answered)) - len(before)
    assert one(answered, "SELECT DISTINCT probability FROM audits")[0] == Decimal("0.9")
    with pytest.raises(UsageError, match=r"0\.9 of the answers of run monday"):
        raise_share(answered, ME, run_of(answered), Decimal("0.2"))  # type: ignore[arg-type]


def test_a_run_without_audits_draws_none(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    settings = settings_for(database_url, simulator[1])
    hand_in(engine, settings, BODIES[:10], policy="single:haiku")
    with working(settings) as runtime:
        drain(runtime)
    assert drawn(engine) == set()


def test_the_queue_is_blind_shuffled_by_judge_and_shrinks(answered: Engine) -> None:
    # given
    do(answered, "UPDATE audits SET again = false")
    with answered.connect() as connection:
        ada, bob = (queue_of(connection, who, limit=100) for who in ("ada", "bob"))
    # then
    assert {b.job_id for b in ada} == {b.job_id for b in bob} == drawn(answered)
    assert [b.job_id for b in ada] != [b.job_id for b in bob]
    assert set(ada[0].__slots__) == {
        "job_id", "fence", "run", "subject", "message", "reply", "received_at",
    }  # fmt: skip
    give(answered, ADA, Grader.PERSON, Graded(ada[0].job_id, ada[0].fence, True))
    with answered.connect() as connection:
        assert len(queue_of(connection, "bob", limit=100)) == len(ada) - 1


def test_a_second_look_is_by_somebody_else_and_shows_the_noise(answered: Engine) -> None:
    # given
    do(answered, "UPDATE audits SET again = true")
    with answered.connect() as connection:
        first = queue_of(connection, "ada")[0]
    verdict = Graded(first.job_id, first.fence, True)
    # when
    give(answered, ADA, Grader.PERSON, verdict)
    give(answered, ADA, Grader.PERSON, verdict)
    with answered.connect() as connection:
        mine = {b.job_id for b in queue_of(connection, "ada", limit=100)}
        yours = {b.job_id for b in queue_of(connection, "bob", limit=100)}
    give(answered, BOB, Grader.PERSON, Graded(first.job_id, first.fence, False))
    # then
    assert first.job_id not in mine
    assert first.job_id in yours
    with answered.connect() as connection:
        (found,) = counts(connection)
    assert (found.twice, found.disagree, found.wrong, found.right) == (1, 1, 1, 0)


def test_an_unsure_verdict_is_no_right_one(answered: Engine) -> None:
    with answered.connect() as connection:
        first = queue_of(connection, "ada")[0]
    give(answered, ADA, Grader.PERSON, Graded(first.job_id, first.fence, None))
    with answered.connect() as connection:
        (found,) = counts(connection)
    assert (found.unsure, found.right, found.open) == (1, 0, found.drawn - 1)


def test_undo_takes_back_the_last_and_keeps_the_trace(answered: Engine) -> None:
    with answered.connect() as connection:
        first, second = queue_of(connection, "ada", limit=2)
    for b in (first, second):
        give(answered, ADA, Grader.PERSON, Graded(b.job_id, b.fence, True))
    assert undo(answered, ADA) == second.job_id
    assert undo(answered, BOB) is None
    with answered.connect() as connection:
        assert queue_of(connection, "ada")[0].job_id == second.job_id
    assert one(answered, "SELECT count(*), count(undone_at) FROM truths") == (2, 1)


def test_another_verdict_of_the_same_person_takes_the_place_of_the_first(
    answered: Engine,
) -> None:
    with answered.connect() as connection:
        first = queue_of(connection, "ada")[0]
    for right in (True, False):
        give(answered, ADA, Grader.PERSON, Graded(first.job_id, first.fence, right))
    rows = many(answered, "SELECT is_right FROM truths WHERE undone_at IS NULL")
    assert [row[0] for row in rows] == [False]


def test_a_tiers_verdict_leaves_the_audit_to_people(answered: Engine) -> None:
    with answered.connect() as connection:
        first = queue_of(connection, "ada")[0]
    give(answered, Actor("opus"), Grader.TIER, Graded(first.job_id, first.fence, True))
    with answered.connect() as connection:
        (found,) = counts(connection)
    assert found.open == found.drawn


def test_a_verdict_on_nothing_is_refused(answered: Engine) -> None:
    with pytest.raises(UsageError, match="no such answer"):
        give(answered, ADA, Grader.PERSON, Graded(1, 99, True))


def row(line: int, **more: object) -> Imported:
    asked = {"job": None, "run": "monday", "external_id": None, "tier": None, "right": True}
    return Imported(line=line, **(asked | more))  # type: ignore[arg-type]


def test_a_file_of_verdicts_is_taken_whole_or_not_at_all(answered: Engine) -> None:
    job = min(accepted(answered))
    good = [row(2, external_id="monday-3"), row(3, job=job), row(4, job=job, right=False)]
    assert take_file(answered, ME, "t.csv", good) == 3
    assert take_file(answered, ME, "t.csv", good) == 3
    rows = many(answered, "SELECT is_right FROM truths WHERE undone_at IS NULL ORDER BY job_id")
    assert sorted(r[0] for r in rows) == [False, True]
    with pytest.raises(UsageError, match=r"Line 9: job monday/none has no answer"):
        take_file(answered, ME, "u.csv", [row(8, job=job), row(9, external_id="none")])
    assert one(answered, "SELECT count(*) FROM truths WHERE grader_name = 'u.csv'")[0] == 0


def test_a_tier_that_said_nothing_is_named(answered: Engine) -> None:
    with pytest.raises(UsageError, match="no answer of opus"):
        take_file(answered, ME, "t.csv", [row(2, external_id="monday-3", tier="opus")])
