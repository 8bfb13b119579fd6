"""What runs wait for: a budget that refused their next attempt, said wherever people look."""

import datetime as dt
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.claimed import Claimed
from worker.store.queue.gates import Stop, Stops
from worker.store.scopes import day_scope, run_scope

BUDGET_WAIT_S = 15.0
SETTLING_WAIT_S = 2.0
"""While calls are in flight: what they leave of their reservations may be enough in a moment, so
that a run goes on until less than one worst case is left, if need be one call at a time."""
BUDGETS = (Stop.RUN_BUDGET, Stop.DAY_BUDGET)


def note_waiting(
    connection: Connection,
    rows: Sequence[Row[Any]],
    planned: Sequence[Claimed],
    granted: Sequence[Claimed],
    stops: Stops,
) -> None:
    """Keeps `runs.waiting_for` and `waiting_usd` true; `rows` are those that were ready, `planned`
    what they would ask, and `stops` says why some of them were not granted."""
    refused = [job_id for job_id, stop in stops.items() if stop in BUDGETS]
    claimed_runs = {claimed.candidate.run_id for claimed in granted}
    if refused:
        _postpone(connection, rows[0].today, refused, stops, claimed_runs)
    waiting = {row.run_id: row.waiting_for for row in rows}
    words = {row.run_id: stops[row.id].value for row in rows if stops.get(row.id) in BUDGETS}
    needs = _needs(planned, stops)
    for run_id, was in waiting.items():
        now = words.get(run_id)
        if now is not None or (was is not None and run_id in claimed_runs):
            values = {"run": run_id, "words": now, "needs": needs.get(run_id)}
            connection.execute(SET_WAITING, values)


def _postpone(
    connection: Connection,
    today: dt.date,
    refused: Sequence[int],
    stops: Stops,
    going: Collection[int],
) -> None:
    """`going` are the runs of which something was granted just now."""
    day = day_scope(today)
    values = {
        "ids": refused,
        "by_day": [job_id for job_id in refused if stops[job_id] is Stop.DAY_BUDGET],
        "day": day,
        "drawn_on": [*map(run_scope, going), *([day] if going else [])],
        "wait": BUDGET_WAIT_S,
        "soon": SETTLING_WAIT_S,
    }
    connection.execute(POSTPONE, values)


def _needs(planned: Sequence[Claimed], stops: Stops) -> dict[int, Decimal]:
    """The least worst case, by run, of what the budgets refused."""
    needs = dict[int, Decimal]()
    for one in planned:
        if stops.get(one.candidate.job_id) in BUDGETS:
            run_id, worst = one.candidate.run_id, one.reserved
            needs[run_id] = min(worst, needs.get(run_id, worst))
    return needs


POSTPONE = text("""
UPDATE jobs AS j SET dispatched_at = NULL,
  available_at = now() + make_interval(secs => CASE WHEN b.settling THEN :soon ELSE :wait END)
FROM unnest(CAST(:ids AS bigint[])) AS refused(id) JOIN jobs AS one USING (id)
CROSS JOIN LATERAL (
  SELECT CASE WHEN refused.id = ANY(:by_day) THEN :day ELSE 'run:' || one.run_id END AS scope
) AS s
CROSS JOIN LATERAL (
  SELECT s.scope = ANY(:drawn_on) OR EXISTS (
    SELECT FROM budgets WHERE scope = s.scope AND reserved > 0) AS settling) AS b
WHERE j.id = refused.id
""")

SET_WAITING = text("""
UPDATE runs SET waiting_for = :words, waiting_usd = :needs
WHERE id = :run AND (waiting_for, waiting_usd) IS DISTINCT FROM (:words, CAST(:needs AS numeric))
""")
