"""Each condition of the statements that count reviews and choose the next."""

from typing import Any

from sqlalchemy import TextClause

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.reading import review_queue

ASKED = {"holder": "ada/1", "run": None, "reason": None, "before_run": None, "before_job": None,
         "window": 9}  # fmt: skip
LEASE = {"kind": "review", "fence": 0, "holder": "bob/1", "reader": "bob", "since": PAST,
         "until": FUTURE}  # fmt: skip


def for_review(rows: Rows, run: int, reason: str = "schema", **lease: Any) -> int:
    """A job that wants a person, with somebody's lease on it where one is said."""
    job = rows.job(run, state="review", reason=reason)
    if lease:
        rows.insert("reading_leases", None, job_id=job, **LEASE | lease)
    return job


def test_how_many_wait_and_who_has_them(rows: Rows) -> None:
    # given
    run, other = rows.run(), rows.run()
    plain = for_review(rows, run)
    decided = for_review(rows, run, holder="bob/1")
    rows.insert("reviews", None, job_id=decided, verdict="accept", reviewer="ada")
    for_review(rows, run, holder="bob/1")
    for_review(rows, run, holder="ada/1")
    for_review(rows, run, until="now()")
    for_review(rows, run, kind="audit")
    last = for_review(rows, run, fence=1)
    for_review(rows, other, reason="refusal")
    rows.job(run, state="dead", reason="schema")

    judged = for_review(rows, run, holder="bob/1", reader="eve")
    rows.insert("reviews", None, job_id=judged, verdict="accept", reviewer="eve")
    rows.job(run, state="dead", reason="schema")
    beside = rows.job(other, state="answered")
    rows.insert("reading_leases", None, job_id=beside, **LEASE)

    def counted(statement: TextClause = review_queue.COUNT, **asked: Any) -> Any:
        (found,) = rows.all(statement, **ASKED | asked)
        return found

    # then
    for statement in (review_queue.COUNT, review_queue.COUNT_ALL):
        assert counted(statement) == (9, 7, 1)
        assert counted(statement, run=run) == (8, 6, 1)
        assert counted(statement, run=other) == (1, 1, 0)
        assert counted(statement, holder="bob/1")[2] == 1
    assert counted(reason="refusal") == (1, 1, 0)
    assert counted(before_run=run, before_job=last) == (6, 5, 1)
    assert counted(window=3) == (3, 2, 0)
    assert rows.all(review_queue.PLACE, job=plain) == [(run, plain)]


def test_which_review_is_the_next(rows: Rows) -> None:
    # given, of each run, the last that nobody else has before them
    def placed(**asked: Any) -> Any:
        (found,) = rows.all(review_queue.NEXT, **ASKED | asked)
        return found

    assert placed() == (None, None, None, None, 0)
    run, other = rows.run(), rows.run()
    first = for_review(rows, run)
    free = [for_review(rows, run, **lease) for lease in (
        {"holder": "ada/1"}, {"until": "now()"}, {"kind": "audit"}, {"fence": 1})]  # fmt: skip
    refused = for_review(rows, run, reason="refusal")
    decided = for_review(rows, run)
    rows.insert("reviews", None, job_id=decided, verdict="accept", reviewer="ada")
    for_review(rows, run, holder="bob/1")
    beside = for_review(rows, other)
    rows.job(other, state="dead", reason="schema")
    # then
    assert placed() == (other, beside, run, first, 9)
    assert placed(run=run) == (run, refused, run, first, 8)
    assert placed(run=run, reason="schema") == (run, free[-1], run, first, 8)
    assert placed(before_run=other, before_job=beside) == (run, refused, run, first, 8)
    for number, job in enumerate(reversed([first, *free]), 4):
        wanted = {"before_run": run, "before_job": job + 1}
        assert placed(**wanted)[1:] == (job, run, first, 9 - number)
    assert placed(before_run=run, before_job=first) == (None, None, None, None, 0)
    assert placed(window=2) == (other, beside, run, beside - 1, 2)
