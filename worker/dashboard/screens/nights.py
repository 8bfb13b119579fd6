"""Night runs: when each schedule is due next, what came of its last night, and whether one is
missing."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection

from worker.config.settings import NightlySettings, Settings
from worker.dashboard.screens.troubles import ScreenTrouble
from worker.domain.timetable import LATE_S, Timetable, next_due, owed
from worker.domain.wording import reason, span
from worker.store.actions.schedules import last_night, watched

QUIET_S = 60.0
"""At least so long may pass between two looks of a scheduler before anybody is told."""


def read_nights(connection: Connection, settings: Settings) -> list[dict[str, Any]]:
    """Every schedule of the configuration. One small look at the record for each."""
    return [_night(connection, settings, name, one) for name, one in settings.schedule.items()]


def _night(
    connection: Connection, settings: Settings, name: str, one: NightlySettings
) -> dict[str, Any]:
    table = Timetable(one.cron, one.timezone)
    seen, last = watched(connection, name, table), last_night(connection, name)
    now: dt.datetime = seen["now"]
    since = max((at for at in (seen["since"], seen["last_due"]) if at is not None), default=now)
    waiting, following = owed(table, since, now), next_due(table, now)
    late = (now - waiting[-1].at).total_seconds() if waiting else 0.0
    quiet = (now - seen["seen_at"]).total_seconds() if seen["seen_at"] else None
    return {
        "name": name,
        "cron": one.cron,
        "timezone": one.timezone,
        "where": one.where,
        "lane": one.lane,
        "now": now,
        "next": following.at if following is not None else None,
        "late_s": late if late >= LATE_S else None,
        "unwatched": quiet is None or quiet > max(3 * settings.timing.schedule_s, QUIET_S),
        "last": last,
    }


def night_troubles(nights: list[dict[str, Any]]) -> list[ScreenTrouble]:
    """Nights that are missing, failed, or that nobody will begin."""
    found = []
    for night in nights:
        name, last = night["name"], night["last"]
        if night["late_s"] is not None:
            words = f"The night run {name} is {span(night['late_s'])} late."
            found.append(ScreenTrouble("bad", words, "Night runs", "/runs"))
        elif night["unwatched"]:
            words = f"No scheduler is running, so the night run {name} will not begin."
            found.append(ScreenTrouble("warn", words, "Night runs", "/runs"))
        if last is not None and last["state"] == "failed":
            why = reason(last["words"]) or "no reason was recorded"
            words = f"The night run {name} of {last['night']} failed: {why.rstrip('.')}."
            found.append(ScreenTrouble("bad", words, "Night runs", "/runs"))
    return found
