"""Attempts in batches as they are read back, and runs that lose or leave the lane."""

import json

from tests.support.near_misses import Rows
from worker.store.queue import batch_claims, leaving_batch
from worker.store.rows import as_json


def test_a_judge_in_a_batch_is_read_back_with_the_answer_that_it_judges(rows: Rows) -> None:
    answered, judging, batch = rows.run(), rows.run(kind="judge"), rows.batch()
    first, second = (rows.job(answered, state="answered", tier="haiku", fence=1) for _ in "ab")
    for job, reply in ((first, "the first"), (second, "the second")):
        rows.attempt(job, fence=1, outcome="accepted")
        rows.insert("results", None, job_id=job, fence=1, reply=reply, tier="haiku", model="m",
                    accepted=True)  # fmt: skip
    job = rows.sent(judging, batch, origin_id=second)
    rows.call(job, worst_cost=1)
    told = as_json([{"job_id": job, "fence": 1}])
    (found,) = rows.connection.execute(batch_claims.READ_BACK, {"rows": told})
    assert found.judged == "the second"


def test_an_attempt_in_a_batch_is_read_back_with_its_own_context(rows: Rows) -> None:
    run, batch, mine, other = rows.run(), rows.batch(), rows.message(), rows.message()
    for message, digest, number in ((mine, "d", 1), (mine, "later", 2), (other, "d", 3)):
        rows.insert("contexts", None, message_id=message, digest=digest,
                    document=json.dumps({"number": number}))  # fmt: skip
    job = rows.sent(run, batch, message=mine)
    rows.connection.exec_driver_sql("UPDATE attempts SET context_digest = 'd'")
    rows.call(job, worst_cost=1)
    told = as_json([{"job_id": job, "fence": 1}])
    (found,) = rows.connection.execute(batch_claims.READ_BACK, {"rows": told})
    assert found.context == {"number": 1}


def test_only_active_runs_that_are_meant_are_paused_where_claude_has_no_batches(rows: Rows) -> None:
    meant, held = rows.run(lane="batch"), rows.run(lane="batch", state="paused")
    rows.run(lane="batch")
    values = {"runs": [meant, held], "why": "no batches", "by": "rung"}
    assert rows.firsts(leaving_batch.PAUSE_LANE, **values) == [meant]


def test_one_run_becomes_one_of_the_realtime_lane(rows: Rows) -> None:
    meant, other = rows.run(lane="batch"), rows.run(lane="batch")
    rows.connection.execute(leaving_batch.END_LANE, {"run": meant})
    lanes = "SELECT lane FROM runs WHERE id = :id"
    assert (rows.one(lanes, id=meant), rows.one(lanes, id=other)) == (("realtime",), ("batch",))
