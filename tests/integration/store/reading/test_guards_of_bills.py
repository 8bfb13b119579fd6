"""What was paid for answers that did not become the result, by jobs that each miss a condition."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.near_misses import Rows
from worker.store.reading import bill

ROUTED = {"state": "answered", "fence": 2, "attempts": 2, "difficulty": "SIMPLE"}


def paid(rows: Rows, job: int, fences: Mapping[int, int], **call: Any) -> None:
    """An answer under each fence, at so many dollars."""
    for fence, cost in fences.items():
        rows.attempt(job, fence=fence, outcome="accepted")
        rows.call(job, **{"fence": fence, "cost": cost, "state": "done"} | call)


def result_of(rows: Rows, job: int, fence: int) -> None:
    rows.insert("results", None, job_id=job, fence=fence, reply="r", tier="haiku", model="m",
                accepted=True)  # fmt: skip


@pytest.mark.parametrize(
    ("job", "result"),
    [
        (ROUTED | {"attempts": 3, "fence": 3}, 3),
        (ROUTED | {"attempts": 1}, 3),
        (ROUTED | {"difficulty": None}, 3),
        (ROUTED | {"deferrals": 1}, 3),
        (ROUTED | {"origin_id": 1}, 3),
        (ROUTED | {"state": "review"}, 3),
        (ROUTED | {"state": "dead", "attempts": 1, "difficulty": None}, None),
        ({"state": "routed", "tier": "haiku", "fence": 2, "attempts": 1, "difficulty": None}, None),
    ],
)
def test_whoever_may_have_been_answered_twice_is_looked_up(
    rows: Rows, job: dict[str, Any], result: int | None
) -> None:
    run = rows.run()
    made = rows.job(run, **job)
    paid(rows, made, {2: 5, 3: 7} if result else {2: 5})
    if result:
        result_of(rows, made, result)
    assert rows.one(bill.REJECTED.text, run=run)[0] == 5


def test_what_became_the_result_is_nobodys_loss_and_other_calls_are_other_lines(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    checked = rows.job(run, **ROUTED | {"attempts": 3, "fence": 3})
    paid(rows, checked, {2: 5})
    rows.attempt(checked, fence=3, outcome="accepted", answer_fence=2)
    result_of(rows, checked, 3)
    plain = rows.job(run, **ROUTED | {"attempts": 3})
    paid(rows, plain, {2: 6})
    result_of(rows, plain, 2)
    rows.attempt(plain, fence=4, outcome="failed")
    rows.call(plain, fence=4, state="failed", cost=9)
    rows.call(plain, fence=4, purpose="check", state="done", cost=9)
    paid(rows, rows.job(other, state="dead", fence=1), {1: 8})
    assert rows.one(bill.REJECTED.text, run=run)[0] is None


def test_most_jobs_were_answered_once_and_their_calls_are_not_looked_up(rows: Rows) -> None:
    run = rows.run()
    for job in (ROUTED, ROUTED | {"attempts": 1, "difficulty": None}):
        paid(rows, rows.job(run, **job), {2: 5})
    # What nobody has claimed was not answered either.
    paid(rows, rows.job(run), {1: 4})
    assert rows.one(bill.REJECTED.text, run=run)[0] is None


def test_another_jobs_result_makes_no_answer_a_result(rows: Rows) -> None:
    run = rows.run()
    paid(rows, rows.job(run, state="dead", fence=1), {1: 8})
    beside = rows.job(run, **ROUTED)
    paid(rows, beside, {1: 3})
    result_of(rows, beside, 1)
    assert rows.one(bill.REJECTED.text, run=run)[0] == 8


def test_a_bill_is_of_its_runs_and_of_what_was_called(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    line = {"tier": "haiku", "model": "m", "lane": "realtime", "state": "done", "simulated": False}
    for of, purpose, calls in ((run, "answer", 2), (run, "check", 0), (other, "answer", 5)):
        rows.insert("run_spend", None, run_id=of, purpose=purpose, calls=calls, **line)
    rows.job(run)
    rows.job(other)
    assert [found.calls for found in bill.spend_of(rows.connection, [run])] == [2]
    assert rows.all(bill.STATES, run=run) == [("queued", 1)]
