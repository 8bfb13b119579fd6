"""One person at a time has an item before them: two who ask at once get two, a lease that is over
is given out again, and whoever was slower learns of it before their verdict counts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from models.vocabulary import Grader, ReadingKind, Verdict
from tests.support.promises import do, one
from tests.support.recorded import Traffic, answered_run
from tests.support.works import hand_in, settings_for
from worker.runs.review_turns import take_audit, take_review
from worker.store.actions.reviews import AlreadyJudged, Judged, give_verdict
from worker.store.actions.truths import Graded, give
from worker.store.audit import Actor
from worker.store.queue.reading_leases import ReadBy, held_by_another, leave
from worker.store.reading.attention import Attention, letters
from worker.store.reading.review_queue import ReviewScope, count_reviews

ADA, BOB = ReadBy("ada/1", "ada"), ReadBy("bob/1", "bob")
ALL = ReviewScope()


@pytest.fixture
def waiting(engine: Engine, database_url: str) -> None:
    hand_in(engine, settings_for(database_url, ""), [f"Words {n}" for n in range(6)], name="day")
    do(engine, "UPDATE jobs SET state = 'review', reason = 'schema', finished_at = now()")


def job_of(engine: Engine, by: ReadBy) -> int | None:
    found = take_review(engine, by, ALL)
    return found[0][1] if found else None


@pytest.mark.usefixtures("waiting")
def test_people_who_ask_at_once_never_get_the_same(engine: Engine) -> None:
    # given
    people = [ReadBy(f"p{n}", f"p{n}") for n in range(4)]
    for _ in range(5):
        # when
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda by: job_of(engine, by), people))
        # then
        assert len(set(got)) == len(people), got
        do(engine, "DELETE FROM reading_leases")


@pytest.mark.usefixtures("waiting")
def test_what_one_reads_is_given_to_nobody_else_until_it_is_over(engine: Engine) -> None:
    # given
    assert (job_of(engine, ADA), job_of(engine, ADA), job_of(engine, BOB)) == (6, 6, 5)
    with engine.connect() as connection:
        held = held_by_another(connection, 6, BOB)
        assert held is not None
        assert (held.reader, held_by_another(connection, 6, ADA)) == ("ada", None)
        assert count_reviews(connection, ALL, BOB.holder).read_by_others == 1
        seen = letters(connection, Attention(state="review"), 3)
        assert [letter.read_by for letter in seen] == ["ada", "bob", None]
    # when
    do(engine, "UPDATE reading_leases SET since = now() - interval '20 min', until = now()"
       " - interval '1 min' WHERE reader = 'ada'")  # fmt: skip
    # then: it is given out again, and has begun anew
    with engine.connect() as connection:
        assert held_by_another(connection, 6, BOB) is None
        assert letters(connection, Attention(state="review"), 1)[0].read_by is None
    assert job_of(engine, BOB) == 6
    lease = one(engine, "SELECT reader, since > now() - interval '1 min' FROM reading_leases")
    assert tuple(lease) == ("bob", True)


@pytest.mark.usefixtures("waiting")
def test_whoever_leaves_frees_it_and_the_next_frees_the_one_before(engine: Engine) -> None:
    # given
    first = take_review(engine, ADA, ALL)
    again = take_review(engine, ADA, ALL)
    assert first is not None
    assert again is not None
    # when: word of a page comes late, that has been opened again since
    assert leave(engine, ReadingKind.REVIEW, ADA, first[1]) == 0
    assert leave(engine, ReadingKind.AUDIT, ADA) == 0
    assert leave(engine, ReadingKind.REVIEW, BOB) == 0
    assert job_of(engine, BOB) == 5
    assert leave(engine, ReadingKind.REVIEW, ADA, again[1]) == 1
    # then
    assert job_of(engine, BOB) == 6
    assert one(engine, "SELECT array_agg(job_id) FROM reading_leases")[0] == [6]


@pytest.mark.usefixtures("waiting")
def test_whoever_is_slower_learns_of_it_first(engine: Engine) -> None:
    # given
    assert job_of(engine, ADA) == 6
    give_verdict(engine, Actor("bob"), reject(6))
    assert one(engine, "SELECT count(*) FROM reading_leases")[0] == 0
    # when
    with pytest.raises(AlreadyJudged, match="bob has given a verdict on job 6 meanwhile: reject"):
        give_verdict(engine, Actor("ada"), reject(6, known=0))
    # then: who has seen it, or says the same twice, or knows nothing of numbers, is taken at word
    assert one(engine, "SELECT count(*) FROM reviews")[0] == 1
    give_verdict(engine, Actor("bob"), reject(6, known=0))
    give_verdict(engine, Actor("ada"), reject(6, known=2))
    give_verdict(engine, Actor("ada"), reject(6))
    assert one(engine, "SELECT count(*) FROM reviews")[0] == 4


def reject(job: int, known: int | None = None) -> Judged:
    return Judged(job_id=job, verdict=Verdict.REJECT, reason="no", known=known)


def test_answers_that_chance_chose_are_before_one_judge_at_a_time(
    engine: Engine, database_url: str
) -> None:
    # given
    answered_run(engine, database_url, Traffic(messages=2, sure=1), judged=False)
    do(engine, "UPDATE audits SET again = false")
    # when
    taken = [take_audit(engine, by) for by in (ADA, BOB, ReadBy("eve/1", "eve"))]
    # then
    first, second, third = taken
    assert first is not None
    assert second is not None
    assert ({first.job_id, second.job_id}, third) == ({1, 2}, None)
    # when
    give(engine, Actor("ada"), Grader.PERSON, Graded(first.job_id, first.fence, True))
    # then
    assert one(engine, "SELECT array_agg(reader) FROM reading_leases")[0] == ["bob"]
