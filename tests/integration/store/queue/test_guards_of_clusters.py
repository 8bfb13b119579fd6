"""Each condition of the statements that keep what waits for a person in clusters, and of those
beside them that look for marks and names."""

from typing import Any

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.actions import named_in_words, reviews
from worker.store.queue import dispatch
from worker.store.queue import review_clusters as clusters

KEPT = "SELECT job_id, cluster_id FROM clustered_reviews ORDER BY job_id"


@pytest.fixture
def jobs(rows: Rows) -> list[int]:
    """Three that wait for a person, and are in no cluster yet."""
    run = rows.run()
    made = [rows.job(run, rows.message(subject=f"s{n}", body=f"b{n}"), state="review")
            for n in range(3)]  # fmt: skip
    for table in ("clustered_reviews", "review_cluster_counts", "review_clusters"):
        rows.forget(table)
    for job in made:
        rows.insert("clustered_reviews", None, job_id=job, run_id=run, cluster_id=None)
    return made


def joined(rows: Rows, jobs: list[int], cluster: int) -> None:
    rows.all(clusters.JOIN, rows=[{"job_id": job, "cluster_id": cluster} for job in jobs])


def test_there_is_something_to_do_while_one_is_in_no_cluster(rows: Rows, jobs: list[int]) -> None:
    assert rows.all(clusters.IS_DUE) == [(True,)]
    due = [(jobs[0], "s0 b0"), (jobs[1], "s1 b1")]
    assert rows.all(clusters.DUE, most=2) == due
    joined(rows, jobs, jobs[0])
    assert rows.all(clusters.IS_DUE) == [(False,)]
    rows.insert("review_cluster_counts", None, run_id=99, cluster_id=99, waiting=0)
    assert rows.all(clusters.IS_DUE) == [(True,)]


def test_who_is_in_a_cluster_stays_there_until_it_is_compared_again(
    rows: Rows, jobs: list[int]
) -> None:
    joined(rows, jobs[:1], 7)
    joined(rows, jobs[:2], 8)
    assert rows.all(KEPT) == [(jobs[0], 7), (jobs[1], 8), (jobs[2], None)]
    assert rows.firsts(clusters.DUE, most=9) == jobs[2:]
    rows.all(clusters.COMPARE_AGAIN, ids=[7])
    assert rows.all(KEPT) == [(jobs[0], None), (jobs[1], 8), (jobs[2], None)]


def test_clusters_that_share_a_key_are_found_by_their_first(rows: Rows, jobs: list[int]) -> None:
    for job, keys in zip(jobs, ([1, 2], [3], [2, 4]), strict=True):
        rows.all(clusters.FOUND, rows=[{"id": job, "keys": keys}])
    found: list[Any] = rows.all(clusters.FOUNDERS, keys=[2], most=9)
    assert found == [(jobs[0], "s0 b0"), (jobs[2], "s2 b2")]
    assert rows.firsts(clusters.FOUNDERS, keys=[2], most=1) == jobs[2:]
    assert rows.firsts(clusters.FOUNDED, jobs=[jobs[1], 0]) == [jobs[1]]
    rows.all(clusters.FORGET_CLUSTERS, ids=jobs[:1])
    assert rows.firsts("SELECT id FROM review_clusters") == jobs[1:]


def test_counts_of_nobody_are_swept_and_name_the_clusters_of_all_runs(
    rows: Rows, jobs: list[int]
) -> None:
    rows.forget("review_cluster_counts")
    for run, cluster, waiting in ((0, 1, 0), (0, 2, 5), (9, 3, 0)):
        rows.insert("review_cluster_counts", None, run_id=run, cluster_id=cluster, waiting=waiting)
    assert rows.all(clusters.SWEEP) == [(1,)]
    assert rows.firsts("SELECT cluster_id FROM review_cluster_counts") == [2]
    assert jobs


def test_what_waits_again_is_to_be_compared(rows: Rows, jobs: list[int]) -> None:
    # given: one that is looked at already, and one of a judge's run
    (run,) = rows.firsts("SELECT run_id FROM jobs WHERE id = :id", id=jobs[0])
    asked = [rows.job(rows.run(kind=kind), state="review") for kind in ("judge", "shadow")]
    said = rows.job(run, state="review")
    rows.insert("reviews", None, job_id=said, verdict="reject", reason="r", reviewer="ada")
    rows.forget("clustered_reviews")
    # when
    for job in (jobs[1], *asked, said):
        rows.all(reviews.WAITS_AGAIN, job=job)
    # then
    assert rows.all("SELECT job_id, run_id FROM clustered_reviews") == [(jobs[1], run)]


def test_marks_of_what_has_ended_are_taken_away(rows: Rows) -> None:
    run = rows.run()
    waits, ended = (rows.routed(run, dispatched_at=PAST) for _ in range(2))
    rows.all("UPDATE jobs SET state = 'dead', finished_at = now() WHERE id = :id", id=ended)
    rows.all("INSERT INTO dispatches (job_id, queue) VALUES (:id, 'haiku') ON CONFLICT DO NOTHING",
             id=ended)  # fmt: skip
    rows.all(dispatch.UNMARK_ENDED)
    assert rows.firsts("SELECT job_id FROM dispatches") == [waits]


def test_whom_messages_name_and_since_when(rows: Rows) -> None:
    # given
    ids = [rows.message(customer_id=customer, created_at=at)
           for customer, at in (("c-1", PAST), (None, FUTURE), ("c-2", FUTURE))]  # fmt: skip
    rows.message(customer_id="c-3", created_at="now() - interval '2 days'")
    # then
    ((since, customers, externals),) = rows.all(named_in_words.IDS, ids=ids)
    assert [since] == rows.firsts(f"SELECT {PAST}")
    assert (sorted(customers), sorted(externals)) == (["c-1", "c-2"], ["m1", "m2", "m3"])
