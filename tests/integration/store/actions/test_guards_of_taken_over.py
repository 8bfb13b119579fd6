"""Each condition of the statements that take recorded answers over into a new run."""

from typing import Any

import pytest

from tests.support.near_misses import Rows
from worker.store.actions import taken_over
from worker.store.actions.taken_over import TakenOver


def test_new_jobs_of_a_run_come_in_groups(rows: Rows) -> None:
    # given
    run, other, old = rows.run(), rows.run(), rows.run()
    message = rows.message()
    origin = rows.answered(old, message)
    mine = [rows.job(run, origin_id=origin, state="queued") for _ in range(3)]
    rows.job(run, state="queued")
    rows.routed(run, origin_id=origin)
    rows.job(other, origin_id=origin, state="queued")
    # then
    every = rows.all(taken_over.JOBS, run=run, after=0, limit=9)
    assert every == [(job, origin) for job in mine]
    assert rows.firsts(taken_over.JOBS, run=run, after=mine[0], limit=1) == [mine[1]]


def test_answers_of_a_job_are_those_that_were_judged(rows: Rows) -> None:
    # given
    run = rows.run()
    mine, other = (rows.job(run, difficulty=label) for label in ("easy", "hard"))
    for job in (mine, other):
        rows.attempt(job, fence=1, stage="route", outcome="rejected")
        rows.attempt(job, fence=2, outcome="rejected")
        rows.attempt(job, fence=3, outcome="lost")
        rows.attempt(job, fence=4, outcome="accepted")
    # when
    found = list(rows.connection.execute(taken_over.ANSWERS, {"jobs": [mine]}))
    # then
    assert [(row.job_id, row.fence, row.difficulty) for row in found] == [
        (mine, 2, "easy"),
        (mine, 4, "easy"),
    ]


def test_a_reply_is_that_of_the_result_or_what_the_model_said(rows: Rows) -> None:
    # given: the third attempt judges what the second was told
    run = rows.run()
    mine, other = rows.job(run), rows.job(run)
    for job in (other, mine):
        rows.attempt(job, fence=1, outcome="accepted")
        rows.attempt(job, fence=2, outcome="deferred")
        rows.attempt(job, fence=3, outcome="rejected", answer_fence=2)
        for fence in (1, 2, 3):
            for purpose in ("check", "answer"):
                rows.call(job, fence=fence, purpose=purpose, state="done",
                          output=f"{job} {fence} {purpose}")  # fmt: skip
        rows.insert("results", None, job_id=job, fence=1, reply=f"reply {job}", tier="haiku",
                    model="m", accepted=True)  # fmt: skip
    silent = rows.answered(run)
    rows.connection.exec_driver_sql(f"UPDATE results SET reply = '' WHERE job_id = {silent}")
    # then
    wanted = [{"job_id": job, "fence": fence} for job, fence in ((mine, 1), (mine, 3), (silent, 1))]
    found = [(row[0], row[1], row[2], row[4]) for row in rows.all(taken_over.REPLIES, rows=wanted)]
    assert sorted(found, key=str) == sorted(
        [(mine, 1, f"reply {mine}", f"{mine} 1 answer"), (mine, 3, None, f"{mine} 2 answer"),
         (silent, 1, None, None)], key=str)  # fmt: skip


@pytest.fixture
def copies(rows: Rows) -> dict[str, int]:
    """Two origins with two attempts each, and the jobs of the new run that take them over, as an
    answer and as a best effort, beside one that is left alone."""
    old, older = rows.run(), rows.run()
    run = rows.run(policy_version="new")
    made = {"run": run, "left": rows.job(run, state="queued")}
    for version in ("k1", "k2"):
        for of in (old, older):
            rows.insert("run_knowledge", None, run_id=of, version=version, by="size", whole=True,
                        shown="{}", tokens_whole=1, tokens_searched=1, usd_whole=1, usd_searched=1,
                        model=f"m{of}", lane="realtime", messages=1)  # fmt: skip
    rows.job(older)
    for name, label, tiers in (("good", "easy", ("haiku", "opus")),
                               ("poor", "hard", ("sonnet", "fable"))):  # fmt: skip
        message = rows.message()
        origin = rows.job(old, message, state="review", difficulty=label)
        for fence, tier in enumerate(tiers, 1):
            version = {("good", 2): "k1", ("poor", 2): "k2"}.get((name, fence))
            rows.attempt(origin, fence=fence, tier=tier, outcome="rejected",
                         reasons=[f"{tier} {name}"], difficulty=label, confidence="0.5",
                         knowledge_version=version)  # fmt: skip
        made |= {f"{name} origin": origin, name: rows.job(run, message, origin_id=origin)}
    rows.call(made["good origin"], state="done", simulated=True)
    rows.call(made["poor origin"], state="done", simulated=False)
    return made


def taken(made: dict[str, int], name: str, fence: int, **more: Any) -> dict[str, Any]:
    return {"job": made[name], "origin": made[f"{name} origin"], "fence": fence, "rung": 1,
             "threshold": "0.4", "reason": more.get("reason"), "accepted": more["accepted"],
             "reply": f"reply {name}", "fields": None}  # fmt: skip


def test_what_is_taken_over_ends_its_job(rows: Rows, copies: dict[str, int]) -> None:
    # given
    group = [taken(copies, "good", 2, accepted=True),
             taken(copies, "poor", 1, accepted=False, reason="schema")]  # fmt: skip
    # when
    for statement in (taken_over.ATTEMPT, taken_over.PAGES, taken_over.RESULT, taken_over.END):
        rows.all(statement, rows=group, run=copies["run"])
    # then
    jobs = {copies[name]: name for name in ("good", "poor", "left")}
    told = rows.all("SELECT id, state, tier, rung, reason, difficulty FROM jobs WHERE run_id = :run"
                    " ORDER BY id", run=copies["run"])  # fmt: skip
    assert {jobs[row[0]]: tuple(row[1:]) for row in told} == {
        "good": ("answered", "opus", 1, None, "easy"),
        "poor": ("review", "sonnet", 1, "schema", "hard"),
        "left": ("queued", None, 0, None, None),
    }
    attempts = rows.all("SELECT job_id, a.tier, outcome, reasons, decision, policy_version, rule"
                        " FROM attempts AS a JOIN jobs ON id = job_id WHERE run_id = :run"
                        " ORDER BY job_id", run=copies["run"])  # fmt: skip
    rule = "taken over from job {}, attempt {}"
    assert attempts == [
        (copies["good"], "opus", "accepted", [], "accept", "new",
         rule.format(copies["good origin"], 2)),
        (copies["poor"], "sonnet", "rejected", ["sonnet poor"], "review", "new",
         rule.format(copies["poor origin"], 1)),
    ]  # fmt: skip
    results = rows.all("SELECT job_id, reply, tier, accepted, reasons, simulated FROM results"
                       " ORDER BY job_id")  # fmt: skip
    assert results == [
        (copies["good"], "reply good", "opus", True, [], True),
        (copies["poor"], "reply poor", "sonnet", False, ["sonnet poor"], False),
    ]
    pages = rows.all("SELECT version, model FROM run_knowledge WHERE run_id = :run",
                     run=copies["run"])  # fmt: skip
    (of_old,) = rows.all("SELECT run_id FROM jobs WHERE id = :job", job=copies["good origin"])
    assert pages == [("k1", f"m{of_old[0]}")]


@pytest.mark.parametrize(("lane", "rung", "begins"), [
    ("mixed", 1, "batch"), ("mixed", 0, "realtime"), ("realtime", 1, "realtime"),
])  # fmt: skip
def test_others_begin_where_they_should(rows: Rows, lane: str, rung: int, begins: str) -> None:
    # given
    rows.run(lane="mixed"), rows.run(lane="realtime")
    run = rows.run(lane=lane)
    mine, other = rows.job(run), rows.job(run)
    group = TakenOver(begins=[{"job": mine, "tier": "opus", "rung": rung, "difficulty": "hard"}])
    # when
    taken_over.write(rows.connection, run, group)
    # then
    told = rows.all("SELECT id, state, tier, rung, difficulty, lane FROM jobs ORDER BY id")
    assert told == [(mine, "routed", "opus", rung, "hard", begins),
                    (other, "queued", None, 0, None, "realtime")]  # fmt: skip
