"""How schedules stand: when each is due next, what came of its last night, whether one is missing,
and whether anybody looks. One reading for commands and pages."""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from worker.config.addresses import night_lane
from worker.config.settings import NightlySettings, Settings
from worker.domain.timetable import LATE_S, Timetable, next_due, owed
from worker.store.actions.schedules import LastNight, last_night, watched

QUIET_S = 60.0
"""At least so long may pass between two looks of a scheduler before anybody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStanding:
    """One schedule of the configuration. Times to come are in its own zone."""

    name: str
    cron: str
    timezone: str
    where: str
    lane: str
    now: dt.datetime
    next: dt.datetime | None
    overdue_since: dt.datetime | None
    """When a night was due that nobody has begun, once it is late."""
    seen_at: dt.datetime | None
    unwatched: bool
    last: LastNight | None

    @property
    def late_s(self) -> float | None:
        """Seconds that a night is late; None where none is."""
        since = self.overdue_since
        return (self.now - since).total_seconds() if since is not None else None

    def as_document(self) -> dict[str, Any]:
        """As `rung schedule --json` gives it."""
        same = ("cron", "timezone", "where", "lane", "next", "overdue_since")
        return {
            "schedule": self.name,
            **{name: getattr(self, name) for name in same},
            "scheduler_seen_at": self.seen_at,
            "last": asdict(self.last) if self.last is not None else None,
        }


def read_schedules(connection: Connection, settings: Settings) -> list[ScheduleStanding]:
    """Every schedule of the configuration. One small look at the record for each."""
    quiet_s = max(3 * settings.timing.schedule_s, QUIET_S)
    return [
        _standing(connection, name, one, night_lane(settings, one.lane), quiet_s)
        for name, one in settings.schedule.items()
    ]


def _standing(
    connection: Connection, name: str, one: NightlySettings, lane: str, quiet_s: float
) -> ScheduleStanding:
    table = Timetable(one.cron, one.timezone)
    seen = watched(connection, name, table)
    now = seen.now
    since = max((at for at in (seen.since, seen.last_due) if at is not None), default=now)
    waiting, following, seen_at = owed(table, since, now), next_due(table, now), seen.seen_at
    overdue = waiting[-1].at if waiting else now
    late = (now - overdue).total_seconds() >= LATE_S
    return ScheduleStanding(
        name=name,
        cron=one.cron,
        timezone=one.timezone,
        where=one.where,
        lane=lane,
        now=now,
        next=following.at.astimezone(table.zone) if following is not None else None,
        overdue_since=overdue.astimezone(table.zone) if late else None,
        seen_at=seen_at,
        unwatched=seen_at is None or (now - seen_at).total_seconds() > quiet_s,
        last=last_night(connection, name),
    )
