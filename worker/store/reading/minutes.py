"""The last hour, minute by minute: from what housekeeping wrote down, and from the counters as they
are for the minute that has begun."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

from worker.store.queue.minutes import COUNTERS
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
    """The last `SHOWN` minutes, oldest first, and last the one that has begun, as it goes so far;
    empty before anything was noted."""
    noted = values_of(Noted, connection.execute(NOTED, {"minutes": SHOWN + 1}))
    (now,) = values_of(Noted, connection.execute(COUNTED))
    return minutes_of(noted, now) if noted else []


def minutes_of(noted: list[Noted], now: Noted) -> list[MinutePast]:
    """Differences of what was noted, oldest first. Pure. `now` ends the minute that has begun;
    where that is not noted yet, it stands for its beginning."""
    by_minute = {one.at: one for one in noted}
    end_of_all = now.at + dt.timedelta(minutes=1) if now.at in by_minute else now.at
    by_minute[end_of_all] = now
    found = []
    for ago in range(SHOWN, 0, -1):
        at = end_of_all - dt.timedelta(minutes=ago)
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


COUNTED = text(f"SELECT date_trunc('minute', now()) AS at, now() AS taken_at, {COUNTERS}")
NOTED = text("""
SELECT * FROM (
  SELECT at, taken_at, ended, waiting, at_claude, failed_calls, spent FROM minutes
  WHERE at > now() - interval '62 minutes' ORDER BY at DESC LIMIT :minutes) AS newest
ORDER BY at
""")
