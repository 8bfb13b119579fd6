"""Breakers: the health of each queue, shared by all workers through its row in `tiers`.

Promises: a healthy queue costs one read a second for each worker and no write; two workers that
tell at once are counted one after the other, under the row's lock.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from models.vocabulary import Breaker
from worker.domain.breaker import BreakerRule, Pulse, Standing, hear
from worker.store.audit import RUNG, audit
from worker.store.queue import notices


def tell(engine: Engine, pulses: Mapping[str, Pulse], rule: BreakerRule) -> dict[str, Breaker]:
    """Counts calls that ended, by queue. Returns how each breaker stands now."""
    with engine.begin() as connection:
        troubled = [name for name, pulse in pulses.items() if pulse.troubled]
        if troubled:
            connection.execute(ENSURE, {"names": sorted(troubled)})
        rows = connection.execute(LOCK, {"names": sorted(pulses)}).all()
        standings = dict.fromkeys(pulses, Breaker.CLOSED)
        for row in rows:
            standings[row.name] = _tell_one(connection, row, pulses[row.name], rule)
    return standings


def _tell_one(connection: Connection, row: Row[Any], pulse: Pulse, rule: BreakerRule) -> Breaker:
    before = Standing(
        state=Breaker(row.breaker),
        in_row=row.trouble,
        good=row.good,
        troubled=row.troubled,
        trips=row.trips,
        age_s=row.age_s,
    )
    after = hear(before, pulse, rule)
    if after is before:
        return before.state
    values = {
        "name": row.name,
        "state": after.state,
        "in_row": after.in_row,
        "good": after.good,
        "troubled": after.troubled,
        "trips": after.trips,
        "age_s": after.age_s,
        "open_s": after.open_s,
        "reason": after.reason,
    }
    until: dt.datetime | None = connection.execute(WRITE, values).scalar_one()
    if after.state is Breaker.OPEN:
        _say_opened(connection, row.name, after, until)
    elif before.state is Breaker.HALF_OPEN and after.state is Breaker.CLOSED:
        audit(connection, RUNG, "breaker closed", row.name, 1)
    return after.state


def _say_opened(
    connection: Connection, name: str, standing: Standing, until: dt.datetime | None
) -> None:
    audit(connection, RUNG, "breaker open", name, 1, reason=standing.reason, until=until)
    if standing.trips == 1:
        words = (
            f"The breaker of {name} is open: {standing.reason}. Only single calls try it now; when"
            " they succeed it goes on by itself."
        )
        notices.note(
            connection, "breaker_open", key=f"{name}:{until}", target=name, words=words, until=until
        )


def half_open(engine: Engine) -> None:
    """Says of open breakers whose time is over that they let probes through. Claims know it by the
    clock already; this is for whoever looks."""
    with engine.begin() as connection:
        connection.execute(HALF_OPEN)


ENSURE = text("""
INSERT INTO tiers (name) SELECT unnest(CAST(:names AS text[])) ON CONFLICT (name) DO NOTHING
""")

LOCK = text("""
SELECT name, trouble, good, troubled, trips,
  CASE WHEN breaker = 'open' AND breaker_until <= clock_timestamp() THEN 'half_open'
    ELSE breaker END AS breaker,
  extract(epoch FROM clock_timestamp() - window_at)::float8 AS age_s
FROM tiers WHERE name = ANY(:names) ORDER BY name FOR UPDATE
""")

WRITE = text("""
UPDATE tiers SET breaker = :state, trouble = :in_row, good = :good, troubled = :troubled,
  trips = :trips, window_at = clock_timestamp() - make_interval(secs => CAST(:age_s AS float8)),
  breaker_until = clock_timestamp() + make_interval(secs => CAST(:open_s AS float8)),
  breaker_reason = CASE WHEN :state = 'half_open' THEN breaker_reason ELSE :reason END,
  updated_at = now()
WHERE name = :name RETURNING breaker_until
""")

HALF_OPEN = text("""
UPDATE tiers SET breaker = 'half_open', breaker_until = NULL, updated_at = now()
WHERE breaker = 'open' AND breaker_until <= now()
""")
