"""Budgets: reserve the worst case before, settle the truth after.

Promise 5: settled + reserved ≤ cap, at every instant, for every budget. Rows are locked in the
order of their scope, after the jobs, so that two groups cannot wait for one another.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from worker.domain.claimed import Claimed
from worker.store.queue.budget_warnings import warn
from worker.store.queue.gates import Stop, Stops
from worker.store.rows import as_json
from worker.store.scopes import day_scope, run_scope


@dataclass(slots=True)
class Purse:
    """What is left of one locked budget while a group is being claimed."""

    scope: str
    left: Decimal | None
    taken: Decimal = Decimal(0)

    def fits(self, amount: Decimal) -> bool:
        """Whether the worst case still fits under the cap."""
        return self.left is None or self.taken + amount <= self.left


class Budgets:
    """The last gate, for one worker process."""

    def __init__(self, per_day_usd: Decimal | None) -> None:
        self._per_day_usd = per_day_usd
        self._committed: dt.date | None = None

    def stops(self, day: dt.date, connection: Connection, planned: Sequence[Claimed]) -> Stops:
        """Jobs pass in order as long as the budgets of their run and of the day allow. What can
        cost nothing passes, and no claim that spends waits for it."""
        if self._committed != day:
            ensure_day(connection, day, self._per_day_usd)
        spending = [claimed for claimed in planned if claimed.reserved]
        today, stops = day_scope(day), dict[int, Stop]()
        scopes = [today, *(run_scope(claimed.candidate.run_id) for claimed in spending)]
        purses = lock_purses(connection, scopes) if spending else {}
        for claimed in spending:
            run, worst = purses[run_scope(claimed.candidate.run_id)], claimed.reserved
            if not run.fits(worst):
                stops[claimed.candidate.job_id] = Stop.RUN_BUDGET
            elif not purses[today].fits(worst):
                stops[claimed.candidate.job_id] = Stop.DAY_BUDGET
            else:
                run.taken += worst
                purses[today].taken += worst
        return stops

    def committed(self, day: dt.date | None) -> None:
        """A claim of this day is committed, and so is the day's row: it need not be made sure of
        again."""
        self._committed = day


def ensure_day(connection: Connection, day: dt.date, cap: Decimal | None) -> None:
    """The day's row, with the cap in force now: a changed configuration counts at once, except
    that a cap is never lowered beneath what is spent and reserved already."""
    connection.execute(BEGIN_DAY, {"scope": day_scope(day), "day": day, "cap": cap})
    connection.execute(ENSURE_DAY, {"scope": day_scope(day), "day": day, "cap": cap})


def lock_purses(connection: Connection, scopes: Sequence[str]) -> dict[str, Purse]:
    """Locks the budgets and says what each has left (None: no limit)."""
    rows = connection.execute(LOCK, {"scopes": sorted(set(scopes))})
    return {row.scope: Purse(row.scope, row.left) for row in rows}


def reservations(day: dt.date, amounts: Iterable[tuple[int, Decimal]]) -> list[dict[str, Any]]:
    """What attempts, each as `(run, worst case)`, take from the budgets: rows for the statement
    that writes their claim."""
    taken: dict[str, Decimal] = defaultdict(Decimal)
    for run_id, amount in amounts:
        if amount:
            taken[run_scope(run_id)] += amount
            taken[day_scope(day)] += amount
    return [{"scope": scope, "reserved": amount} for scope, amount in taken.items()]


def settle(connection: Connection, changes: Mapping[str, tuple[Decimal, Decimal]]) -> None:
    """Applies `{scope: (released reservation, money spent)}`."""
    rows = [
        {"scope": scope, "released": released, "spent": spent}
        for scope, (released, spent) in sorted(changes.items())
        if released or spent
    ]
    if rows:
        for row in connection.execute(SETTLE, {"rows": as_json(rows)}).all():
            if row.reached > row.warned:
                warn(connection, row.scope, row.reached, row.spent, row.cap)


# Of two workers that begin a day at the same moment one would break the other key, that of the day:
# only without a target does ON CONFLICT wait for every key.
BEGIN_DAY = text("""
INSERT INTO budgets (scope, day, cap) VALUES (:scope, :day, :cap) ON CONFLICT DO NOTHING
""")

ENSURE_DAY = text("""
INSERT INTO budgets AS b (scope, day, cap) VALUES (:scope, :day, :cap)
ON CONFLICT (scope) DO UPDATE SET warned_percent = 0,
  cap = CASE WHEN excluded.cap IS NOT NULL THEN GREATEST(excluded.cap, b.spent + b.reserved) END
WHERE b.cap IS DISTINCT FROM
  CASE WHEN excluded.cap IS NOT NULL THEN GREATEST(excluded.cap, b.spent + b.reserved) END
""")

LOCK = text("""
SELECT scope, cap + overrun - spent - reserved AS left FROM budgets
WHERE scope = ANY(:scopes) ORDER BY scope FOR UPDATE
""")

SETTLE = text("""
WITH change AS (
  SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS t(scope text, released numeric, spent numeric)
), locked AS (
  SELECT b.scope, b.warned_percent AS warned,
    CASE WHEN b.spent + change.spent >= b.cap THEN 100
      WHEN b.spent + change.spent >= 0.8 * b.cap THEN 80
      WHEN b.spent + change.spent >= 0.5 * b.cap THEN 50 ELSE 0 END AS reached
  FROM budgets AS b JOIN change USING (scope) ORDER BY b.scope FOR UPDATE OF b
), settled AS (
  UPDATE budgets AS b SET
    reserved = b.reserved - c.released,
    spent = b.spent + c.spent,
    overrun = GREATEST(b.overrun, b.spent + c.spent + b.reserved - c.released - b.cap, 0),
    warned_percent = GREATEST(l.warned, l.reached), updated_at = now()
  FROM change AS c JOIN locked AS l USING (scope) WHERE b.scope = c.scope
  RETURNING b.scope, b.run_id, b.spent, b.cap, l.warned, l.reached,
    b.cap + b.overrun - b.spent - b.reserved AS left
), goes_on AS (
  UPDATE runs AS r SET waiting_for = NULL FROM settled AS s
  WHERE r.id = s.run_id AND r.waiting_for = 'run budget' AND s.left >= r.waiting_usd
)
SELECT scope, spent, cap, warned, reached FROM settled
""")
