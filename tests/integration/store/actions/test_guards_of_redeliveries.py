"""Each condition of the statements that post answers once more, by rows that miss one each."""

import pytest

from tests.integration.store.queue.test_guards_of_deliveries import (
    delivery,
    result,
    states,
    target,
)
from tests.support.near_misses import FUTURE, Rows
from worker.store.actions import redeliveries


@pytest.mark.parametrize(
    ("dead", "of_run", "again"),
    [
        (False, False, ["delivered", "dead", "elsewhere"]),
        (True, False, ["dead"]),
        (False, True, ["delivered", "dead"]),
        (True, True, ["dead"]),
    ],
)
def test_what_is_sent_again(rows: Rows, dead: bool, of_run: bool, again: list[str]) -> None:
    target(rows)
    target(rows, "other")
    run = rows.run()
    made = {
        state: delivery(rows, "crm", job=rows.job(run, state="answered"), state=state, tries=3,
                        error="503", next_try_at=FUTURE)
        for state in ("delivered", "dead", "withdrawn")
    }  # fmt: skip
    made["elsewhere"] = delivery(rows, "crm", state="delivered")
    delivery(rows, "other", job=made["dead"], state="dead")
    rows.all(redeliveries.REPLAY, name="crm", dead=dead, run=run if of_run else None)
    fresh = rows.all(
        "SELECT job_id FROM deliveries WHERE state = 'waiting' AND target = 'crm' AND tries = 0"
        " AND error IS NULL AND ended_at IS NULL AND next_try_at = now()"
    )
    assert sorted(fresh) == sorted((made[name],) for name in again)
    assert rows.one("SELECT count(*) FROM deliveries WHERE state = 'waiting'") == (len(again),)


@pytest.mark.parametrize(
    ("result_of", "verdicts", "is_posted"),
    [
        ({}, [], True),
        ({"accepted": False}, [], False),
        ({"accepted": False}, ["accept"], True),
        ({"accepted": False}, ["reject", "edit"], True),
        ({}, ["accept", "reject"], False),
        ({"simulated": True}, [], False),
    ],
)
def test_what_was_ready_before_the_webhook_is_made_up_for(
    rows: Rows, result_of: dict[str, object], verdicts: list[str], is_posted: bool
) -> None:
    run, job = rows.run(), 0
    job = rows.job(run, state="answered")
    result(rows, job, **result_of)
    for said in verdicts:
        rows.insert("reviews", None, job_id=job, verdict=said, reviewer="ada", reason="no",
                    reply="Ours." if said == "edit" else None)  # fmt: skip
    elsewhere = rows.answered(rows.run())
    # What was said last is of another answer.
    contrary = "reject" if is_posted else "accept"
    rows.insert("reviews", None, job_id=elsewhere, verdict=contrary, reviewer="ada", reason="no")
    rows.job(run)
    target(rows)
    target(rows, "other")
    rows.all(redeliveries.MAKE_UP, name="crm", run=run)
    assert (job in states(rows)) == is_posted
    assert elsewhere not in states(rows)
    assert rows.all("SELECT FROM deliveries WHERE target <> 'crm'") == []


@pytest.mark.parametrize(
    ("run_of", "target_of", "is_posted"),
    [
        ({}, {}, True),
        ({"kind": "judge"}, {}, False),
        ({"kind": "shadow"}, {}, False),
        ({}, {"enabled": False}, False),
    ],
)
def test_whose_answers_are_made_up_for(
    rows: Rows, run_of: dict[str, object], target_of: dict[str, object], is_posted: bool
) -> None:
    run = rows.run(**run_of)
    job = rows.answered(run)
    target(rows, **target_of)
    rows.all(redeliveries.MAKE_UP, name="crm", run=run)
    assert (job in states(rows)) == is_posted


def test_what_is_simulated_is_made_up_for_where_it_is_asked_for(rows: Rows) -> None:
    run = rows.run()
    target(rows, simulated=True)
    job = rows.job(run, state="answered")
    result(rows, job, simulated=True)
    had = rows.job(run, state="answered")
    result(rows, had, simulated=True)
    rows.all("UPDATE deliveries SET state = 'dead', ended_at = now() WHERE job_id = :job", job=had)
    rows.all("DELETE FROM deliveries WHERE job_id = :job", job=job)
    rows.all(redeliveries.MAKE_UP, name="crm", run=run)
    assert states(rows) == {job: "waiting", had: "dead"}
