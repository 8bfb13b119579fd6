"""The last hour, minute by minute, from what housekeeping wrote down."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

from worker.store.rows import values_of

SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """The counters of one minute."""

    at: dt.datetime
    taken_at: dt.datetime
    ended: int
    waiting: int
    at_claude: int
    failed_calls: int
    spent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MinutePast:
    """One minute: what ended, failed and was spent in it, and what waited at its end. `known` is
    false where nobody wrote it down: no worker ran."""

    at: dt.datetime
    known: bool = False
    done: float = 0.0
    waiting: int = 0
    failed: float = 0.0
    spent: float = 0.0


def last_hour(connection: Connection) -> list[MinutePast]:
    """The last `SHOWN` whole minutes, oldest first; empty before there is one."""
    noted = values_of(Noted, connection.execute(NOTED, {"minutes": SHOWN + 1}))
    now: dt.datetime = connection.execute(NOW).scalar_one()
    return minutes_of(noted, now) if len(noted) > 1 else []


def minutes_of(noted: list[Noted], now: dt.datetime) -> list[MinutePast]:
    """Differences of what was noted, oldest first. Pure. The minute that has just begun may not
    have been noted yet."""
    by_minute = {one.at: one for one in noted}
    last = now.replace(second=0, microsecond=0)
    if last not in by_minute:
        last -= dt.timedelta(minutes=1)
    found = []
    for ago in range(SHOWN, 0, -1):
        at = last - dt.timedelta(minutes=ago)
        begin, end = by_minute.get(at), by_minute.get(at + dt.timedelta(minutes=1))
        found.append(_past(begin, end) if begin and end else MinutePast(at=at))
    return found


def _past(begin: Noted, end: Noted) -> MinutePast:
    minutes = max((end.taken_at - begin.taken_at).total_seconds() / 60, 0.1)
    return MinutePast(
        at=begin.at,
        known=True,
        # A retry opens what had ended: that is no work undone.
        done=max(end.ended - begin.ended, 0) / minutes,
        waiting=end.waiting + end.at_claude,
        failed=max(end.failed_calls - begin.failed_calls, 0) / minutes,
        spent=max(float(end.spent - begin.spent), 0.0) / minutes,
    )


NOW = text("SELECT now()")
NOTED = text("""
SELECT * FROM (
  SELECT at, taken_at, ended, waiting, at_claude, failed_calls, spent FROM minutes
  WHERE at > now() - interval '62 minutes' ORDER BY at DESC LIMIT :minutes) AS newest
ORDER BY at
""")
