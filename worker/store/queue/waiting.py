"""What runs wait for: a budget that refused their next attempt, said wherever people look."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.claimed import Claimed
from worker.store.queue.gates import Stop, Stops

BUDGET_WAIT_S = 15.0
BUDGETS = (Stop.RUN_BUDGET, Stop.DAY_BUDGET)


def note_waiting(
    connection: Connection, rows: Sequence[Row[Any]], granted: Sequence[Claimed], stops: Stops
) -> None:
    """Keeps `runs.waiting_for` true, touching the row only when it changes; `rows` are those that
    were ready, and `stops` says why some of them were not granted."""
    refused = [job_id for job_id, stop in stops.items() if stop in BUDGETS]
    if refused:
        connection.execute(POSTPONE, {"ids": refused, "wait": BUDGET_WAIT_S})
    waiting = {row.run_id: row.waiting_for for row in rows}
    claimed_runs = {claimed.candidate.run_id for claimed in granted}
    words = {row.run_id: stops[row.id].value for row in rows if stops.get(row.id) in BUDGETS}
    for run_id, was in waiting.items():
        now = words.get(run_id)
        if now != was and (now is not None or run_id in claimed_runs):
            connection.execute(SET_WAITING, {"run": run_id, "words": now})


POSTPONE = text("""
UPDATE jobs SET dispatched_at = NULL, available_at = now() + make_interval(secs => :wait)
WHERE id = ANY(:ids)
""")

SET_WAITING = text("UPDATE runs SET waiting_for = :words WHERE id = :run")
