"""Each condition of the statements behind a job's receipt, and of those that find the job."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.support.near_misses import PAST, Rows
from worker.errors import UsageError
from worker.store.reading import receipts


def test_a_job_is_found_by_each_of_its_names(rows: Rows) -> None:
    # given
    first, second = rows.run(), rows.run()
    wanted, beside = rows.message(external_id="wanted"), rows.message(external_id="beside")
    in_first, in_second = rows.job(first, wanted), rows.job(second, wanted)
    rows.job(first, beside)
    # then
    mine = (in_first, "run1", "wanted")
    assert rows.all(receipts.BY_NUMBER, id=in_first) == [mine]
    assert rows.all(receipts.BY_RUN, id="wanted", run="run1") == [mine]
    assert rows.all(receipts.BY_EXTERNAL_ID, id="wanted") == [(in_second, "run2", "wanted"), mine]
    (job,) = rows.connection.execute(receipts.JOB, {"job": in_first}).mappings()
    assert (job["job"], job["run"], job["external_id"]) == mine


def test_a_number_that_is_an_id_too_is_asked_back_of_people(rows: Rows) -> None:
    # given helpdesks' ids, which are numbers: the second job has the first one's number as its id
    run = rows.run()
    first = rows.job(run, rows.message(external_id="wanted"))
    second = rows.job(run, rows.message(external_id=str(first)))
    # then a person says which, in words that the refusal has ready
    with pytest.raises(UsageError) as refused:
        receipts.find_job(rows.connection, str(first))
    assert (str(refused.value), refused.value.mend) == (
        f"'{first}' names 2 jobs.",
        f"name one: run1/wanted, run1/{first}",
    )
    assert receipts.find_job(rows.connection, f"run1/{first}") == second
    assert receipts.find_job(rows.connection, str(second)) == second
    # and a program's number, which it was given, is that job's
    assert receipts.find_job_for_a_program(rows.connection, str(first)) == first
    assert receipts.find_job_for_a_program(rows.connection, "wanted") == first


def test_a_job_whose_id_is_its_own_number_is_one_job(rows: Rows) -> None:
    run, message = rows.run(), rows.message(external_id="wanted")
    job = rows.job(run, message)
    rows.connection.execute(text("UPDATE messages SET external_id = :id"), {"id": str(job)})
    assert receipts.find_job(rows.connection, str(job)) == job


@pytest.fixture
def told(rows: Rows) -> Any:
    """What each statement says of a job beside which there is another, with all that one may
    have."""
    run = rows.run()
    jobs = [rows.answered(run) for _ in range(2)]
    (mine, of_mine), (beside, of_beside) = rows.all("SELECT id, message_id FROM jobs ORDER BY id")
    assert [mine, beside] == jobs
    for message, digest in ((of_mine, "a"), (of_mine, "b"), (of_beside, "a")):
        rows.insert("contexts", None, message_id=message, digest=digest,
                    document=f'{{"of": "{message == of_mine} {digest}"}}')  # fmt: skip
    rows.attempt(mine, fence=2, outcome="rejected", context_digest="a",
                 available_at=PAST, claimed_at="now() - interval '20 min'",
                 finished_at="now() - interval '15 min'")  # fmt: skip
    for job in jobs:
        rows.call(job, request_id=f"req {job == mine}")
        rows.insert("escalations", None, job_id=job, fence=1, from_tier="haiku", to_tier="opus",
                    reason=f"{job == mine}")  # fmt: skip
        rows.insert("reviews", None, job_id=job, verdict="accept", reviewer=f"{job == mine}")

    def of(statement: Any) -> list[dict[str, Any]]:
        found = rows.connection.execute(statement, {"job": mine}).mappings()
        return [dict(row) for row in found]

    return of, mine


def test_a_receipt_holds_what_is_of_its_job_alone(told: Any) -> None:
    of, mine = told
    assert [row["reason"] for row in of(receipts.STEPS)] == ["True"]
    assert [row["reviewer"] for row in of(receipts.REVIEWS)] == ["True"]
    assert [row["request_id"] for row in of(receipts.CALLS)] == ["req True"]
    assert [row["reply"] for row in of(receipts.RESULT)] == [f"reply {mine}"]


def test_an_attempt_says_what_was_shown_and_how_long_it_took(told: Any) -> None:
    of, _ = told
    plain, seen = of(receipts.ATTEMPTS)
    assert (plain["fence"], plain["shown"]) == (1, None)
    assert (seen["fence"], seen["shown"]) == (2, {"of": "True a"})
    assert (seen["waited_s"], seen["took_s"]) == (2400, 300)


def test_an_example_is_the_job_of_its_run_that_climbed_most(rows: Rows) -> None:
    before, run, after = rows.run(), rows.run(), rows.run()
    for of, name, climbs in ((before, "before", 5), (run, "plain", 0), (run, "climbed", 2),
                             (after, "after", 9)):  # fmt: skip
        rows.job(of, rows.message(external_id=name), escalations=climbs)
    assert rows.all(receipts.EXAMPLE, run=run) == [("climbed",)]
