"""What waits for a person is put into clusters as it comes, and leaves them as it is judged."""

import pytest
from sqlalchemy import Engine

from models.vocabulary import Verdict
from tests.support.promises import ME, do, many
from tests.support.works import hand_in, settings_for
from worker.store.actions.erasure import erase, of_external_id
from worker.store.actions.reviews import Judged, give_verdict, take_back
from worker.store.queue.review_clusters import COMPARING, TRY_LOCK, cluster_reviews
from worker.store.reading.clusters import jobs_of, not_compared, of_waiting

OUTAGE = "The app shows error {} when I pay, and it was working until this morning"
OTHERS = ("Where is my card? It was due on Monday.", "How do I close my account?")
COUNTS = "SELECT run_id, cluster_id, waiting FROM review_cluster_counts ORDER BY 1, 2"
FOUNDERS = "SELECT id FROM review_clusters ORDER BY 1"


@pytest.fixture
def waiting(engine: Engine, database_url: str) -> Engine:
    """Four messages about an outage (jobs 1 to 4) and two others, in review, compared."""
    settings = settings_for(database_url, "http://127.0.0.1:1")
    hand_in(engine, settings, [*map(OUTAGE.format, range(4)), *OTHERS], name="today")
    _send_to_people(engine, "true")
    assert cluster_reviews(engine) == 6
    return engine


def _send_to_people(engine: Engine, which: str) -> None:
    do(engine, "UPDATE jobs SET state = 'review', tier = 'opus', finished_at = now()"
       f" WHERE state <> 'review' AND {which}")  # fmt: skip


def _largest(engine: Engine, run: int | None = None) -> list[tuple[int, int, int]]:
    with engine.connect() as connection:
        found = of_waiting(connection, run, least=1, most=20)
    return [(one.id, one.waiting, one.message.id) for one in found]


def test_what_comes_later_joins_those_that_it_is_like(waiting: Engine, database_url: str) -> None:
    assert many(waiting, COUNTS) == [
        (0, 1, 4), (0, 5, 1), (0, 6, 1), (1, 1, 4), (1, 5, 1), (1, 6, 1),
    ]  # fmt: skip
    # when: more come in two groups, and most of them are known
    settings = settings_for(database_url, "")
    hand_in(waiting, settings, [*map(OUTAGE.format, range(9, 12)), "I want a loan"], name="later")
    _send_to_people(waiting, "run_id = 2")
    assert [cluster_reviews(waiting, 3) for _ in range(3)] == [3, 1, 0]
    # then
    assert _largest(waiting) == [(1, 7, 1), (5, 1, 5), (6, 1, 6), (10, 1, 10)]
    assert _largest(waiting, 2) == [(1, 3, 7), (10, 1, 10)]
    with waiting.connect() as connection:
        assert jobs_of(connection, None, 1) == [1, 2, 3, 4, 7, 8, 9]
        assert jobs_of(connection, 2, 1) == [7, 8, 9]


def test_a_verdict_takes_it_out_and_waits_again_when_taken_back(waiting: Engine) -> None:
    for job in (1, 5):
        give_verdict(waiting, ME, Judged(job_id=job, verdict=Verdict.REJECT, reason="no"))
    # The second verdict on a job changes nothing more.
    give_verdict(waiting, ME, Judged(job_id=1, verdict=Verdict.REJECT, reason="never"))
    assert _largest(waiting) == [(1, 3, 2), (6, 1, 6)]
    # A cluster in which nobody waits is forgotten with its keys.
    assert many(waiting, FOUNDERS) == [(1,), (5,), (6,)]
    cluster_reviews(waiting)
    assert many(waiting, FOUNDERS) == [(1,), (6,)]
    assert [row for row in many(waiting, COUNTS) if row.cluster_id == 5] == []
    # when
    take_back(waiting, ME, 1)
    assert _largest(waiting) == [(1, 3, 2), (6, 1, 6)]
    take_back(waiting, ME, 1)
    take_back(waiting, ME, 5)
    assert cluster_reviews(waiting) == 2
    assert _largest(waiting) == [(1, 4, 1), (5, 1, 5), (6, 1, 6)]


def test_of_an_erased_message_not_even_the_keys_stay(waiting: Engine) -> None:
    erase(waiting, ME, of_external_id("today-0", None))
    assert many(waiting, FOUNDERS) == [(5,), (6,)]
    with waiting.connect() as connection:
        assert not_compared(connection) == 3
    cluster_reviews(waiting)
    assert _largest(waiting) == [(2, 3, 2), (5, 1, 5), (6, 1, 6)]
    # One that founded nothing leaves, and the others stay as they are.
    erase(waiting, ME, of_external_id("today-3", None))
    assert _largest(waiting)[0] == (2, 2, 2)


@pytest.mark.parametrize("kind", ["judge", "shadow"])
def test_answers_that_only_ask_to_know_more_wait_for_nobody(
    waiting: Engine, database_url: str, kind: str
) -> None:
    hand_in(waiting, settings_for(database_url, ""), [OUTAGE.format(9)], name="asked")
    do(waiting, "UPDATE runs SET kind = :kind WHERE id = 2", kind=kind)
    _send_to_people(waiting, "run_id = 2")
    assert cluster_reviews(waiting) == 0


def test_nobody_compares_while_somebody_else_does_or_a_verdict_is_written(waiting: Engine) -> None:
    do(waiting, "UPDATE clustered_reviews SET cluster_id = NULL WHERE job_id = 6")
    with waiting.begin() as connection:
        connection.execute(TRY_LOCK, {"key": COMPARING})
        assert cluster_reviews(waiting) == 0
    with waiting.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO reviews (job_id, verdict, reviewer) VALUES (1, 'accept', 'ada')"
        )
        assert cluster_reviews(waiting) == 0
    assert cluster_reviews(waiting) == 1
