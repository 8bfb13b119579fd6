"""What runs wait for: a budget that refused their next attempt, said wherever people look."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.claimed import Claimed
from worker.store.queue.gates import Stop, Stops

BUDGET_WAIT_S = 15.0
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
    if refused:
        connection.execute(POSTPONE, {"ids": refused, "wait": BUDGET_WAIT_S})
    waiting = {row.run_id: row.waiting_for for row in rows}
    claimed_runs = {claimed.candidate.run_id for claimed in granted}
    words = {row.run_id: stops[row.id].value for row in rows if stops.get(row.id) in BUDGETS}
    needs = _needs(planned, stops)
    for run_id, was in waiting.items():
        now = words.get(run_id)
        if now is not None or (was is not None and run_id in claimed_runs):
            values = {"run": run_id, "words": now, "needs": needs.get(run_id)}
            connection.execute(SET_WAITING, values)


def _needs(planned: Sequence[Claimed], stops: Stops) -> dict[int, Decimal]:
    """The least worst case, by run, of what the budgets refused."""
    needs = dict[int, Decimal]()
    for one in planned:
        if stops.get(one.candidate.job_id) in BUDGETS:
            run_id, worst = one.candidate.run_id, one.reserved
            needs[run_id] = min(worst, needs.get(run_id, worst))
    return needs


POSTPONE = text("""
UPDATE jobs SET dispatched_at = NULL, available_at = now() + make_interval(secs => :wait)
WHERE id = ANY(:ids)
""")

SET_WAITING = text("""
UPDATE runs SET waiting_for = :words, waiting_usd = :needs
WHERE id = :run AND (waiting_for, waiting_usd) IS DISTINCT FROM (:words, CAST(:needs AS numeric))
""")
