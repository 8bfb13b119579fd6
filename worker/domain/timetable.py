"""When a schedule is due: cron expressions in a time zone, with the clock's changes in it.

A schedule is due at most once on a local date, and that date is its *night*: the name under which
it happens once. Where the clock jumps over the hour, a night is due right after the jump; where an
hour comes twice, at its first coming. These are the rules of Debian's cron, as `cronsim` has them.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from cronsim import CronSim, CronSimError

MOST_OWED = 1_000
"""Due times that are looked at in one go, oldest first; more than two years of nights."""
LATE_S = 600
"""Seconds after the due time from which a night counts as late, and is said to be."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """A cron expression of five fields, and the zone whose clock it means."""

    cron: str
    timezone: str

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Raises ZoneInfoNotFoundError or ValueError for a name that is none."""
        return zoneinfo.ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Due:
    """A moment (UTC) and its local date."""

    at: dt.datetime
    night: dt.date


def complaint(table: Timetable) -> str | None:
    """What is wrong with a timetable, as a sentence without a full stop; None when nothing is."""
    try:
        zone = table.zone
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return f"timezone {table.timezone!r} is unknown; use a name like Europe/Berlin or UTC"
    if len(table.cron.split()) != 5:
        return f"cron {table.cron!r} must have five fields: minute hour day month weekday"
    try:
        simulated = CronSim(table.cron, dt.datetime(2026, 1, 1, tzinfo=zone))
        times = len(simulated.hours) * len(simulated.minutes)
        next(simulated)
    except (CronSimError, ValueError, TypeError, AssertionError) as error:
        return f"cron {table.cron!r} cannot be read: {str(error) or 'it is no cron expression'}"
    except StopIteration:
        return f"cron {table.cron!r} is never due"
    if times > 1:
        return (
            f"cron {table.cron!r} is due {times} times a day, and a schedule runs once a day; give"
            " each time a schedule of its own"
        )
    return None


def due_after(table: Timetable, moment: dt.datetime) -> Iterator[Due]:
    """Every due time after a moment, in order; ends where there is none in 50 years."""
    zone = table.zone
    for local in CronSim(table.cron, moment.astimezone(zone)):
        at = local.astimezone(dt.UTC)
        if at > moment:
            yield Due(at, local.astimezone(zone).date())


def owed(table: Timetable, since: dt.datetime, now: dt.datetime) -> list[Due]:
    """What was due after `since` and until now, oldest first. After a very long silence only the
    newest `MOST_OWED` are looked for."""
    since = max(since, now - dt.timedelta(days=MOST_OWED))
    found = []
    for due in islice(due_after(table, since), MOST_OWED + 1):
        if due.at > now:
            break
        found.append(due)
    return found


def next_due(table: Timetable, now: dt.datetime) -> Due | None:
    """The next time; None where there is none."""
    return next(due_after(table, now), None)


def night_of(table: Timetable, moment: dt.datetime) -> dt.date:
    """The local date of a moment."""
    return moment.astimezone(table.zone).date()


def lateness(dues: list[Due], now: dt.datetime) -> str | None:
    """What is to be said when nights are fired that should have been fired before; the last of
    `dues` is the one that is fired. None when it is on time and none is missing."""
    *missed, last = dues
    words = []
    late = (now - last.at).total_seconds()
    if late > LATE_S:
        words.append(f"{late / 3_600:.1f} h late")
    if missed:
        nights = "night" if len(missed) == 1 else "nights"
        first = f"{missed[0].night}" + (f" to {missed[-1].night}" if len(missed) > 1 else "")
        words.append(f"stands for {len(missed)} earlier {nights} that nobody fired ({first})")
    return "; ".join(words) or None
