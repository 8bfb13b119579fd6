"""Each condition of the statements that show answers to be read, alone, beside another run's, or in
clusters."""

from typing import Any

import pytest

from tests.support.near_misses import Rows
from worker.store.reading import clusters, comparing, exchanges, side_by_side

STATES = ("answered", "review", "dead", "queued")
ANSWERED = 2
"""Of STATES, the first."""


@pytest.fixture
def runs(rows: Rows) -> tuple[list[int], list[list[int]]]:
    """Three runs with a job in each state of each of the same messages, and those jobs."""
    made = [rows.run() for _ in range(3)]
    messages = [rows.message(channel=f"c{n}", subject=f"s{n}", body=f"b{n}") for n in range(4)]
    jobs = [[rows.job(run, message, state=state, tier="haiku") for message, state
             in zip(messages, STATES, strict=True)] for run in made]  # fmt: skip
    return made, jobs


def told(rows: Rows, job: int, reply: str) -> None:
    """An answer of the second attempt, and a step up the ladder."""
    for fence in (1, 2):
        rows.attempt(job, fence=fence, outcome="accepted", threshold=f"0.{fence}")
    rows.insert("results", None, job_id=job, fence=2, reply=reply, tier="opus", model="m",
                accepted=True, confidence="0.5")  # fmt: skip
    rows.insert("escalations", None, job_id=job, fence=1, from_tier="haiku", to_tier="opus",
                reason=f"r{job}")  # fmt: skip


def test_answers_of_a_run_are_chosen_among_its_own(rows: Rows, runs: Any) -> None:
    # given
    made, jobs = runs
    run, mine = made[1], jobs[1]
    messages = rows.firsts("SELECT message_id FROM jobs WHERE run_id = :run", run=run)
    # then
    assert rows.firsts(side_by_side.FEW, run=run, limit=9) == mine[:ANSWERED]
    assert rows.firsts(side_by_side.FEW, run=run, limit=1) == mine[:1]
    rows.job(made[0]), rows.job(made[2])
    assert rows.all(side_by_side.BOUNDS, run=run) == [(messages[0], messages[-1])]
    late = rows.run()
    rows.job(late), rows.job(late)
    assert rows.all(side_by_side.BOUNDS, run=late) == rows.all(
        "SELECT min(message_id), max(message_id) FROM jobs WHERE run_id = :run", run=late
    )
    every = {"run": run, "near": 9, "together": 9}
    assert rows.firsts(side_by_side.MANY, points=[messages[0]], **every) == mine[:ANSWERED]
    assert rows.firsts(side_by_side.MANY, points=[messages[1]], **every) == mine[1:ANSWERED]


def test_the_same_messages_in_another_run(rows: Rows, runs: Any) -> None:
    # given
    made, jobs = runs
    told(rows, jobs[0][0], "a"), told(rows, jobs[1][0], "a"), told(rows, jobs[2][0], "b")
    # then
    mine = jobs[0]
    same = [(mine[0], jobs[1][0], False), (mine[1], jobs[1][1], False)]
    assert sorted(rows.all(side_by_side.PAIRED, ids=mine, run=made[1])) == same
    other = [(mine[0], jobs[2][0], True), (mine[1], jobs[2][1], False)]
    assert sorted(rows.all(side_by_side.PAIRED, ids=mine, run=made[2])) == other
    assert rows.all(side_by_side.PAIRED, ids=mine[2:], run=made[1]) == []


def test_an_answer_as_it_is_shown(rows: Rows, runs: Any) -> None:
    # given
    _, jobs = runs
    for of in jobs:
        told(rows, of[0], f"said {of[0]}")
        rows.insert(
            "reviews", None, job_id=of[1], verdict="edit", reply=f"e{of[1]}", reviewer="ada"
        )
    mine = jobs[1]
    # then
    found = rows.connection.execute(side_by_side.SHOWN, {"ids": mine[:2]}).mappings()
    columns = ("job", "run", "channel", "state", "tier", "threshold", "climbs")
    first, second = ([str(row[name]) for name in columns] for row in found)
    assert first == [str(mine[0]), "run2", "c0", "answered", "opus", "0.2000",
                     f"['haiku → opus: r{mine[0]}']"]  # fmt: skip
    assert second == [str(mine[1]), "run2", "c1", "review", "haiku", "None", "None"]
    whole = rows.all(exchanges.EXCHANGES, ids=mine[:3], characters=99)
    assert sorted(whole) == [
        (mine[0], "s0", "b0", f"said {mine[0]}", None),
        (mine[1], "s1", "b1", f"e{mine[1]}", "edit"),
        (mine[2], "s2", "b2", None, None),
    ]


def test_two_runs_message_by_message(rows: Rows, runs: Any) -> None:
    # given
    made, jobs = runs
    alone = [rows.job(run) for run in made]
    for of, reply in zip(jobs, ("a", "b", "a"), strict=True):
        told(rows, of[0], reply)
    # when
    found = rows.connection.execute(comparing.PAIRS, {"a": made[0], "b": made[2]}).mappings().all()
    # then
    assert [(row["job_a"], row["job_b"], row["same_reply"]) for row in found] == [
        (jobs[0][0], jobs[2][0], True),
        *((a, b, None) for a, b in zip(jobs[0][1:], jobs[2][1:], strict=True)),
        (alone[0], None, None),
        (None, alone[2], None),
    ]
    beside = [rows.run(selection=f'{{"compared_with": {run}}}') for run in made]
    assert comparing.compared_with(rows.connection, beside[1]) == made[1]


def test_what_is_put_into_clusters(rows: Rows, runs: Any) -> None:
    # given
    made, jobs = runs
    erased = rows.job(made[1], rows.message(erased_at="now()"))
    judge, shadow = rows.run(kind="judge"), rows.run(kind="shadow")
    asked = [rows.job(judge), rows.job(shadow)]
    every = sorted(job for of in jobs for job in of)
    # then
    newest = rows.all(clusters.NEWEST, run=None, most=99)
    assert [(row[0], row[1].partition("/")[0]) for row in newest] == [
        (job, f"run{number}") for number, of in enumerate(jobs, 1) for job in of
    ]
    assert rows.firsts(clusters.NEWEST, run=None, most=len(asked) + 2) == every[-1:]
    assert rows.firsts(clusters.NEWEST, run=made[1], most=99) == jobs[1]
    assert rows.firsts(clusters.NEWEST, run=made[1], most=2) == jobs[1][-1:]
    assert erased not in rows.firsts(clusters.NEWEST, run=made[1], most=99)


def test_clusters_of_what_waits_for_a_person(rows: Rows, runs: Any) -> None:
    # given: of each run one waits in a cluster of all of them, and one in the second cluster
    made, jobs = runs
    of_review = STATES.index("review")
    more = [rows.job(run, state="review") for run in made]
    for table in ("clustered_reviews", "review_cluster_counts", "review_clusters"):
        rows.forget(table)
    together = [of[of_review] for of in jobs]
    for run, first, second in zip(made, together, more, strict=True):
        rows.insert("clustered_reviews", None, job_id=first, run_id=run, cluster_id=7)
        rows.insert("clustered_reviews", None, job_id=second, run_id=run, cluster_id=8)
    new = rows.job(made[0], state="review")
    rows.all("DELETE FROM clustered_reviews WHERE job_id = :id", id=new)
    rows.insert("clustered_reviews", None, job_id=new, run_id=made[0], cluster_id=None)
    rows.forget("review_cluster_counts")
    for run, cluster, waiting in ((0, 7, 3), (0, 8, 4), (made[1], 7, 1), (made[1], 8, 1)):
        rows.insert("review_cluster_counts", None, run_id=run, cluster_id=cluster, waiting=waiting)
    every = {"lowest": 0, "highest": made[-1], "least": 1, "most": 9}
    one = {"run": made[1], "lowest": made[1], "highest": made[1], "least": 1, "most": 9}
    # then
    assert rows.all(clusters.LARGEST, run=0, **every) == [
        (8, 4, more[0], more[2]), (7, 3, together[0], together[2])]  # fmt: skip
    assert rows.all(clusters.LARGEST, run=0, **every | {"least": 4}) == [(8, 4, more[0], more[2])]
    assert rows.all(clusters.LARGEST, run=0, **every | {"most": 1}) == [(8, 4, more[0], more[2])]
    assert rows.all(clusters.LARGEST, **one) == [
        (7, 1, together[1], together[1]), (8, 1, more[1], more[1])]  # fmt: skip
    assert rows.firsts(clusters.JOBS, cluster=7, lowest=0, highest=made[-1]) == together
    assert rows.firsts(clusters.JOBS, cluster=7, lowest=made[1], highest=made[1]) == together[1:2]
    assert rows.firsts(clusters.CLUSTER_OF, job=more[1]) == [8]
    assert rows.all(clusters.NOT_COMPARED, most=9) == [(1,)]
    found = rows.all(clusters.TEXTS, ids=together[1:])
    assert sorted((row[0], row[1].partition("/")[0], row[5]) for row in found) == [
        (together[1], "run2", "s1 b1"), (together[2], "run3", "s1 b1")]  # fmt: skip
