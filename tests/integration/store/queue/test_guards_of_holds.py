"""Each condition of the statements that hold something and let it go: pauses, caps, what Claude
asked to wait for, look-ups that fail, and what people are told of it all."""

from decimal import Decimal

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.actions import caps, holds
from worker.store.queue import halts, lookup_failures, lookup_recovery, rate_holds
from worker.store.reading import queue_holds, status

DUE = "SELECT id FROM jobs WHERE available_at <= now()"
WAITS = {"queue": "haiku", "available_at": FUTURE}


def test_a_run_is_paused_and_resumed_by_itself(rows: Rows) -> None:
    mine, other = rows.run(), rows.run()
    ended = rows.run(state="finished", finished_at=PAST)
    values = {"reason": "why", "by": "ada"}
    for run in (mine, ended):
        rows.all(holds.PAUSE_RUN, run=run, **values)
    states = "SELECT id, state FROM runs ORDER BY id"
    assert rows.all(states) == [(mine, "paused"), (other, "active"), (ended, "finished")]
    rows.all(holds.PAUSE_RUN, run=other, **values)
    for run in (mine, ended):
        rows.all(holds.RESUME_RUN, run=run)
    assert rows.all(states) == [(mine, "active"), (other, "paused"), (ended, "finished")]
    told = rows.all("SELECT state_reason, paused_by, paused_at IS NULL FROM runs ORDER BY id")
    assert told == [(None, None, True), ("why", "ada", False), (None, None, True)]


def test_what_was_handed_to_workers_is_taken_back(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    mine = rows.routed(run, dispatched_at=PAST)
    elsewhere = rows.job(other, dispatched_at=PAST)
    marked = "SELECT job_id FROM dispatches"
    rows.all(holds.TAKE_BACK, name="haiku")
    assert rows.firsts(marked) == [elsewhere]
    rows.all(holds.TAKE_BACK, name="everything")
    assert rows.firsts(marked) == []
    again = "INSERT INTO dispatches (job_id, queue) SELECT id, queue FROM jobs WHERE id = ANY(:ids)"
    rows.all(again, ids=[mine, elsewhere])
    rows.all(holds.FORGET_DISPATCHED, run=run)
    assert rows.firsts(marked) == [elsewhere]


def test_what_held_a_queue_is_lifted_there_alone(rows: Rows) -> None:
    rows.tier("haiku", paused=True)
    rows.tier("sonnet", paused=True)
    rows.tier("opus", breaker="open", breaker_until=FUTURE)
    rows.tier("mini", trips=3)
    for name in ("haiku", "opus", "mini"):
        rows.all(holds.RESUME_QUEUE, name=name)
    told = rows.all("SELECT name, paused, breaker, trips FROM tiers ORDER BY 1")
    assert told == [
        ("haiku", False, "closed", 0), ("mini", False, "closed", 3), ("opus", False, "closed", 0),
        ("sonnet", True, "closed", 0),
    ]  # fmt: skip


def waiting(rows: Rows, run: int) -> tuple[int, ...]:
    """Jobs that wait for their time; none but the first could go on at once."""
    return (
        rows.routed(run, available_at=FUTURE),
        rows.routed(run, available_at=FUTURE, lease_until=FUTURE),
        rows.job(run, state="submitted", tier="haiku", available_at=FUTURE),
    )


@pytest.mark.parametrize("name", ["haiku", "everything"])
def test_what_was_put_off_goes_on_with_its_queue(rows: Rows, name: str) -> None:
    run = rows.run()
    mine, *_ = waiting(rows, run)
    batch = rows.routed(run, lane="batch", available_at=FUTURE)
    other = rows.routed(run, tier="sonnet", available_at=FUTURE)
    rows.routed(rows.run(state="finished", finished_at=PAST), available_at=FUTURE)
    ready = rows.routed(run, available_at=PAST)
    rows.all(holds.DUE_NOW, name=name)
    assert rows.firsts(DUE) == sorted(
        [mine, batch, ready] + ([other] if name == "everything" else [])
    )
    (since,) = rows.one("SELECT available_at < now() FROM jobs WHERE id = :id", id=ready)
    assert since, "what was due keeps its place"


def test_what_waited_for_a_run_goes_on(rows: Rows) -> None:
    run = rows.run()
    mine, *_ = waiting(rows, run)
    rows.routed(rows.run(), available_at=FUTURE)
    ready = rows.routed(run, available_at=PAST)
    rows.all(caps.AVAILABLE_NOW, run=run)
    assert rows.firsts(DUE) == [mine, ready]
    (since,) = rows.one("SELECT available_at < now() FROM jobs WHERE id = :id", id=ready)
    assert since


def canary(rows: Rows, tier: str, **columns: object) -> None:
    rows.made += 1
    known = {"prompt_version": f"p{rows.made}", "schema_version": "s", "model": "m"}
    rows.insert("canaries", None, tier=tier, **known | columns)


def test_canaries_are_tried_again_or_trusted(rows: Rows) -> None:
    canary(rows, "haiku", bad=2, good=1, failed_jobs=[7])
    canary(rows, "haiku", bad=3, good=2, proven_at=PAST)
    canary(rows, "haiku", good=4)
    canary(rows, "sonnet", bad=4)
    assert len(rows.all(holds.TRUST_CANARIES, name="haiku", by="ada")) == 1
    trusted = "SELECT bad FROM canaries WHERE overruled_by = 'ada'"
    assert rows.all(trusted) == [(2,)]
    rows.all("UPDATE canaries SET proven_at = NULL WHERE bad = 2")
    rows.all(holds.TRY_CANARIES_AGAIN, name="haiku")
    told = rows.all("SELECT tier, good, bad FROM canaries ORDER BY 1, 2, 3")
    assert told == [("haiku", 0, 0), ("haiku", 0, 0), ("haiku", 2, 3), ("sonnet", 0, 4)]


def test_a_cap_is_never_below_what_is_spent_and_reserved(rows: Rows) -> None:
    mine, other = rows.run(budget_cap=9), rows.run(budget_cap=9, waiting_for="run budget")
    for run in (mine, other):
        rows.insert("budgets", None, scope=f"run:{run}", run_id=run, spent=2, reserved=3, cap=9,
                    warned_percent=80)  # fmt: skip
    for cap in ("4.99", "5", None):
        rows.all(caps.SET_CAP, run=mine, cap=cap)
        expected = {"4.99": (9, 80), "5": (5, 0), None: (None, 0)}[cap]
        asked = "SELECT cap, warned_percent FROM budgets WHERE run_id = :run"
        assert rows.all(asked, run=mine) == [expected]
    assert rows.all(asked, run=other) == [(9, 80)]
    rows.all(caps.SET_RUN_CAP, run=mine, cap=7)
    told = rows.all("SELECT budget_cap, waiting_for FROM runs ORDER BY id")
    assert told == [(7, None), (9, "run budget")]
    rows.all("UPDATE budgets SET spent = 1 WHERE run_id = :run", run=other)
    assert rows.all(caps.COMMITTED, run=mine) == [(Decimal(5),)]
    assert [one[3] for one in rows.all(caps.RUN, run=other)] == [9]


def test_a_pause_of_rungs_own_does_not_replace_a_persons(rows: Rows) -> None:
    rows.tier("haiku", paused=False)
    assert rows.all(halts.HOLD, name="haiku", reason="one", by="rung", again=False)
    assert not rows.all(halts.HOLD, name="haiku", reason="two", by="rung", again=False)
    assert rows.all(halts.HOLD, name="haiku", reason="three", by="ada", again=True)
    assert rows.all("SELECT paused_by, paused_reason FROM tiers") == [("ada", "three")]


def test_a_longer_hold_stays_and_keeps_its_beginning(rows: Rows) -> None:
    rows.tier("haiku", held_until=FUTURE, held_at=PAST, lift_asked=True)
    rows.tier("opus", held_until=PAST, held_at=PAST)
    rows.all(rate_holds.HOLD, names=["haiku", "opus"], seconds=60.0, reason="r")
    told = rows.all(
        "SELECT name, held_until > now() + interval '50 min', held_until > now(), held_at = now(),"
        " lift_asked FROM tiers ORDER BY 1"
    )
    assert told == [("haiku", True, True, False, False), ("opus", False, True, True, False)]
    rows.all(rate_holds.HOLD, names=["haiku"], seconds=7200.0, reason="r")
    assert rows.one("SELECT max(held_until) > now() + interval '110 min' FROM tiers") == (True,)


def test_holds_that_somebody_wants_lifted(rows: Rows) -> None:
    for name, until in (("haiku", FUTURE), ("opus", FUTURE), ("sonnet", PAST)):
        rows.tier(name, held_until=until, held_at=PAST, held_reason="r")
    rows.all(rate_holds.ASK, name="haiku")
    assert rows.firsts(rate_holds.WANTED) == ["haiku"]
    rows.all(rate_holds.LIFTED, names=["haiku", "opus"])
    held = "SELECT name FROM tiers WHERE held_until IS NOT NULL"
    assert rows.firsts(held) == ["opus", "sonnet"]
    rows.all(rate_holds.ASK, name="everything")
    assert rows.firsts(rate_holds.WANTED) == ["opus"]
    rows.all(rate_holds.LIFTED, names=["sonnet"])
    assert rows.firsts(held) == ["opus", "sonnet"]


def test_which_queues_are_said_to_stand_still(rows: Rows) -> None:
    rows.tier("fine", held_until=PAST, held_at=PAST)
    rows.tier("broken", breaker="half_open")
    rows.tier("held", held_until=FUTURE, held_at=PAST)
    rows.tier("paused", paused=True, held_until=PAST, held_at=PAST)
    told = {row[0]: row for row in rows.all(queue_holds.HELD)}
    assert list(told) == ["broken", "held", "paused"]
    rows.run(policy='{"ladder": ["held", "paused"]}')
    rows.run(policy='{"ladder": ["paused", "held", "fine"]}')
    listed = [row[0] for row in rows.all(queue_holds.HELD)]
    assert listed == ["broken", "paused", "held"], "as the ladder has them"
    assert told["held"][8] is not None
    assert told["paused"][8] is None, "a hold that is over has no beginning"
    assert 3599 < told["held"][9] <= 3600


def test_what_waits_in_queues(rows: Rows) -> None:
    run, ended = rows.run(), rows.run(state="finished", finished_at=PAST)
    for one, times in ((run, 1), (ended, 1000)):
        for state, tier, jobs in (
            ("queued", "", 1), ("routed", "haiku", 10), ("routed", "sonnet", 100),
            ("submitted", "haiku", 10_000), ("queued", "haiku", 2),
        ):  # fmt: skip
            rows.insert("run_counts", None, run_id=one, state=state, tier=tier, jobs=jobs * times)
    assert dict(rows.all(status.WAITING)) == {"routing": 3, "haiku": 10, "sonnet": 100}


def test_since_when_a_breaker_is_open(rows: Rows) -> None:
    for name, breaker in (("haiku", "open"), ("sonnet", "half_open"), ("opus", "closed")):
        rows.tier(name, breaker=breaker)
        for kind, at in (("breaker_open", FUTURE), ("breaker_open", PAST), ("held", "now()")):
            key = f"{kind}:{name}:{at}"
            rows.insert("notices", None, key=key, kind=kind, target=name, words="w", at=at)
    at = rows.one(f"SELECT {FUTURE}")[0]
    told = {row.name: row.breaker_at for row in rows.connection.execute(status.TIERS)}
    assert told == {"haiku": at, "sonnet": at, "opus": None}
    held = {row.name: row.breaker_at for row in rows.connection.execute(queue_holds.HELD)}
    assert held == {"haiku": at, "sonnet": at}


def test_which_canary_paused_a_queue(rows: Rows) -> None:
    rows.tier("haiku", paused=True)
    first, other = rows.job(rows.run()), rows.job(rows.run())
    canary(rows, "haiku", bad=2, failed_jobs=[other, first])
    canary(rows, "haiku", bad=0, failed_jobs=[])
    canary(rows, "haiku", bad=5, failed_jobs=[other], proven_at=PAST)
    canary(rows, "sonnet", bad=7, failed_jobs=[other])
    (row,) = rows.all(queue_holds.HELD)
    assert row[13:] == ([first, other], "run1")
    assert [one[:2] for one in rows.all(queue_holds.FAILED)] == [("haiku", 2), ("sonnet", 7)]
    rows.run(policy='{"ladder": ["sonnet", "haiku"]}')
    assert [one[0] for one in rows.all(queue_holds.FAILED)] == ["sonnet", "haiku"]
    rows.all("UPDATE canaries SET bad = 0 WHERE bad = 2")
    assert rows.all(queue_holds.HELD)[0][14] is None
    rows.all("UPDATE canaries SET proven_at = now() WHERE bad = 0")
    assert rows.all(queue_holds.HELD)[0][13:] == ([], None)


def failing(rows: Rows, name: str, seconds: float, **columns: object) -> None:
    ago = f"now() - interval '{seconds} s'"
    known = {"why": "hangs", "on_failure": "wait", "since": PAST, "last_at": ago}
    rows.insert("lookup_failures", None, name=name, **known | columns)


def test_which_look_ups_fail(rows: Rows) -> None:
    failing(rows, "orders", 40)
    failing(rows, "parcels", 10, on_failure="without")
    failing(rows, "gone", 800)
    assert rows.firsts(lookup_failures.FAILING, forgotten=720.0) == ["orders", "parcels"]
    assert 3599 < rows.all(lookup_failures.FAILING, forgotten=720.0)[0][4] <= 3601
    assert rows.firsts(lookup_recovery.SILENT, silent=20.0) == ["gone", "orders"]
    failing(rows, "maps", 40, on_failure="without")
    failing(rows, "asked lately", 10)
    assert rows.firsts(lookup_recovery.SILENT, silent=20.0) == ["gone", "orders"]
    asked = {"names": ["gone", "orders"], "whys": ["x", "y"], "thens": ["wait", "wait"]}
    rows.all(lookup_failures.FAILED, **asked, forgotten=720.0)
    told = rows.all("SELECT name, since = now() FROM lookup_failures WHERE last_at = now()")
    assert sorted(told) == [("gone", True), ("orders", False)]
    rows.all("UPDATE lookup_failures SET last_at = now() - interval '40 s' WHERE name = 'orders'")
    worked = {"worked": ["orders", "parcels"], "calm": 30.0}
    assert rows.firsts(lookup_failures.WORKED, **worked) == ["orders"]


ORDERS = '{"context": {"lookups": ["orders"]}}'


def test_what_waits_for_a_look_up_goes_on(rows: Rows) -> None:
    run = rows.run(policy=ORDERS, priority=5)

    def waits(of: int, reason: str = "lookup:orders", **columns: object) -> int:
        job = rows.routed(of, **{"available_at": FUTURE, "priority": 5, "fence": 2} | columns)
        rows.attempt(job, outcome="deferred", reasons=["rate_limited"])
        rows.attempt(job, fence=2, outcome="deferred", reasons=[reason])
        return job

    mine, later = waits(run), waits(run, available_at="now() + interval '2 hours'")
    waits(run, "lookup:parcels")
    waits(run, priority=6)
    first = {"available_at": "now() + interval '1 minute'"}
    waits(run, lease_until=FUTURE, **first)
    waits(run, tier="opus")
    due = waits(run, available_at=PAST)
    waits(rows.run(policy=ORDERS, priority=5, state="paused"))
    waits(rows.run(policy=ORDERS, priority=5, finished_at=PAST))
    waits(rows.run(policy='{"context": {"lookups": ["parcels"]}}', priority=5))
    values = {"names": ["orders"], "queues": ["haiku", "batch.haiku"]}
    rows.all(lookup_recovery.GO, **values, most=1)
    now = "SELECT id FROM jobs WHERE available_at = now()"
    assert rows.firsts(now) == [mine]
    rows.all(lookup_recovery.GO, **values, most=9)
    assert rows.firsts(now) == [mine, later]
    assert rows.firsts(DUE) == sorted([mine, later, due])
