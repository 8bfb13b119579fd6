"""Each condition of the statements about workers and their steps, what budgets reserve when one
starts, the intake of a run, and what is known of a ladder for advice."""

from typing import Any

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.actions import standing_shadows
from worker.store.queue import budget_warnings, presence, reservations, rounds, run_intake
from worker.store.reading import facts

WORKER = {"host": "h", "pid": 1, "version": "v", "capacity": '{"haiku": 4}'}
LATELY, JUST = "now() - interval '20 seconds'", "now() - interval '5 seconds'"


def worker(rows: Rows, name: str, **columns: Any) -> None:
    rows.insert("workers", None, id=name, **WORKER | columns)


def test_what_was_dispatched_and_is_in_nobodys_hand(rows: Rows) -> None:
    run = rows.run()
    rows.forget("workers")
    for at in (PAST, PAST, PAST, JUST):
        rows.job(run, dispatched_at=at)
    rows.routed(run, dispatched_at=PAST)
    rows.job(run, dispatched_at=PAST, lease_until=FUTURE)
    moved = rows.job(run, dispatched_at=PAST)
    rows.all("UPDATE jobs SET state = 'routed', tier = 'haiku' WHERE id = :id", id=moved)
    hand = {"in_hand": '{"routing": 1, "haiku": 1}'}
    worker(rows, "other", **hand)
    worker(rows, "gone", seen_at=LATELY, **hand)
    worker(rows, "mine", **hand)
    asked = {"worker": "mine", "overdue": 10}
    assert rows.all(presence.UNCLAIMED, queues=["routing"], **asked) == [("routing", 2)]
    assert rows.all(presence.UNCLAIMED, queues=["haiku"], **asked) == []


def test_a_beat_says_when_something_was_claimed(rows: Rows) -> None:
    rows.forget("workers")
    same, other = '{"haiku": 1}', '{"haiku": 2}'
    worker(rows, "idle", in_flight=same)
    worker(rows, "busy", in_flight=other)
    for name in ("idle", "busy"):
        beat = WORKER | {"id": name, "in_flight": same, "in_hand": "{}"}
        rows.all(presence.BEAT, **beat)
    assert rows.firsts("SELECT id FROM workers WHERE last_claim_at IS NOT NULL") == ["busy"]


def test_which_workers_are_taken_off_the_list_and_which_live(rows: Rows) -> None:
    rows.forget("workers")
    worker(rows, "a", capacity='{"haiku": 4, "sonnet": 2}')
    worker(rows, "b", host="elsewhere", seen_at=JUST)
    worker(rows, "c", pid=2, seen_at=LATELY)
    worker(rows, "d", pid=3, stopping=True, note="ended")
    assert rows.all(presence.LIVE_QUEUES) == [(3,)]
    assert rows.all(presence.NOTED) == [("d", "ended")]
    rows.all(presence.NOTE, id="c", words="hangs")
    noted = "SELECT id FROM workers WHERE note = 'hangs' AND stopping"
    assert rows.firsts(noted) == ["c"]
    assert rows.all(presence.TAKE_OFF, host="h", pid=1) == [("a",)]
    rows.all(presence.FORGET, after=10)
    assert rows.firsts("SELECT id FROM workers") == ["b", "d"]
    rows.all(presence.LEAVE, id="b")
    assert rows.firsts("SELECT id FROM workers") == ["d"]


def steps(rows: Rows) -> None:
    rows.forget("step_rounds")
    for name, done_at in (("late", "now() - interval '100 seconds'"), ("in time", LATELY)):
        rows.insert("step_rounds", None, step=name, every_s=10, done_at=done_at)


def test_a_step_is_late_by_its_own_pace(rows: Rows) -> None:
    steps(rows)
    rows.forget("workers")
    worker(rows, "old", started_at=PAST)
    ((step, seconds),) = rows.all(rounds.LATE, late=60)
    assert (step, round(seconds)) == ("late", 90)
    assert rows.all(rounds.LATE, late=95) == []
    before = rows.one("SELECT statements FROM stopped_statements")[0]
    rows.all(rounds.STOPPED, stopped=3)
    assert rows.one("SELECT statements FROM stopped_statements")[0] == before + 3


@pytest.mark.parametrize(
    "columns",
    [
        {"started_at": PAST, "seen_at": LATELY},
        {"started_at": PAST, "stopping": True},
        {"started_at": "now() - interval '65 seconds'"},
        {"started_at": "now()"},
    ],
)
def test_a_step_is_late_where_a_worker_could_have_done_it(
    rows: Rows, columns: dict[str, Any]
) -> None:
    steps(rows)
    rows.forget("workers")
    worker(rows, "one", **columns)
    assert rows.all(rounds.LATE, late=60) == []


def test_what_is_reserved_is_what_open_attempts_hold(rows: Rows) -> None:
    # given
    run, wrong, without = rows.run(name="open"), rows.run(), rows.run()
    batch = rows.batch()
    for number, columns in enumerate(
        ({"reserved": 1}, {"reserved": 2, "batch_id": batch, "lane": "batch"},
         {"reserved": 4, "outcome": "lost"},
         {"reserved": 8, "outcome": "lost", "batch_id": batch, "lane": "batch"})
    ):  # fmt: skip
        job = rows.routed(run, fence=number + 1)
        rows.attempt(job, fence=number + 1, **columns)
    for scope, columns in (
        (f"run:{run}", {"run_id": run, "cap": 5, "spent": 3, "reserved": 2}),
        (f"run:{wrong}", {"run_id": wrong, "cap": 9, "reserved": 7, "overrun": 0.5}),
        (f"run:{without}", {"run_id": without, "cap": 1, "spent": 2, "overrun": 1}),
        ("day:2026-01-01", {"day": "2026-01-01", "cap": 9, "reserved": 3}),
    ):
        rows.insert("budgets", None, scope=scope, **columns)
    # when
    assert rows.firsts(reservations.LOCK_ALL) == sorted(
        [f"run:{run}", f"run:{wrong}", "day:2026-01-01"]
    )
    found = sorted(rows.all(reservations.RECONCILE))
    # then
    assert found == sorted([(f"run:{run}", 2, 3), (f"run:{wrong}", 7, 0)])
    left = "SELECT reserved, overrun FROM budgets WHERE scope = :scope"
    assert rows.all(left, scope=f"run:{run}") == [(3, 1)]
    assert rows.all(left, scope=f"run:{wrong}") == [(0, 0.5)]
    assert rows.all(budget_warnings.NAME, scope=f"run:{run}") == [("run open",)]
    assert rows.all(budget_warnings.NAME, scope="day:2026-01-01") == [("day 2026-01-01",)]


def test_a_budget_without_reservations_may_have_open_attempts(rows: Rows) -> None:
    run = rows.run()
    rows.attempt(rows.routed(run), reserved=1)
    rows.insert("budgets", None, scope=f"run:{run}", run_id=run, cap=5)
    assert rows.all(reservations.RECONCILE) == [(f"run:{run}", 0, 1)]


def test_an_intake_that_nobody_holds_is_closed(rows: Rows) -> None:
    given = {"accepting": True, "created_at": LATELY}
    gone = rows.run(**given)
    rows.run(accepting=False, created_at=LATELY)
    rows.run(**given, state="cancelled", finished_at=PAST)
    rows.run(accepting=True, created_at=JUST)
    held = {"space": run_intake.INTAKE_LOCK, "run": rows.run(**given)}
    with rows.connection.engine.begin() as other:
        assert other.execute(run_intake.TRY_INTAKE_LOCK, held).scalar_one()
        rows.all(run_intake.CLOSE_ABANDONED, space=run_intake.INTAKE_LOCK)
    said = "SELECT id FROM runs WHERE state_reason LIKE '%interrupted%'"
    assert rows.firsts(said) == [gone]


def test_a_run_takes_more_in_unless_it_is_cancelled(rows: Rows) -> None:
    over = rows.run(state="finished", finished_at=PAST)
    paused, cancelled, beside = rows.run(state="paused"), rows.run(state="cancelled"), rows.run()
    for run in (over, paused, cancelled):
        rows.all(run_intake.REOPEN, id=run)
    told = dict(rows.all("SELECT id, (state, accepting)::text FROM runs"))
    assert [told[one] for one in (over, paused, cancelled, beside)] == [
        "(active,t)", "(paused,t)", "(cancelled,f)", "(active,f)"
    ]  # fmt: skip


def test_what_the_end_of_an_intake_leaves_in_its_run(rows: Rows) -> None:
    run, beside = rows.run(rejected=1, duplicates=2, own_columns=["a"]), rows.run()
    rows.all(run_intake.CLOSE, id=run, rejected=10, duplicates=20, own=["b", "a"])
    left = "SELECT rejected, duplicates, own_columns FROM runs WHERE id = :id"
    assert rows.all(left, id=run) == [(11, 22, ["a", "b"])]
    assert rows.all(left, id=beside) == [(0, 0, [])]
    ended, *waiting, other = rows.answered(run), rows.job(run), rows.job(run), rows.job(beside)
    states = "SELECT state FROM jobs WHERE id = ANY(:ids) ORDER BY id"
    [(last,)] = rows.all(run_intake.CANCEL_REST, id=run, after=0, group=2)
    assert rows.all(states, ids=waiting) == [("cancelled",), ("queued",)]
    [(last,)] = rows.all(run_intake.CANCEL_REST, id=run, after=last, group=1)
    assert rows.all(run_intake.CANCEL_REST, id=run, after=last, group=5) == [(None,)]
    assert rows.all(states, ids=[ended, *waiting, other]) == [
        ("answered",), ("cancelled",), ("cancelled",), ("queued",)
    ]  # fmt: skip
    third = rows.run(own_columns=["c"])
    rows.all(run_intake.INHERIT, id=beside, runs=[run])
    assert rows.all(left, id=third) == [(0, 0, ["c"])]
    assert rows.all(left, id=beside) == [(0, 0, ["a", "b"])]


def test_when_all_columns_of_a_run_are_known(rows: Rows) -> None:
    run, of_before, copied, both = rows.run(), rows.run(), rows.run(), rows.run()
    closing = {"rejected": 0, "duplicates": 0}
    rows.all(run_intake.CLOSE, id=run, own=[], **closing)
    rows.all(run_intake.REOPEN, id=run)
    rows.all(run_intake.REOPEN, id=of_before)
    rows.all(run_intake.CLOSE, id=of_before, own=["a"], **closing)
    rows.all(run_intake.CLOSE, id=copied, own=None, **closing)
    told = "SELECT columns_known FROM runs WHERE id = ANY(:ids) ORDER BY id"
    assert rows.all(told, ids=[run, of_before, copied]) == [(True,), (False,), (None,)]
    rows.all(run_intake.INHERIT, id=copied, runs=[run])
    rows.all(run_intake.INHERIT, id=both, runs=[run, of_before])
    assert rows.all(told, ids=[run, copied, both]) == [(True,), (True,), (False,)]


def test_which_run_owes_shadows(rows: Rows) -> None:
    over = {"shadow_share": 0.5, "state": "finished", "finished_at": PAST}
    rows.run(**over | {"shadow_share": 0})
    rows.run(**over | {"state": "active", "finished_at": None})
    rows.run(**over | {"kind": "shadow"})
    rows.run(**over | {"shadows_asked_at": "now()"})
    assert rows.all(standing_shadows.OWING) == []
    first, second = rows.run(**over), rows.run(**over, shadows_asked_at="now() - interval '1 day'")
    assert [row[0] for row in rows.all(standing_shadows.OWING)] == [first]
    rows.all(standing_shadows.ASKED, run=first)
    assert [row[0] for row in rows.all(standing_shadows.OWING)] == [second]


def climbed(rows: Rows, run: int, accepted: bool, price: int = 2, **columns: Any) -> int:
    """A job that went from haiku to sonnet."""
    job = rows.job(run, **{"state": "answered", "difficulty": "easy", "escalations": 1,
                           "tier": "sonnet"} | columns)  # fmt: skip
    rows.attempt(job, fence=1, outcome="rejected", cost=1)
    step = {"from_tier": "haiku", "to_tier": "sonnet", "reason": "schema"}
    rows.insert("escalations", None, job_id=job, fence=1, **step)
    second = {"tier": "sonnet", "cost": price, "outcome": "accepted" if accepted else "rejected"}
    began = "now() - interval '10 seconds'"
    rows.attempt(job, fence=2, available_at=PAST, claimed_at=began, **second)
    return job


def test_what_is_known_of_a_ladder(rows: Rows) -> None:
    # given
    run, other = rows.run(), rows.run()
    good, bad = climbed(rows, run, True), climbed(rows, run, False, state="review")
    climbed(rows, other, True, price=50)
    rows.job(other)
    climbed(rows, run, True, price=50, state="submitted", fence=2, created_at=FUTURE)
    for job in (good, bad):
        rows.attempt(job, fence=3, tier="sonnet", outcome="lost", cost=16)
        rows.attempt(job, fence=4, tier="sonnet", stage="route", outcome="accepted", cost=32)
        rows.attempt(job, fence=5, tier="opus", outcome="rejected", cost=64)
    low = rows.job(run, state="answered", tier="haiku", difficulty="easy")
    rows.attempt(low, outcome="accepted", cost=1)
    asked = {"ids": [job for job, of in rows.all("SELECT id, run_id FROM jobs") if of == run]}
    # then
    rungs = {row[0]: (row[1], row[2], int(row[3])) for row in rows.all(facts.RUNGS, **asked)}
    assert rungs == {"haiku": (4, 1, 4), "sonnet": (3, 2, 54), "opus": (2, 0, 128)}
    seconds = {row[0]: row[4] for row in rows.all(facts.RUNGS, **asked)}
    assert 9 < seconds["sonnet"] < 11
    assert rows.all(facts.OF_THESE, **asked) == [(3, 2, 1)]
    assert rows.all(facts.ENDED, top="sonnet", runs=[run]) == [(3, 2, 1)]
    steps = [(*row[:4], int(row[4])) for row in rows.all(facts.CLIMBS, **asked)]
    assert steps == [("sonnet", "easy", 2, 1, 4)]
    assert [(row[0], int(row[1])) for row in rows.all(facts.NEXT, **asked)] == [("haiku", 2)]


def test_a_climb_counts_what_was_answered_after_it(rows: Rows) -> None:
    run = rows.run()
    job = climbed(rows, run, True)
    rows.attempt(job, fence=0, tier="sonnet", outcome="rejected", cost=8)
    steps = [(*row[:4], int(row[4])) for row in rows.all(facts.CLIMBS, ids=[job])]
    assert steps == [("sonnet", "easy", 1, 1, 2)]


def test_of_what_was_drawn_how_much_people_called_right(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    for right in (True, False):
        job = rows.answered(run)
        rows.attempt(job, fence=2, outcome="rejected")
        rows.audited(job, run)
        rows.audited(job, run, fence=2)
        rows.judged(job, right)
        rows.judged(job, not right, fence=2)
        rows.judged(job, not right, grader="tier")
        rows.judged(job, not right, grader_name="bob", undone_at="now()")
    rows.audited(rows.answered(run), run)
    beside = rows.answered(other)
    rows.audited(beside, other)
    rows.judged(beside)
    assert rows.all(facts.QUALITY, runs=[run]) == [("haiku", 2, 1)]
