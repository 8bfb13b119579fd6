"""Each condition of the queue's statements, by rows of which each misses one."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.actions import holds
from worker.store.queue import claim, dispatch, expire, leases, rescue, waiting
from worker.store.rows import as_json

MARKED = "SELECT job_id FROM dispatches"

ASKED = {"queue": "haiku", "gate": "haiku", "probing": False, "limit": None, "prompt": "p",
         "model": "m", "read": []}  # fmt: skip
DAY = dt.date(2026, 1, 1)


def test_only_a_ready_job_of_an_active_run_is_claimed(rows: Rows) -> None:
    run, paused = rows.run(), rows.run(state="paused")
    good = rows.routed(run)
    wanted = [
        good,
        rows.routed(run, lease_until=FUTURE),
        rows.routed(run, available_at=FUTURE),
        rows.routed(run, tier="opus"),
        rows.routed(paused),
        rows.routed(run, rows.message(erased_at=PAST)),
    ]
    rows.routed(run)
    assert rows.firsts(claim.LOCK_READY, ids=wanted, **ASKED) == [good]


@pytest.mark.parametrize(
    ("tier", "probing", "claims"),
    [
        ({"name": "haiku", "paused": True}, False, False),
        ({"name": "everything", "paused": True}, False, False),
        ({"name": "opus", "paused": True}, False, True),
        ({"name": "haiku", "breaker": "open", "breaker_until": FUTURE}, True, False),
        ({"name": "haiku", "breaker": "open", "breaker_until": PAST}, False, False),
        ({"name": "haiku", "breaker": "open", "breaker_until": PAST}, True, True),
        ({"name": "haiku", "breaker": "half_open"}, False, False),
        ({"name": "haiku", "breaker": "half_open"}, True, True),
        ({"name": "haiku", "breaker": "half_open", "breaker_until": FUTURE}, True, True),
        ({"name": "haiku", "breaker": "closed", "breaker_until": FUTURE}, False, True),
    ],
)
def test_a_gate_lets_claims_through_or_not(
    rows: Rows, tier: dict[str, object], probing: bool, claims: bool
) -> None:
    good = rows.routed(rows.run())
    rows.insert("tiers", None, **tier)
    found = rows.firsts(claim.LOCK_READY, ids=[good], **ASKED | {"probing": probing})
    assert found == ([good] if claims else [])


def test_a_label_is_remembered_by_text_prompt_and_model_until_it_was_used(rows: Rows) -> None:
    run = rows.run()
    for number, (digest, prompt, model) in enumerate(
        [("d", "p", "m"), ("x", "p", "m"), ("d", "x", "m"), ("d", "p", "x")]
    ):
        rows.forget("classifications")
        rows.insert("classifications", None, digest=digest.encode(), prompt_version=prompt,
                    model=model, difficulty="SIMPLE")  # fmt: skip
        job = rows.job(run, rows.message(digest=b"d"))
        routed = rows.routed(run, rows.message(digest=b"d"))
        asked = ASKED | {"queue": "routing", "gate": "routing"}
        (found,) = rows.all(claim.LOCK_READY, ids=[job], **asked)
        assert ("SIMPLE" in found) is (number == 0)
        (found,) = rows.all(claim.LOCK_READY, ids=[routed], **ASKED)
        assert "SIMPLE" not in found


def test_a_judge_is_shown_the_answer_that_it_is_to_judge_and_no_other(rows: Rows) -> None:
    answered, judging = rows.run(), rows.run(kind="judge")
    first, second = (rows.job(answered, state="answered", tier="haiku", fence=1) for _ in "ab")
    for job, reply in ((first, "the first"), (second, "the second")):
        rows.attempt(job, fence=1, outcome="accepted")
        rows.insert("results", None, job_id=job, fence=1, reply=reply, tier="haiku", model="m",
                    accepted=True)  # fmt: skip
    job, usual = rows.routed(judging, origin_id=second), rows.routed(answered, origin_id=second)
    (found,) = rows.all(claim.LOCK_READY, ids=[job], **ASKED)
    assert "the second" in found
    (found,) = rows.all(claim.LOCK_READY, ids=[usual], **ASKED)
    assert "the second" not in found


@pytest.mark.parametrize("in_a_batch", [False, True])
def test_a_claim_writes_what_it_says_and_nothing_else(rows: Rows, in_a_batch: bool) -> None:
    run = rows.run()
    asks, quiet, other = (rows.routed(run, dispatched_at=PAST) for _ in range(3))
    batch = rows.batch() if in_a_batch else None
    for scope, reserved in (("run:1", 1), ("day:1", 2)):
        rows.insert("budgets", None, scope=scope, reserved=reserved)
    given = {"fence": 2, "stage": "answer", "tier": "haiku", "model": "m", "lane": "realtime",
             "policy_version": "v", "reserved": "0.5", "available_at": "2026-01-01T00:00Z",
             "worst_cost": "0.4"}  # fmt: skip
    claimed = [given | {"job_id": asks, "purpose": "answer"}, given | {"job_id": quiet}]
    purses = as_json([{"scope": "run:1", "reserved": "0.5"}])
    rows.all(leases.WRITE_CLAIM, rows=claimed, purses=purses, lease=180, worker="me", day=DAY,
             batch=batch)  # fmt: skip
    held = "SELECT scope, reserved FROM budgets ORDER BY scope"
    assert rows.all(held) == [("day:1", 2), ("run:1", Decimal("1.5"))]
    assert rows.firsts("SELECT job_id FROM calls") == [asks]
    left = "lease_until BETWEEN now() + interval '179 s' AND now() + interval '181 s'"
    told = f"SELECT fence, state, coalesce({left}, false) FROM jobs WHERE id = :id"
    if in_a_batch:
        assert rows.one(told, id=asks) == (2, "submitted", False)
    else:
        assert rows.one(told, id=asks) == (2, "routed", True)
    assert rows.one(told, id=other) == (1, "routed", False)
    assert rows.firsts(MARKED) == [other]


def test_what_the_budget_refused_comes_back_later(rows: Rows) -> None:
    run, other_run = rows.run(), rows.run()
    job, other = (rows.routed(run, dispatched_at=PAST) for _ in range(2))
    rows.all(waiting.POSTPONE, ids=[job], by_day=[], day="d", drawn_on=[], wait=15, soon=2)
    later = "SELECT id FROM jobs WHERE available_at > now() + interval '10 s'"
    assert rows.firsts(later) == [job]
    assert rows.firsts(MARKED) == [other]
    rows.all(waiting.SET_WAITING, run=run, words="run budget", usd=1, waits="{}")
    assert rows.firsts("SELECT id FROM runs WHERE waiting_for IS NOT NULL") == [run] != [other_run]


@pytest.mark.parametrize(
    ("reserved", "drawn_on", "by_day", "soon"),
    [
        ({}, [], False, False),
        ({"mine": 1}, [], False, True),
        ({"other": 1, "day:1": 1}, [], False, False),
        ({}, ["mine"], False, True),
        ({}, ["day:1"], False, False),
        ({"mine": 1}, ["mine"], True, False),
        ({"day:1": 1}, [], True, True),
        ({}, ["day:1"], True, True),
    ],
)
def test_what_the_budget_refused_comes_back_soon_where_that_budget_has_calls_in_flight(
    rows: Rows, reserved: dict[str, int], drawn_on: list[str], by_day: bool, soon: bool
) -> None:
    mine, other = rows.run(), rows.run()
    scopes = {"mine": f"run:{mine}", "other": f"run:{other}", "day:1": "day:1"}
    job = rows.routed(mine)
    for name, scope in scopes.items():
        rows.all("DELETE FROM budgets WHERE scope = :scope RETURNING 1", scope=scope)
        rows.insert("budgets", None, scope=scope, cap=9, reserved=reserved.get(name, 0))
    rows.all(
        waiting.POSTPONE, ids=[job], by_day=[job] if by_day else [], day="day:1",
        drawn_on=[scopes[name] for name in drawn_on], wait=15, soon=2,
    )  # fmt: skip
    within = "SELECT available_at < now() + interval '5 s' FROM jobs"
    assert rows.firsts(within) == [soon]


@pytest.mark.parametrize(("name", "due"), [("haiku", [0, 1]), ("everything", [0, 1, 2])])
def test_what_was_put_off_because_of_a_queue_goes_on_with_it(
    rows: Rows, name: str, due: list[int]
) -> None:
    run, over = rows.run(), rows.run(finished_at=PAST)
    put_off = {"available_at": FUTURE}
    jobs = [
        rows.routed(run, **put_off),
        rows.routed(run, lane="batch", **put_off),
        rows.routed(run, tier="opus", **put_off),
        rows.routed(run, lease_until=FUTURE, **put_off),
        rows.routed(over, **put_off),
    ]
    rows.all(holds.DUE_NOW, name=name)
    now_due = rows.firsts("SELECT id FROM jobs WHERE available_at <= now() ORDER BY id")
    assert now_due == [jobs[place] for place in due]


def test_what_is_dispatched_is_ready_and_in_order(rows: Rows) -> None:
    run, paused = rows.run(), rows.run(state="paused")
    over, first = rows.run(state="active", finished_at=PAST), rows.run(priority=5)
    good = [rows.routed(run), rows.routed(first)]
    rows.routed(run, lease_until=FUTURE)
    rows.routed(run, dispatched_at=PAST)
    rows.routed(run, available_at=FUTURE)
    rows.routed(run, tier="opus")
    rows.routed(paused)
    rows.routed(over)
    rooms = as_json([{"queue": "haiku", "room": 9}])
    taken = rows.all(dispatch.TAKE, rooms=rooms)
    assert sorted(job for _, job in taken) == good


def test_the_room_of_a_queue_is_its_live_capacity_less_what_is_out(rows: Rows) -> None:
    run, asked = rows.run(), {"seen": 10, "factor": 2}
    for name, capacity, more in (
        ("a", 5, {}), ("b", 3, {}), ("c", 50, {"seen_at": "now() - interval '11 seconds'"}),
        ("d", 50, {"stopping": True}),
    ):  # fmt: skip
        rows.insert("workers", None, id=name, host="h", pid=1, version="0",
                    capacity=f'{{"haiku": {capacity}}}', **more)  # fmt: skip
    assert rows.all(dispatch.ROOM, **asked) == [("haiku", 16, 8)]
    rows.routed(run, dispatched_at=PAST)
    rows.routed(run, lease_until=FUTURE)
    rows.routed(run)
    rows.routed(run, tier="opus", dispatched_at=PAST)
    rows.routed(run, tier="opus", lease_until=FUTURE)
    assert rows.all(dispatch.ROOM, **asked) == [("haiku", 14, 8)]
    for tier, open_ in (
        ({"name": "opus", "paused": True}, True),
        ({"name": "haiku", "paused": True}, False),
        ({"name": "everything", "paused": True}, False),
        ({"name": "haiku", "breaker": "open", "breaker_until": FUTURE}, False),
        ({"name": "haiku", "breaker": "open", "breaker_until": PAST}, True),
        ({"name": "haiku", "breaker": "half_open", "breaker_until": FUTURE}, True),
    ):  # fmt: skip
        rows.forget("tiers")
        rows.insert("tiers", None, **tier)
        assert bool(rows.all(dispatch.ROOM, **asked)) is open_, tier


def test_marks_are_forgotten_when_they_are_old_or_taken_back(rows: Rows) -> None:
    run = rows.run()
    rows.routed(run, dispatched_at="now() - interval '61 seconds'")
    new = rows.routed(run, dispatched_at="now() - interval '59 seconds'")
    rows.all(dispatch.FORGET_STALE, after=60)
    assert rows.firsts(MARKED) == [new]
    other = rows.routed(run, dispatched_at=PAST)
    rows.all(dispatch.UNMARK, ids=[new])
    assert rows.firsts(MARKED) == [other]


def test_jobs_expire_with_their_run_or_by_age_and_not_in_flight(rows: Rows) -> None:
    asked = {"age": dt.timedelta(days=7), "limit": 9}
    old = "now() - interval '8 days'"
    late, aged = rows.run(deadline=PAST), rows.run(created_at=old)
    gone = [rows.job(late), rows.job(aged)]
    rows.job(rows.run(created_at=PAST))
    rows.job(rows.run(deadline=FUTURE, created_at=old))
    rows.job(rows.run(created_at=old, accepting=True))
    rows.job(rows.run(created_at=old, finished_at=PAST))
    for more in ({"lease_until": FUTURE}, {"dispatched_at": PAST}):
        rows.routed(late, **more)
    rows.job(late, state="submitted", tier="haiku")
    ended = rows.job(late, state="answered")
    rows.all(expire.EXPIRE, **asked)
    found = rows.all("SELECT id, reason FROM jobs WHERE state = 'dead' ORDER BY id")
    assert found == [
        (gone[0], "the deadline of its run passed"),
        (gone[1], "it grew older than worker.max_age"),
    ]
    assert rows.one("SELECT state FROM jobs WHERE id = :id", id=ended) == ("answered",)


def test_rescue_takes_what_is_overdue_in_the_realtime_lane_alone(rows: Rows) -> None:
    run, batch = rows.run(), rows.batch(state="submitted", external_id="x")
    expired = rows.routed(run, lease_until=PAST)
    rows.attempt(expired, claimed_at="now()")
    cancelled = rows.job(run, state="cancelled", fence=1)
    rows.attempt(cancelled, claimed_at="now() - interval '181 seconds'")
    taken_over = rows.routed(run, fence=2, lease_until=FUTURE)
    rows.attempt(taken_over, claimed_at="now() - interval '181 seconds'")
    for claimed, until, outcome in (
        (PAST, FUTURE, "started"), (PAST, PAST, "accepted"),
    ):  # fmt: skip
        rows.attempt(rows.routed(run, lease_until=until), claimed_at=claimed, outcome=outcome)
    fresh = rows.job(run, state="cancelled", fence=1)
    rows.attempt(fresh, claimed_at="now() - interval '179 seconds'")
    renewed = rows.routed(run, fence=2, lease_until=PAST)
    rows.attempt(renewed, claimed_at="now() - interval '179 seconds'")
    rows.attempt(rows.routed(run), claimed_at=PAST, batch_id=batch)
    found = rows.all(rescue.EXPIRED, limit=99, lease=180)
    assert sorted(found) == [(expired, 1), (cancelled, 1), (taken_over, 1)]


def test_rescue_from_a_dead_worker_takes_what_it_held(rows: Rows) -> None:
    run, batch = rows.run(), rows.batch()
    mine = rows.routed(run)
    rows.attempt(mine)
    rows.attempt(rows.routed(run), worker="another")
    rows.attempt(rows.routed(run), outcome="accepted")
    rows.attempt(rows.routed(run), batch_id=batch)
    rows.call(mine, state="sent", worst_cost=1)
    rows.call(mine, state="done", purpose="check")
    other = rows.routed(run)
    rows.attempt(other)
    rows.call(other)
    assert sorted(rows.all(rescue.HELD_BY, workers=["me"], limit=99)) == [(mine, 1), (other, 1)]
    assert [row[:3] for row in rows.all(rescue.OPEN_CALLS, ids=[mine])] == [(mine, 1, "answer")]
