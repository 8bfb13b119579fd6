"""Nights in SQL: seen, claimed and closed in one transaction, so that each happens once."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from models.vocabulary import FiringState
from worker.domain.timetable import Due, Timetable
from worker.store.rows import values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TimetableSeen:
    """Since when a scheduler knows a timetable, when one looked last, and when the newest night
    was due; `now` is the database's time."""

    now: dt.datetime
    since: dt.datetime | None
    seen_at: dt.datetime | None
    last_due: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ScheduleSeen:
    """What is known of a schedule, under its lock: the database's time, and since when nights are
    owed (the last one that was fired, or when a scheduler first saw this timetable)."""

    now: dt.datetime
    since: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One recorded night. `run` is the name of the run that was made."""

    night: dt.date
    state: str
    run: str | None
    jobs: int
    words: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastNight:
    """The newest night of a schedule, and how its run stands; `missed` nights came before it."""

    night: dt.date
    due_at: dt.datetime
    fired_at: dt.datetime
    state: str
    missed: int
    jobs: int
    words: str | None
    by: str
    run: str | None
    run_state: str | None
    by_state: Mapping[str, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NightEnded:
    """What came of a night."""

    state: FiringState
    words: str | None
    run_id: int | None = None
    jobs: int = 0
    selection: dict[str, Any] | None = None


def see(connection: Connection, name: str, table: Timetable) -> ScheduleSeen:
    """Notes that a scheduler looked, and holds the schedule until the transaction ends: of two
    schedulers at once, the second sees what the first one did."""
    values = {"name": name, "cron": table.cron, "timezone": table.timezone}
    row = connection.execute(SEE, values).one()
    last = connection.execute(LAST_DUE, {"name": name}).scalar()
    return ScheduleSeen(row.now, max(row.since, last) if last is not None else row.since)


def claim(
    connection: Connection, name: str, due: Due, missed: int, by: str, *, again: bool = False
) -> Night | None:
    """Takes the night: None means that it is ours. Otherwise the night as it was taken before,
    unless it is to be done `again`."""
    values = {"name": name, "night": due.night, "due": due.at, "missed": missed, "by": by}
    if connection.execute(CLAIM, values).rowcount:
        return None
    row = connection.execute(NIGHT, {"name": name, "night": due.night}).mappings().one()
    if not again:
        return Night(**row)
    connection.execute(TAKE_OVER, values)
    return None


def nights_from(connection: Connection, name: str, first: dt.date) -> set[dt.date]:
    """Nights that are recorded, from a date on: one may have been done by hand before it was
    due."""
    return set(connection.execute(NIGHTS, {"name": name, "first": first}).scalars())


def close(connection: Connection, name: str, night: dt.date, ended: NightEnded) -> None:
    """Says what came of the night."""
    values = {
        "name": name,
        "night": night,
        "state": ended.state,
        "words": ended.words,
        "run": ended.run_id,
        "jobs": ended.jobs,
        "selection": json.dumps(ended.selection or {}, default=str),
    }
    connection.execute(CLOSE, values)


def last_night(connection: Connection, name: str) -> LastNight | None:
    """The newest night."""
    return next(iter(values_of(LastNight, connection.execute(LAST, {"name": name}))), None)


def watched(connection: Connection, name: str, table: Timetable) -> TimetableSeen:
    """What schedulers know of this timetable."""
    values = {"name": name, "cron": table.cron, "timezone": table.timezone}
    (found,) = values_of(TimetableSeen, connection.execute(WATCHED, values))
    return found


SEE = text("""
INSERT INTO schedules AS s (name, cron, timezone) VALUES (:name, :cron, :timezone)
ON CONFLICT (name, cron, timezone) DO UPDATE SET seen_at = clock_timestamp()
RETURNING since, clock_timestamp() AS now
""")
LAST_DUE = text("SELECT max(due_at) FROM firings WHERE name = :name")
CLAIM = text("""
INSERT INTO firings (name, night, due_at, state, missed, by)
VALUES (:name, :night, :due, 'failed', :missed, :by) ON CONFLICT (name, night) DO NOTHING
""")
TAKE_OVER = text("""
UPDATE firings SET due_at = greatest(due_at, :due), fired_at = clock_timestamp(), by = :by
WHERE name = :name AND night = :night
""")
NIGHTS = text("SELECT night FROM firings WHERE name = :name AND night >= :first")
NIGHT = text("""
SELECT f.night, f.state, r.name AS run, f.jobs, f.words FROM firings AS f
LEFT JOIN runs AS r ON r.id = f.run_id WHERE f.name = :name AND f.night = :night FOR UPDATE OF f
""")
CLOSE = text("""
UPDATE firings SET state = :state, words = :words, run_id = :run, jobs = :jobs,
  selection = CAST(:selection AS jsonb)
WHERE name = :name AND night = :night
""")
LAST = text("""
SELECT f.night, f.due_at, f.fired_at, f.state, f.missed, f.jobs, f.words, f.by, r.name AS run,
  r.state AS run_state,
  (SELECT jsonb_object_agg(c.state, c.jobs) FROM (
    SELECT state, sum(jobs)::bigint AS jobs FROM run_counts
    WHERE run_id = f.run_id AND jobs > 0 GROUP BY 1) AS c) AS by_state
FROM firings AS f LEFT JOIN runs AS r ON r.id = f.run_id
WHERE f.name = :name ORDER BY f.night DESC LIMIT 1
""")
WATCHED = text("""
SELECT now() AS now, max(since) AS since, max(seen_at) AS seen_at,
  (SELECT max(due_at) FROM firings WHERE name = :name) AS last_due
FROM schedules WHERE name = :name AND cron = :cron AND timezone = :timezone
""")
