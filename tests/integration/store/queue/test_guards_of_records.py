"""Each condition and term of what is recorded, by rows of which each misses one."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.queue import ledger, record

USED = {"input_tokens": 1, "cache_read_tokens": 2, "cache_write_5m_tokens": 3,
        "cache_write_1h_tokens": 4, "output_tokens": 5}  # fmt: skip
SPENT = {"tier": "haiku", "purpose": "answer", "model": "m", "lane": "realtime", "state": "done",
         "simulated": False, "calls": 1, "unpriced": 1, "cost": "0.5", **USED}  # fmt: skip
CLOSED = {"fence": 1, "purpose": "answer", "state": "done", "unpriced": False, "cost": "0.5",
          "simulated": False, "shared": 1, **USED}  # fmt: skip
ENDED = {"outcome": "accepted", "reasons": [], "findings": [], "cost": "0.5"}
TRIAL = {"tier": "haiku", "prompt_version": "p", "schema_version": "s", "model": "m"}


def two_attempts(rows: Rows, run: int) -> int:
    """A job that was lost once and is under way again, beside another that is under way."""
    rows.run()
    job, other = rows.routed(run, fence=2), rows.routed(run)
    rows.attempt(job, outcome="lost")
    rows.attempt(job, fence=2)
    rows.attempt(other)
    rows.attempt(other, fence=2)
    return job


def test_an_attempt_is_closed_by_its_job_and_fence(rows: Rows) -> None:
    job = two_attempts(rows, rows.run())
    rows.all(record.CLOSE_ATTEMPTS, rows=[{"job_id": job, "fence": 2, **ENDED}])
    told = rows.all("SELECT job_id, fence FROM attempts WHERE outcome = 'accepted'")
    assert told == [(job, 2)]


@pytest.mark.parametrize(
    ("trial", "on_trial"),
    [
        ({}, True),
        ({"proven_at": PAST}, False),
        *(({name: "x"}, False) for name in TRIAL),
    ],
)
def test_what_is_locked_says_whether_it_is_on_trial(
    rows: Rows, trial: dict[str, Any], on_trial: bool
) -> None:
    job = two_attempts(rows, rows.run())
    rows.insert("canaries", None, **TRIAL | trial)
    found = rows.all(record.LOCK, rows=[{"job_id": job, "fence": 2}])
    assert [(row[0], row[1], row[-1]) for row in found] == [(job, 2, on_trial)]


def test_a_routing_attempt_is_on_trial_as_routing(rows: Rows) -> None:
    job = rows.routed(rows.run())
    rows.attempt(job, stage="route")
    rows.insert("canaries", None, **TRIAL | {"tier": "routing"})
    assert rows.all(record.LOCK, rows=[{"job_id": job, "fence": 1}])[0][-1] is True


def moved(rows: Rows, change: dict[str, Any], **job: Any) -> dict[str, Any]:
    """A job after a change, beside another that stays as it was."""
    run = rows.run()
    known = {"attempts": 1, "failures": 1, "deferrals": 1, "escalations": 1, "cost": 1,
             "difficulty": "SIMPLE", "reason": "before", "available_at": PAST}  # fmt: skip
    changed, other = rows.routed(run, **known | job), rows.routed(run, **known)
    rows.all(record.MOVE_JOBS, rows=[{"id": changed, "unlease": False, "cost": "0.5", **change}])
    wanted = (
        "SELECT state, tier, rung, difficulty, reason, lease_until IS NOT NULL AS leased, attempts,"
        " EXISTS (SELECT FROM dispatches WHERE job_id = jobs.id) AS marked, failures, deferrals,"
        " escalations, cost, finished_at IS NOT NULL AS ended,"
        " extract(epoch FROM available_at - clock_timestamp())::float8 AS wait_s"
        " FROM jobs WHERE id = :id"
    )
    names = [part.split(" AS ")[-1].strip() for part in wanted[7:].split(" FROM jobs")[0]
             .split(",")]  # fmt: skip
    assert rows.one(wanted, id=other)[11] == 1
    return dict(zip(names, rows.one(wanted, id=changed), strict=True))


def test_a_moved_job_counts_what_is_added(rows: Rows) -> None:
    added = {"attempts": 2, "failures": 3, "deferrals": 4, "escalations": 5}
    after = moved(rows, added)
    assert {name: after[name] for name in added} == {
        "attempts": 3, "failures": 4, "deferrals": 5, "escalations": 6,
    }  # fmt: skip
    assert after["cost"] == Decimal("1.5")
    kept = (after["state"], after["tier"], after["difficulty"], after["reason"], after["ended"])
    assert kept == ("routed", "haiku", "SIMPLE", "before", False)
    assert after["wait_s"] < -3_000


def test_a_moved_job_is_ready_after_its_delay(rows: Rows) -> None:
    assert 20 < moved(rows, {"delay_s": 30})["wait_s"] < 31


@pytest.mark.parametrize(
    ("now", "change", "after"),
    [
        ({"tier": "sonnet", "rung": 1}, {"tier": "opus", "rung": 2}, ("opus", 2)),
        ({"tier": "sonnet", "rung": 1}, {"tier": "haiku", "rung": 0}, ("sonnet", 1)),
        ({"tier": "sonnet", "rung": 1}, {"tier": "other", "rung": 1}, ("other", 1)),
        ({"tier": "sonnet", "rung": 1}, {"tier": "other"}, ("other", 1)),
        ({"tier": "sonnet", "rung": 1}, {}, ("sonnet", 1)),
        ({"state": "queued", "tier": None, "rung": 1},
         {"state": "routed", "tier": "haiku", "rung": 0}, ("haiku", 1)),
    ],
)  # fmt: skip
def test_the_tier_only_rises(
    rows: Rows, now: dict[str, Any], change: dict[str, Any], after: tuple[str, int]
) -> None:
    found = moved(rows, change, **now)
    assert (found["tier"], found["rung"]) == after


@pytest.mark.parametrize(
    ("change", "leased", "marked"),
    [({}, True, True), ({"unlease": True}, False, False), ({"state": "answered"}, False, False)],
)
def test_a_lease_ends_with_its_attempt_or_its_job(
    rows: Rows, change: dict[str, Any], leased: bool, marked: bool
) -> None:
    found = moved(rows, change, lease_until=FUTURE, dispatched_at=PAST)
    assert (found["leased"], found["marked"]) == (leased, marked)
    assert found["ended"] is ("state" in change)


@pytest.mark.parametrize(
    ("tier", "unlease", "state"),
    [("haiku", True, "routed"), (None, True, "queued"), ("haiku", False, "submitted")],
)
def test_what_comes_back_from_a_batch_waits_where_it_stood(
    rows: Rows, tier: str | None, unlease: bool, state: str
) -> None:
    assert moved(rows, {"unlease": unlease}, state="submitted", tier=tier)["state"] == state


def test_what_was_cancelled_meanwhile_stays_so(rows: Rows) -> None:
    assert moved(rows, {"unlease": True}, state="cancelled")["state"] == "cancelled"


@pytest.mark.parametrize("state", ["answered", "review", "dead", "routed"])
def test_a_job_that_ends_says_when(rows: Rows, state: str) -> None:
    assert moved(rows, {"state": state})["ended"] is (state != "routed")


def test_escalations_add_up(rows: Rows) -> None:
    run = rows.run()
    climbed = {"run_id": run, "from_tier": "haiku", "to_tier": "opus", "reason": "schema"}
    rows.all(record.COUNT_ESCALATIONS, rows=[climbed, climbed])
    rows.all(record.COUNT_ESCALATIONS, rows=[climbed, climbed | {"reason": "empty"}])
    assert rows.all("SELECT reason, escalations FROM run_escalations ORDER BY 1") == [
        ("empty", 1), ("schema", 3),
    ]  # fmt: skip


def test_labels_are_remembered_of_texts_that_were_asked_about(rows: Rows) -> None:
    run = rows.run()
    jobs = [rows.routed(run) for _ in range(4)]
    rows.attempt(jobs[0])
    rows.attempt(jobs[0], fence=2, prompt_version="other")
    rows.attempt(jobs[1], prompt_version=None)
    rows.attempt(jobs[2], model=None)
    rows.attempt(jobs[3])
    told = [{"job_id": job, "fence": 1, "difficulty": "SIMPLE"} for job in jobs[:3]]
    rows.all(record.REMEMBER_LABELS, rows=told)
    digest = rows.one("SELECT digest FROM messages JOIN jobs ON jobs.message_id = messages.id"
                      " WHERE jobs.id = :id", id=jobs[0])[0]  # fmt: skip
    assert rows.all("SELECT digest, prompt_version, model FROM classifications") == [
        (digest, "p", "m")
    ]


def three_calls(rows: Rows) -> tuple[int, int]:
    """Open, lost and done calls of several attempts."""
    run = rows.run()
    job = two_attempts(rows, run)
    rows.call(job, state="lost", cost=2)
    rows.call(job, fence=2)
    rows.call(job, fence=2, purpose="check", state="done", cost=3)
    other = rows.routed(run)
    rows.attempt(other)
    rows.call(other)
    return run, job


def test_a_call_is_closed_once_by_its_job_fence_and_purpose(rows: Rows) -> None:
    run, job = three_calls(rows)
    told = [
        {"job_id": job, "run_id": run, **CLOSED, "fence": 2},
        {"job_id": job, "run_id": run, **CLOSED, "fence": 2, "purpose": "check"},
    ]
    totals = rows.all(ledger.CLOSE_CALLS, rows=told, prices=[])
    assert [(row[0], row[2], row[5], row[7], row[-1]) for row in totals] == [
        (run, "answer", "done", 1, Decimal("0.5"))
    ]
    assert rows.all("SELECT fence, purpose, state, cost FROM calls WHERE job_id = :id"
                    " ORDER BY 1, 2", id=job) == [
        (1, "answer", "lost", 2), (2, "answer", "done", Decimal("0.5")), (2, "check", "done", 3),
    ]  # fmt: skip
    assert rows.one("SELECT count(*) FROM calls WHERE state = 'sent'") == (1,)


def test_a_lost_call_that_is_heard_of_moves_the_totals_by_the_difference(rows: Rows) -> None:
    run, job = three_calls(rows)
    totals = rows.all(
        ledger.CLOSE_CALLS, rows=[{"job_id": job, "run_id": run, **CLOSED}], prices=[]
    )
    assert sorted((row[5], row[7], row[-1]) for row in totals) == [
        ("done", 1, Decimal("0.5")), ("lost", -1, -2),
    ]  # fmt: skip


def test_rates_are_kept_once_and_never_rewritten(rows: Rows) -> None:
    # given
    run, job = three_calls(rows)
    told = [{"job_id": job, "run_id": run, **CLOSED, "fence": 2, "price_version": "b"}]
    # when
    for rates in ({"input": "1"}, {"input": "2"}):
        prices = [{"version": one, "rates": rates} for one in ("b", "a")]
        rows.all(ledger.CLOSE_CALLS, rows=told, prices=prices)
    # then
    kept = rows.all("SELECT version, rates FROM prices ORDER BY version")
    assert kept == [("a", {"input": "1"}), ("b", {"input": "1"})]
    named = rows.all("SELECT fence, purpose FROM calls WHERE price_version = 'b' AND price IS NULL")
    assert named == [(2, "answer")]


def test_only_what_never_left_is_deleted(rows: Rows) -> None:
    run, job = three_calls(rows)
    told = [
        {"job_id": job, "fence": fence, "run_id": run, "purpose": purpose}
        for fence, purpose in ((1, "answer"), (2, "answer"), (2, "check"))
    ]
    totals = rows.all(ledger.DELETE_UNSENT, rows=told)
    assert [(row[5], row[7], row[-1]) for row in totals] == [("lost", -1, -2)]
    left = rows.all("SELECT job_id = :id, purpose FROM calls ORDER BY job_id", id=job)
    assert left == [(True, "check"), (False, "answer")]


@pytest.mark.parametrize("statement", [ledger.CLOSE_CALLS, ledger.DELETE_UNSENT])
@pytest.mark.parametrize(
    ("job", "fence", "purpose"), [(0, 2, "answer"), (0, 1, "check"), (1, 1, "answer")]
)
def test_an_open_call_opens_no_other(
    rows: Rows, statement: Any, job: int, fence: int, purpose: str
) -> None:
    run = rows.run()
    jobs = [rows.routed(run), rows.routed(run)]
    for one in jobs:
        rows.attempt(one)
        rows.attempt(one, fence=2)
    rows.call(jobs[0], state="done", cost=3)
    rows.call(jobs[job], fence=fence, purpose=purpose)
    # Neither does naming one that is done touch one that is open, nor the other way round.
    for told in ((0, 1, "answer"), (job, fence, purpose)):
        before = rows.all("SELECT * FROM calls ORDER BY 1, 2, 3")
        named = {"job_id": jobs[told[0]], "run_id": run, **CLOSED}
        rows.all(statement, rows=[named | {"fence": told[1], "purpose": told[2]}], prices=[])
        if told == (0, 1, "answer"):
            assert rows.all("SELECT * FROM calls ORDER BY 1, 2, 3") == before
    left = rows.one("SELECT state, cost FROM calls WHERE job_id = :id AND fence = 1"
                    " AND purpose = 'answer'", id=jobs[0])  # fmt: skip
    assert left == ("done", 3)


def test_totals_add_up_in_every_column(rows: Rows) -> None:
    run = rows.run()
    spent = SPENT | {"run_id": run}
    rows.all(ledger.ADD_TOTALS, rows=[spent, spent])
    rows.all(ledger.ADD_TOTALS, rows=[spent])
    columns = ("calls", "unpriced", *USED, "cost")
    assert rows.one(f"SELECT {', '.join(columns)} FROM run_spend") == (
        3, 3, 3, 6, 9, 12, 15, Decimal("1.5"),
    )  # fmt: skip


def test_a_further_call_is_opened_under_a_lease_that_holds(rows: Rows) -> None:
    run = rows.run()
    holds = rows.routed(run, lease_until=FUTURE)
    over = rows.routed(run, lease_until=PAST)
    taken = rows.routed(run, lease_until=FUTURE, fence=2)
    for job in (holds, over, taken):
        rows.attempt(job)
    row = {"fence": 1, "purpose": "check", "tier": "haiku", "model": "m", "lane": "realtime",
           "worst_cost": "1"}  # fmt: skip
    opened = rows.all(ledger.OPEN_CALLS, rows=[{"job_id": job, **row}
                                               for job in (holds, over, taken)])  # fmt: skip
    assert opened == [(holds, 1)]
