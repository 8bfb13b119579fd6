"""Each condition of the statements that read recorded jobs for forecasts, decided jobs for a
replay, and what jobs paid before they were answered."""

from typing import Any

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.queue import history
from worker.store.reading import paid, records, replay


def recorded(rows: Rows, job: int) -> None:
    """A routed job with an answer that was rejected, one that was accepted, and one open."""
    rows.attempt(job, fence=1, stage="route", outcome="rejected", cost=1)
    rows.attempt(job, fence=2, outcome="rejected", cost=2, lane="batch")
    rows.attempt(job, fence=3, outcome="accepted", cost=3)
    rows.attempt(job, fence=4)
    rows.insert("results", None, job_id=job, fence=3, reply="four", tier="haiku", model="m",
                accepted=True)  # fmt: skip


def forecast(rows: Rows, **asked: Any) -> list[Any]:
    values = {"policy": None, "before": None, "most": 99, "segment": None} | asked
    return list(rows.connection.execute(records.JOBS, values).mappings())


def test_a_forecast_is_made_of_answers_of_jobs_that_ended(rows: Rows) -> None:
    # given
    run, other, later = (
        rows.run(policy_name="a"),
        rows.run(policy_name="b"),
        rows.run(policy_name="a"),
    )
    inquiry = rows.run(policy_name="a", kind="judge")
    said = {"difficulty": "easy"}
    mine = [rows.job(run, state=state, **said) for state in ("answered", "review")]
    theirs, latest = rows.job(other, state="answered"), rows.job(later, state="answered")
    others = [rows.job(run, state="dead"), rows.job(inquiry, state="answered")]
    for job in (*mine, theirs, latest, *others):
        recorded(rows, job)
    # then
    every = forecast(rows)
    assert sorted({row["job_id"] for row in every}) == [*mine, theirs, latest]
    of_one = [row for row in every if row["job_id"] == mine[0]]
    assert [(row["fence"], row["stage"], row["cost"], row["judged"]) for row in of_one] == [
        (1, "route", 1, True), (2, "answer", 4, True), (3, "answer", 3, True)]  # fmt: skip
    assert {row["job_id"] for row in forecast(rows, policy="a")} == {*mine, latest}
    assert {row["job_id"] for row in forecast(rows, before=later)} == {*mine, theirs}
    assert {row["job_id"] for row in forecast(rows, most=1)} == {latest}


@pytest.mark.parametrize(("segment", "is_of"), [
    (None, None), ("difficulty", "easy"), ("channel", "mail"), ("language", "de"), ("vip", "yes"),
])  # fmt: skip
def test_of_what_segment_a_recorded_job_is(
    rows: Rows, segment: str | None, is_of: str | None
) -> None:
    # given
    run = rows.run()
    metadata = '{"difficulty": 1, "channel": 1, "language": 1, "vip": "yes"}'
    for difficulty, channel, language in (("easy", "mail", "de"), ("hard", "chat", "en")):
        message = rows.message(channel=channel, language=language, metadata=metadata)
        recorded(rows, rows.job(run, message, state="answered", difficulty=difficulty))
    # then
    (first,) = {row["job_id"] for row in forecast(rows, most=2)} - {
        row["job_id"] for row in forecast(rows, most=1)
    }
    of = [row for row in forecast(rows, segment=segment) if row["job_id"] == first]
    assert [row["segment"] for row in of] == [is_of] * 3
    assert [row["length"] for row in of] == [None, None, None if segment is None else 4]


def test_the_pace_of_a_lane_is_that_of_its_finished_runs(rows: Rows) -> None:
    # given
    ended = {"state": "finished", "created_at": PAST, "finished_at": FUTURE}
    mine = rows.run(**ended)
    for columns in ({"state": "active"}, {"kind": "judge"}, {"lane": "batch"},
                    {"finished_at": PAST, "created_at": FUTURE}, {}):  # fmt: skip
        other = rows.run(**ended | columns)
        if columns:
            rows.insert("run_counts", None, run_id=other, state="answered", tier="", jobs=5)
    later = rows.run(**ended)
    for state, jobs in (("answered", 3), ("dead", 1)):
        rows.insert("run_counts", None, run_id=mine, state=state, tier="", jobs=jobs)
    rows.insert("run_counts", None, run_id=later, state="dead", tier="", jobs=2)
    # then
    assert rows.all(records.PACES, lane="realtime", before=None) == [(2, 7200), (4, 7200)]
    assert rows.all(records.PACES, lane="realtime", before=later) == [(4, 7200)]


def test_what_was_paid_before_the_first_answer(rows: Rows) -> None:
    # given
    run, other = rows.run(), rows.run()
    mine, review = rows.job(run, state="answered"), rows.job(run, state="review")
    dead, theirs = rows.job(run, state="dead"), rows.job(other, state="answered")
    for job in (review, mine, dead, theirs):
        scale = 1 + 10 * (job != mine)
        for fence, (stage, purpose, state) in enumerate((
            ("route", "classify", "done"), ("answer", "answer", "failed"),
            ("answer", "answer", "done"), ("answer", "answer", "done"),
        )):  # fmt: skip
            rows.attempt(
                job, fence=fence, stage=stage, outcome="rejected", cost=scale * (1 + fence)
            )
            rows.call(job, fence=fence, purpose=purpose, state=state, input_tokens=scale * fence)
    silent = rows.job(run, state="answered")
    # then
    for found in (rows.all(paid.PAID_BY_RUNS, runs=[run]),
                  rows.all(paid.PAID_BY_JOBS, ids=[mine, review, dead, silent])):  # fmt: skip
        assert sorted(row[:4] for row in found) == [
            (mine, 1, True, 2), (review, 11, True, 22), (silent, None, False, None)]  # fmt: skip


def test_what_a_decision_rested_on(rows: Rows) -> None:
    # given: the answer of the second attempt is judged by the third
    run, other = rows.run(), rows.run()
    for version in ("p", "q"):
        rows.insert("prompts", None, version=version, purpose="answer", text=f"words of {version}")
    for job in (rows.job(other), mine := rows.job(run)):
        for digest in (b"a", b"b"):
            (message,) = rows.firsts("SELECT message_id FROM jobs WHERE id = :id", id=job)
            rows.insert("contexts", None, message_id=message, digest=digest,
                        document=f'{{"of": {job}, "digest": "{digest.decode()}"}}')  # fmt: skip
        for fence, answer in ((1, None), (2, None), (3, 2)):
            rows.attempt(job, fence=fence, outcome="rejected", answer_fence=answer,
                         context_digest=b"b" if fence == 2 else None)  # fmt: skip
            for purpose in ("answer", "check"):
                rows.call(job, fence=fence, purpose=purpose, state="done",
                          output=f"{job} {fence} {purpose}")  # fmt: skip
    # when
    found = rows.connection.execute(replay.ATTEMPTS, {"run": run}).mappings().all()
    # then
    told = [(row["fence"], row["prompt"], row["output"], row["check_output"], row["context"])
            for row in found]  # fmt: skip
    assert told == [
        (1, "words of p", f"{mine} 1 answer", f"{mine} 1 check", None),
        (2, "words of p", f"{mine} 2 answer", f"{mine} 2 check", {"of": mine, "digest": "b"}),
        (3, "words of p", f"{mine} 2 answer", f"{mine} 3 check", None),
    ]
    (message,) = rows.firsts("SELECT message_id FROM jobs WHERE id = :id", id=mine)
    assert {row["external_id"] for row in found} == set(
        rows.firsts("SELECT external_id FROM messages WHERE id = :id", id=message)
    )


def test_what_earlier_attempts_brought(rows: Rows) -> None:
    # given: what was asked, how it came out, and what call it was
    run = rows.run()
    wanted = list[int]()
    for job in (rows.job(run), mine := rows.job(run)):
        for fence, (stage, outcome, decision, purpose, state, counts) in enumerate((
            ("route", "rejected", "again", None, None, True),
            ("route", "rejected", "climb", "answer", "done", False),
            ("answer", "rejected", None, "answer", "done", True),
            ("answer", "rejected", None, "check", "done", False),
            ("answer", "accepted", None, "answer", "done", False),
            ("answer", "deferred", None, "answer", "done", True),
            ("answer", "deferred", None, "answer", "failed", False),
            ("answer", "lost", None, "answer", "done", False),
        ), 1):  # fmt: skip
            rows.attempt(job, fence=fence, stage=stage, outcome=outcome, decision=decision)
            if purpose:
                rows.call(job, fence=fence, purpose=purpose, state=state, output=f"{job} {fence}")
            if counts and job == mine:
                wanted.append(fence)
        rows.attempt(job, fence=9, outcome="rejected", answer_fence=6)
    # then
    found = rows.connection.execute(history.PAST, {"ids": [mine]}).mappings().all()
    assert [(row["fence"], row["output"]) for row in found] == [
        (1, None), (3, f"{mine} 3"), (6, f"{mine} 6"), (9, f"{mine} 6")]  # fmt: skip
    assert wanted == [1, 3, 6]
