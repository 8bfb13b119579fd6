"""Each condition of the statements about nights, by rows of which each misses one."""

import datetime as dt
from typing import Any

from models.vocabulary import FiringState
from tests.support.near_misses import Rows
from worker.domain.timetable import Due, Timetable
from worker.store.actions import schedules
from worker.store.actions.schedules import NightEnded

TABLE = Timetable("0 2 * * *", "UTC")
FIRST, SECOND, THIRD = (dt.date(2026, 1, day) for day in (1, 2, 3))


def at(night: dt.date) -> dt.datetime:
    return dt.datetime.combine(night, dt.time(2), dt.UTC)


def night(rows: Rows, name: str, day: dt.date, **columns: Any) -> None:
    known = {"due_at": at(day), "state": "made", "by": "schedule", "fired_at": at(day)}
    rows.insert("firings", None, name=name, night=day, **known | columns)


def beside(rows: Rows) -> None:
    """Two nights of `own`, and of `other` those and a later one."""
    for name, days in (("own", (FIRST, SECOND)), ("other", (FIRST, SECOND, THIRD))):
        for day in days:
            night(rows, name, day)


def known(rows: Rows, name: str, day: dt.date, cron: str = TABLE.cron, zone: str = "UTC") -> None:
    """A timetable that was seen first and last at a day's due time."""
    rows.insert("schedules", None, name=name, cron=cron, timezone=zone, since=at(day),
                seen_at=at(day))  # fmt: skip


def kept(rows: Rows, columns: str) -> dict[tuple[str, int], tuple[Any, ...]]:
    """What stands there of each night, by schedule and day."""
    found = rows.all(f"SELECT name, night, {columns} FROM firings")
    return {(name, day.day): tuple(rest) for name, day, *rest in found}


def test_nights_are_owed_since_the_last_of_the_schedule_or_since_its_timetable(rows: Rows) -> None:
    beside(rows)
    known(rows, "own", FIRST)
    known(rows, "late", THIRD)
    night(rows, "late", FIRST)
    known(rows, "new", FIRST)
    since = {name: schedules.see(rows.connection, name, TABLE).since for name in ("own", "late")}
    assert since == {"own": at(SECOND), "late": at(THIRD)}
    assert schedules.see(rows.connection, "new", TABLE).since == at(FIRST)
    first = schedules.see(rows.connection, "own", Timetable("0 3 * * *", "UTC"))
    assert (first.since > at(THIRD), first.now >= first.since) == (True, True)
    seen = {row[:3] for row in rows.all(
        "SELECT name, cron, timezone FROM schedules WHERE seen_at >= now()")}  # fmt: skip
    assert seen == {(name, TABLE.cron, "UTC") for name in ("own", "late", "new")} | {
        ("own", "0 3 * * *", "UTC")
    }


def test_a_night_that_is_done_again_is_due_at_the_later_time(rows: Rows) -> None:
    # given
    beside(rows)
    later = at(SECOND) + dt.timedelta(hours=1)
    run = rows.run(name="nightly")
    rows.run()
    rows.all("UPDATE firings SET run_id = :run, jobs = 3, words = 'said' WHERE name = 'own'"
             " AND night = '2026-01-02'", run=run)  # fmt: skip
    before = kept(rows, "due_at, by, fired_at")
    # when it is only asked for
    taken = schedules.claim(rows.connection, "own", Due(later, SECOND), 0, "ada")
    # then it is told as it was
    assert taken is not None
    assert (taken.night, taken.run, taken.jobs, taken.words) == (SECOND, "nightly", 3, "said")
    assert kept(rows, "due_at, by, fired_at") == before
    # when it is done again, at its due time or ahead of it
    for due in (later, at(FIRST)):
        claimed = schedules.claim(rows.connection, "own", Due(due, SECOND), 0, "ada", again=True)
        assert claimed is None
    # then no other night is touched
    now = kept(rows, "due_at, by, fired_at")
    due_at, by, fired_at = now.pop(("own", 2))
    assert (due_at, by, fired_at > at(THIRD)) == (later, "ada", True)
    before.pop(("own", 2))
    assert now == before


def test_a_night_that_nobody_took_is_ours(rows: Rows) -> None:
    beside(rows)
    assert schedules.claim(rows.connection, "own", Due(at(THIRD), THIRD), 2, "schedule") is None
    found = kept(rows, "state, missed, by, due_at")
    assert found["own", 3] == ("failed", 2, "schedule", at(THIRD))
    assert found["other", 3] == ("made", 0, "schedule", at(THIRD))


def test_nights_are_those_of_the_schedule_from_a_date_on(rows: Rows) -> None:
    beside(rows)
    night(rows, "own", dt.date(2025, 12, 31))
    assert schedules.nights_from(rows.connection, "own", FIRST) == {FIRST, SECOND}
    assert schedules.nights_from(rows.connection, "own", SECOND) == {SECOND}
    assert schedules.nights_from(rows.connection, "none", FIRST) == set()


def test_what_came_of_a_night_is_said_of_that_one(rows: Rows) -> None:
    beside(rows)
    run = rows.run()
    ended = NightEnded(state=FiringState.MADE, words="late", run_id=run, jobs=7,
                       selection={"where": "state = review"})  # fmt: skip
    before = kept(rows, "state, words, run_id, jobs, selection")
    schedules.close(rows.connection, "own", SECOND, ended)
    now = kept(rows, "state, words, run_id, jobs, selection")
    assert now.pop(("own", 2)) == ("made", "late", run, 7, {"where": "state = review"})
    before.pop(("own", 2))
    assert now == before


def test_the_last_night_is_told_with_the_jobs_of_its_run(rows: Rows) -> None:
    # given
    other, run, later = rows.run(), rows.run(name="nightly", state="paused"), rows.run()
    night(rows, "own", FIRST, run_id=later)
    night(rows, "own", SECOND, run_id=run, jobs=4, missed=2, words="late")
    night(rows, "own", dt.date(2025, 12, 31), run_id=other)
    night(rows, "other", THIRD, run_id=other)
    for tier in ("haiku", "sonnet"):
        rows.job(run, state="answered", tier=tier)
    rows.job(run, state="dead")
    rows.job(other, state="review")
    # One that changed its state leaves a count of none behind.
    moved = rows.job(run)
    rows.all("UPDATE jobs SET state = 'dead', finished_at = now() WHERE id = :job", job=moved)
    assert rows.all("SELECT FROM run_counts WHERE jobs = 0")
    # when
    last = schedules.last_night(rows.connection, "own")
    # then
    assert last is not None
    assert (last.night, last.due_at, last.missed, last.jobs) == (SECOND, at(SECOND), 2, 4)
    assert (last.run, last.run_state, last.words) == ("nightly", "paused", "late")
    assert last.by_state == {"answered": 2, "dead": 2}
    assert schedules.last_night(rows.connection, "none") is None


def test_what_schedulers_know_is_of_this_timetable(rows: Rows) -> None:
    beside(rows)
    known(rows, "own", FIRST)
    known(rows, "other", THIRD)
    known(rows, "own", THIRD, cron="0 3 * * *")
    known(rows, "own", THIRD, zone="Europe/Berlin")
    found = schedules.watched(rows.connection, "own", TABLE)
    assert (found.since, found.seen_at, found.last_due) == (at(FIRST), at(FIRST), at(SECOND))
    nobody = schedules.watched(rows.connection, "none", TABLE)
    assert (nobody.since, nobody.seen_at, nobody.last_due) == (None, None, None)
    assert found.now == nobody.now
