"""Each condition of the statements behind the first page: what runs have done, how long jobs wait,
and what wants a person."""

from typing import Any

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.reading import screens

COUNTS = (("queued", "", 1), ("cancelled", "haiku", 2), ("routed", "haiku", 4),
          ("answered", "haiku", 8), ("review", "haiku", 16), ("dead", "", 32),
          ("dead", "opus", 64))  # fmt: skip
DONE = {"routing": 124, "haiku": 124, "opus": 64, "ended": 122}
TEN_MINUTES = "now() - interval '10 min'"


def counted(rows: Rows, run: int, counts: Any = COUNTS) -> None:
    for state, tier, jobs in counts:
        rows.insert("run_counts", None, run_id=run, state=state, tier=tier, jobs=jobs)
    for to_tier, climbs in (("opus", 100), ("person", 1000)):
        rows.insert("run_escalations", None, run_id=run, from_tier="haiku", to_tier=to_tier,
                    reason="schema", escalations=climbs)  # fmt: skip


def test_what_runs_have_done(rows: Rows) -> None:
    # given
    old, over = rows.run(), rows.run(finished_at="now()")
    recent = rows.run(finished_at="now()")
    for _ in range(19):
        last = rows.run(finished_at="now()")
    for run in (old, over, recent):
        counted(rows, run)
    # when
    found = {run: dict[str, int]() for run in (old, over, recent, last)}
    for run, queue, done in rows.all(screens.DONE):
        found[run][queue] = done
    # then
    assert found == {old: DONE, over: {}, recent: DONE, last: {}}
    assert {row[0] for row in rows.all(screens.DONE_OF, runs=[over])} == {over}
    assert {queue: done for _, queue, done in rows.all(screens.DONE_OF, runs=[over])} == DONE


def test_what_is_counted_of_some_runs(rows: Rows) -> None:
    # given
    first, second, other = rows.run(), rows.run(), rows.run()
    counted(rows, first, (*COUNTS, ("submitted", "haiku", 1)))
    counted(rows, second, (("submitted", "haiku", -1),))
    counted(rows, other)
    for run, jobs in ((first, 3), (other, 50)):
        rows.insert("run_verdicts", None, run_id=run, verdict="accept", jobs=jobs)
    runs = [first, second]
    # then
    assert sorted(rows.all(screens.COUNTS, runs=runs)) == sorted(COUNTS)
    assert rows.all(screens.DECIDED, runs=runs) == [(3,)]
    assert rows.all(screens.ESCALATIONS, runs=runs) == [
        ("haiku", "person", "schema", 2000), ("haiku", "opus", "schema", 200)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("beside", "waited"),
    [
        ({}, 600),
        ({"available_at": PAST}, 3600),
        ({"available_at": PAST, "priority": 1}, 3600),
        ({"available_at": PAST, "dispatched_at": PAST}, 3600),
        *(
            ({"available_at": PAST, "priority": priority} | near, 600)
            for priority in (5, 1)
            for near in ({"lease_until": FUTURE}, {"tier": "sonnet"},
                         {"tier": "sonnet", "dispatched_at": PAST}, {"ended": True})
        ),
    ],
)  # fmt: skip
def test_how_long_the_first_in_line_has_waited(
    rows: Rows, beside: dict[str, Any], waited: int
) -> None:
    run, ended = rows.run(), rows.run(finished_at="now()")
    rows.routed(run, priority=5, available_at=TEN_MINUTES)
    rows.routed(run, tier="opus", available_at=FUTURE)
    columns = {"priority": 5} | beside
    rows.routed(ended if columns.pop("ended", False) else run, **columns)
    found = rows.all(screens.OLDEST, queues=["haiku", "opus"])
    assert sorted(found) == [("haiku", waited, waited), ("opus", None, 0)]


def test_what_a_budget_has_put_off_goes_on_waiting(rows: Rows) -> None:
    run = rows.run()
    job = rows.routed(run, available_at=FUTURE)
    rows.attempt(job, fence=1, outcome="rejected", finished_at=PAST)
    rows.attempt(job, fence=2, outcome="rejected", finished_at=TEN_MINUTES)
    found = rows.all(screens.OLDEST, queues=["haiku"])
    assert found == [("haiku", None, 600)]


def test_since_when_a_budget_stops_a_run(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    for one, cap in ((run, 5), (other, 7)):
        rows.insert("budgets", None, scope=f"run:{one}", run_id=one, cap=cap)
    caps = dict(rows.all("SELECT run_id, cap::text FROM budgets"))
    for cap, at in ((caps[run], PAST), (caps[other], TEN_MINUTES)):
        key = f"budget_stop:run:{cap}:{run}"
        rows.insert("notices", None, key=key, kind="budget_stop", target="t", words="w", at=at)
    at = [rows.one(f"SELECT {moment}")[0] for moment in (PAST, TEN_MINUTES)]
    assert rows.all(screens.STOPS, runs=[run, other]) == [(run, at[0])]
    # then: of two that have stopped it, the later one; only that of this day
    for days in (0, 1):
        day = rows.one(f"SELECT (now() AT TIME ZONE 'UTC')::date - {days}")[0]
        rows.insert("budgets", None, scope=f"day:{day}", day=day, cap=9 + days)
        cap = rows.one(f"SELECT cap::text FROM budgets WHERE day = '{day}'")[0]
        key, moment = f"budget_stop:day:{day}:{cap}:{(run, other)[days]}", (TEN_MINUTES, PAST)[days]
        rows.insert("notices", None, key=key, kind="budget_stop", target="t", words="w", at=moment)
    assert rows.all(screens.STOPS, runs=[run, other]) == [(run, at[1])]


def test_what_wants_a_person_in_all_runs(rows: Rows) -> None:
    for run in (rows.run(), rows.run()):
        counted(rows, run, (("dead", "", 3), ("review", "haiku", 5), ("answered", "haiku", 9)))
        rows.insert("run_verdicts", None, run_id=run, verdict="accept", jobs=2)
    assert sorted(rows.all(screens.ATTENTION)) == [("dead", 6), ("review", 6)]


def test_which_workers_are_at_work(rows: Rows) -> None:
    for name, seen in (("silent", 11), ("alive", 9)):
        rows.insert("workers", None, id=name, host="h", pid=1, version="1", capacity="{}",
                    seen_at=f"now() - interval '{seen} s'")  # fmt: skip
    found = [(row[0], row[-1]) for row in rows.all(screens.WORKERS)]
    assert found == [("alive", True), ("silent", False)]


def test_which_runs_answer_again(rows: Rows) -> None:
    first = rows.run()
    run = rows.run(parent_id=first)
    again, beside = rows.run(parent_id=run), rows.run(parent_id=first)
    found = {one: [(row[0], row[3]) for row in rows.all(screens.RELATED, run=one)]
             for one in (first, run, beside)}  # fmt: skip
    assert found == {first: [(run, False), (beside, False)], beside: [(first, True)],
                     run: [(first, True), (again, False)]}  # fmt: skip


def test_what_a_reprocessing_changed(rows: Rows) -> None:
    # given
    before, run, other = rows.run(), rows.run(name="again"), rows.run()
    rows.job(run, state="dead")
    kinds = {("answered", "dead"): 1, ("review", "answered"): 2, ("answered", "answered"): 3,
             ("review", "dead"): 1}  # fmt: skip
    for (now, was), jobs in kinds.items():
        for _ in range(jobs):
            message = rows.message()
            rows.job(run, message, state=now, origin_id=rows.job(before, message, state=was))
    for one, state in ((run, "queued"), (other, "answered")):
        message = rows.message()
        rows.job(one, message, state=state, origin_id=rows.job(before, message, state="dead"))
    # then
    assert rows.all(screens.DIFFERENCE, run="again", limit=99) == [(7, 1, 2, 4)]
    assert rows.all(screens.DIFFERENCE, run="again", limit=1) == [(1, 1, 0, 0)]
