"""Each condition of the batch lane's statements, by rows of which each misses one."""

from typing import Any

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.queue import batch_attempts, batch_claims, leaving_batch, slices
from worker.store.queue import message_batches as batches
from worker.store.rows import as_json


def two_batches(rows: Rows, **columns: Any) -> tuple[int, int]:
    return rows.batch(**columns), rows.batch(**columns)


def test_batches_are_looked_at_when_they_are_due(rows: Rows) -> None:
    due = rows.batch(state="submitted", next_poll_at=PAST)
    rows.batch(state="submitted", next_poll_at=FUTURE)
    rows.batch(state="ended", next_poll_at=PAST)
    assert rows.firsts(batches.OPEN, state="submitted") == [due]


def test_the_age_of_a_batch_is_that_of_its_last_sending(rows: Rows) -> None:
    rows.batch(submitted_at="now() - interval '60 s'", created_at=PAST)
    rows.batch(created_at=PAST)
    assert [int(row[-1]) for row in rows.all(batches.OPEN, state="intended")] == [60, 3600]


def test_ids_at_claude_are_known_or_somebody_elses(rows: Rows) -> None:
    rows.batch(external_id="mine")
    rows.batch(external_id="other")
    rows.batch(counts='{"foreign": ["theirs"]}')
    rows.batch(state="recorded", counts='{"foreign": ["long ago"]}')
    assert rows.firsts(batches.KNOWN, ids=["mine"]) == ["mine", "theirs"]


@pytest.mark.parametrize(
    ("statement", "values", "before", "after"),
    [
        (batches.SUBMITTED, {"external_id": "x", "simulated": True}, "intended", "submitted"),
        (batches.LOOKED, {"counts": "{}", "ended": True, "poll": 9}, "submitted", "ended"),
        (batches.LOOKED, {"counts": "{}", "ended": False, "poll": 9}, "submitted", "submitted"),
    ],
)
def test_a_batch_only_moves_on(
    rows: Rows, statement: Any, values: dict[str, Any], before: str, after: str
) -> None:
    one, other = two_batches(rows, state=before)
    closed = rows.batch(state="recorded")
    rows.all(statement, id=one, **values)
    rows.all(statement, id=closed, **values)
    told = "SELECT state FROM message_batches WHERE id = :id"
    assert [rows.one(told, id=id_)[0] for id_ in (one, other, closed)] == [
        after, before, "recorded",
    ]  # fmt: skip


@pytest.mark.parametrize(("ended", "wait"), [(True, 0), (False, 9)])
def test_the_next_look_at_a_batch(rows: Rows, ended: bool, wait: int) -> None:
    one = rows.batch(state="submitted", counts='{"kept": 1}')
    rows.all(batches.LOOKED, id=one, counts='{"new": 2}', ended=ended, poll=9)
    told = rows.one("SELECT counts, ended_at IS NOT NULL, extract(epoch FROM next_poll_at - now())"
                    "::int FROM message_batches")  # fmt: skip
    assert told == ({"kept": 1, "new": 2}, ended, wait)


def test_what_is_said_of_one_batch_is_said_of_no_other(rows: Rows) -> None:
    one, other = two_batches(rows, state="submitted", external_id=None, counts='{"kept": 1}')
    rows.all(batches.NOTE_ERROR, id=one, error="no", wait=9, counts='{"reads": 1}')
    rows.all(batches.CANCELLING, id=one)
    rows.all(batches.SET_EXTERNAL_ID, id=one, external_id="x")
    rows.all(batches.CLOSE, id=one, state="failed", counts='{"missing": 2}', error="no")
    told = ("SELECT state, error, external_id, counts, cancelled_at IS NOT NULL, recorded_at IS NOT"
            " NULL FROM message_batches WHERE id = :id")  # fmt: skip
    counts = {"kept": 1, "reads": 1, "missing": 2}
    assert rows.one(told, id=one) == ("failed", "no", "x", counts, True, True)
    assert rows.one(told, id=other) == ("submitted", None, None, {"kept": 1}, False, False)
    rows.all(batches.DISOWN, id=one, external_id="theirs")
    rows.all(batches.DISOWN, id=one, external_id="others")
    assert rows.one(told, id=one)[3] == {"foreign": ["theirs", "others"]}
    assert rows.one(told, id=other)[3] == {"kept": 1}
    assert rows.all(batches.EXTERNAL_ID, id=other) == [(None,)]
    assert rows.firsts(batches.LOCK_TWO, ids=[one]) == [one]


def test_an_error_is_looked_at_again_after_its_time(rows: Rows) -> None:
    one = rows.batch()
    rows.all(batches.NOTE_ERROR, id=one, error="no", wait=9, counts="{}")
    wait = "extract(epoch FROM next_poll_at - now())::int"
    assert rows.one(f"SELECT {wait} FROM message_batches") == (9,)


@pytest.mark.parametrize(("state", "becomes"), [("ended", "submitted"), ("intended", "intended")])
def test_a_batch_with_another_id_is_looked_at_anew(rows: Rows, state: str, becomes: str) -> None:
    rows.all(batches.SET_EXTERNAL_ID, id=rows.batch(state=state), external_id="x")
    assert rows.one("SELECT state FROM message_batches") == (becomes,)


def test_a_create_that_leaves_forgets_its_refusal(rows: Rows) -> None:
    one, other = two_batches(rows, counts='{"refused": true, "kept": 1}')
    closed = rows.batch(state="failed", counts='{"refused": true}')
    for batch in (one, closed):
        rows.all(batches.SENDING, id=batch, requests=7)
    told = "SELECT counts, requests FROM message_batches WHERE id = :id"
    assert rows.one(told, id=one) == ({"kept": 1}, 7)
    assert rows.one(told, id=other) == ({"refused": True, "kept": 1}, 1)
    assert rows.one(told, id=closed) == ({"refused": True}, 1)


@pytest.mark.parametrize(
    ("batch", "job", "unwanted"),
    [
        ({}, {}, False),
        ({}, {"lane": "realtime"}, True),
        ({}, {"state": "cancelled"}, True),
        ({}, {"fence": 2}, True),
        ({"cancelled_at": PAST}, {"lane": "realtime"}, False),
        ({"state": "ended"}, {"lane": "realtime"}, False),
    ],
)
def test_a_batch_that_nobody_waits_for(
    rows: Rows, batch: dict[str, Any], job: dict[str, Any], unwanted: bool
) -> None:
    run = rows.run()
    asked = rows.batch(**{"state": "submitted"} | batch)
    rows.sent(run, asked, **job)
    rows.sent(run, rows.batch(state="submitted"))
    assert rows.firsts(batches.UNWANTED) == ([asked] if unwanted else [])


def test_whose_an_attempt_is(rows: Rows) -> None:
    run, batch = rows.run(), rows.batch()
    mine, other = rows.sent(run, batch), rows.sent(run, rows.batch())
    rows.attempt(mine, fence=2)
    rows.attempt(other, fence=2, batch_id=batch)
    told = [{"job_id": mine, "fence": fence} for fence in (1, 2)]
    assert rows.all(batch_attempts.OWNERS, rows=told) == [(mine, 1, batch)]


def test_the_open_attempts_of_a_batch(rows: Rows) -> None:
    run, batch = rows.run(), rows.batch()
    mine = rows.sent(run, batch)
    rows.sent(run, batch, outcome="accepted")
    rows.sent(run, rows.batch())
    assert rows.all(batch_attempts.OPEN_ATTEMPTS, batch=batch) == [(mine, 1)]


@pytest.mark.parametrize(
    ("tier", "all_wait"),
    [(None, True), ("opus", True), ("haiku", False), ("everything", False), ("routing", True)],
)
def test_what_may_be_sent(rows: Rows, tier: str | None, all_wait: bool) -> None:
    run, batch = rows.run(), rows.batch()
    waits = rows.sent(run, batch)
    rows.sent(run, rows.batch())
    rows.sent(run, batch, outcome="accepted")
    rows.sent(run, batch, fence=2)
    rows.sent(run, batch, state="cancelled")
    rows.sent(run, batch, lane="realtime")
    rows.sent(rows.run(state="paused"), batch)
    rows.sent(run, batch, message=rows.message(erased_at=PAST))
    if tier is not None:
        rows.tier(tier, paused=True)
    rows.tier("sonnet", paused=True)
    assert rows.firsts(batch_attempts.WAITED_FOR, batch=batch) == ([waits] if all_wait else [])
    rows.all("UPDATE attempts SET stage = 'route'")
    asked = rows.firsts(batch_attempts.WAITED_FOR, batch=batch)
    assert bool(asked) is (tier not in ("routing", "everything"))
    rows.all("UPDATE tiers SET paused = false")
    assert rows.firsts(batch_attempts.WAITED_FOR, batch=batch) == [waits]


def test_what_is_ready_for_a_slice(rows: Rows) -> None:
    run, hurried = rows.run(lane="batch"), rows.run(lane="batch", deadline=FUTURE)
    ripe = "now() - interval '61 seconds'"
    good = rows.routed(run, lane="batch", available_at=ripe)
    young = rows.routed(run, lane="batch", available_at="now() - interval '59 seconds'")
    alone = rows.routed(hurried, lane="batch", available_at=ripe)
    for more in (
        {"available_at": FUTURE}, {"lease_until": FUTURE},
        {"tier": "opus"}, {"lane": "realtime"},
    ):  # fmt: skip
        rows.routed(run, **{"lane": "batch"} | more)
    rows.routed(rows.run(lane="batch", state="paused"), lane="batch")
    rows.routed(rows.run(), lane="batch")
    found = rows.all(slices.READY, queues=["batch.haiku"], limit=9, gather=60)
    assert sorted(found, key=lambda row: row[1]) == [
        ("batch.haiku", good, True, None),
        ("batch.haiku", young, False, None),
        ("batch.haiku", alone, True, hurried),
    ]


def test_attempts_are_read_back_as_they_were_claimed(rows: Rows) -> None:
    run, batch = rows.run(), rows.batch()
    mine = rows.sent(run, batch)
    others = [rows.sent(run, batch), rows.sent(run, batch, outcome="accepted"), rows.routed(run)]
    rows.attempt(others[-1])
    rows.attempt(mine, fence=2, batch_id=batch, stage="route")
    for job in (mine, *others):
        rows.call(job, worst_cost=1)
    rows.call(mine, fence=2, worst_cost=2)
    told = [{"job_id": job, "fence": 1} for job in (mine, *others[1:])]
    (found,) = rows.connection.execute(batch_claims.READ_BACK, {"rows": as_json(told)})
    assert (found.id, found.fence, found.state, found.call_worst_cost) == (mine, 0, "routed", 1)


def test_jobs_leave_the_lane_that_wait_in_it(rows: Rows) -> None:
    run = rows.run(lane="batch")
    waits = [rows.routed(run, lane="batch"), rows.job(run, lane="batch")]
    rows.routed(run)
    rows.routed(rows.run(), lane="batch")
    rows.routed(run, lane="batch", lease_until=FUTURE)
    rows.sent(run, rows.batch(state="submitted"))
    before = rows.firsts("SELECT id FROM jobs WHERE lane = 'realtime'")
    rows.all(leaving_batch.LEAVE_UNSENT, run=run, limit=9)
    after = rows.firsts("SELECT id FROM jobs WHERE lane = 'realtime'")
    assert sorted(set(after) - set(before)) == waits


def test_jobs_leave_the_lane_that_are_at_claude(rows: Rows) -> None:
    run = rows.run(lane="batch")
    states = {state: rows.batch(state=state) for state in ("intended", "submitted", "ended")}
    goes = [rows.sent(run, states["intended"]), rows.sent(run, states["submitted"])]
    rows.sent(run, states["ended"])
    rows.sent(rows.run(), states["submitted"])
    rows.sent(run, states["submitted"], outcome="accepted")
    rows.sent(run, states["submitted"], fence=2)
    rows.sent(run, states["submitted"], state="cancelled")
    rows.routed(run, lane="batch")
    left = rows.sent(run, states["submitted"], lane="realtime")
    moved = rows.connection.execute(leaving_batch.LEAVE_SENT, {"run": run, "limit": 99})
    assert moved.rowcount == len(goes)
    goes.append(left)
    assert rows.firsts("SELECT id FROM jobs WHERE lane = 'realtime'") == goes


def test_runs_that_are_in_a_hurry(rows: Rows) -> None:
    hurried = rows.run(lane="batch", deadline=FUTURE)
    rows.run(lane="batch", deadline=FUTURE, finished_at=PAST)
    rows.run(deadline=FUTURE)
    rows.run(lane="batch")
    rows.routed(hurried, lane="batch")
    rows.job(hurried, state="answered", tier="haiku")
    other = rows.run()
    rows.routed(other)
    for run, purpose, state, calls in (
        (hurried, "answer", "done", 4), (hurried, "check", "done", 8),
        (hurried, "answer", "failed", 16), (other, "answer", "done", 32),
    ):  # fmt: skip
        rows.insert("run_spend", None, run_id=run, tier="haiku", purpose=purpose, model="m",
                    lane="batch", state=state, simulated=False, calls=calls)  # fmt: skip
    for run, to, jobs in ((hurried, "opus", 3), (hurried, "person", 5), (other, "opus", 7)):
        rows.insert("run_escalations", None, run_id=run, from_tier="haiku", to_tier=to,
                    reason="schema", escalations=jobs)  # fmt: skip
    ((run, _, left_s, _, by_tier, answered, climbed),) = rows.all(leaving_batch.WITH_DEADLINE)
    assert (run, by_tier, answered, climbed) == (hurried, {"haiku": 1}, {"haiku": 4}, {"haiku": 3})
    assert 3_500 < left_s <= 3_600


def test_the_capacity_of_live_workers(rows: Rows) -> None:
    for name, more in (
        ("a", {}), ("b", {}), ("c", {"seen_at": "now() - interval '61 s'"}),
        ("d", {"stopping": True}),
    ):  # fmt: skip
        rows.insert("workers", None, id=name, host="h", pid=1, version="0",
                    capacity='{"haiku": 5}', **more)  # fmt: skip
    assert rows.all(leaving_batch.CAPACITY) == [("haiku", 10)]


def test_the_turnaround_is_that_of_batches_that_ended_by_themselves(rows: Rows) -> None:
    ended = {"ended_at": "now()", "submitted_at": "now() - interval '60 s'"}
    rows.batch(**ended)
    rows.batch(**ended | {"submitted_at": None})
    rows.batch(submitted_at=PAST)
    rows.batch(**ended | {"submitted_at": PAST, "cancelled_at": PAST})
    ((number, p90),) = rows.all(leaving_batch.TURNAROUND)
    assert (number, float(p90)) == (1, 60)
