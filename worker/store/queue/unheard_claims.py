"""Claims whose COMMIT nobody answered: given back by the worker that made them.

The leases are there, if the COMMIT arrived, and nobody knows of them: until rescue finds them their
jobs would wait, and their calls would count as sent at worst case. The worker that was not answered
knows better: it has sent nothing.
"""

from collections.abc import Container, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from models.vocabulary import AttemptOutcome, CallState, Purpose
from worker.domain.endings import Deferred
from worker.domain.reports import AttemptReport, CallReport
from worker.store.queue.record import record_in
from worker.store.queue.rescue import OPEN_CALLS

WHY = "the reply to its claim was lost"


def give_back_unheard(
    engine: Engine,
    worker_id: str,
    ids: Sequence[int],
    under_way: Container[tuple[int, int]] = frozenset(),
) -> int:
    """Ends the open attempts of this worker among jobs that it claimed without being answered, as
    not sent: all but those that it knows to be `under_way`, by job and fence, for another delivery
    of the same jobs may have been claimed before. The caller keeps its other threads from claiming
    them meanwhile. Returns how many. Raises database errors."""
    with engine.begin() as connection:
        found = connection.execute(UNHEARD, {"ids": list(ids), "worker": worker_id})
        rows = [row for row in found if (row.id, row.fence) not in under_way]
        if rows:
            record_in(connection, _reports(connection, rows))
    return len(rows)


def _reports(connection: Connection, rows: Sequence[Row[Any]]) -> list[AttemptReport]:
    calls: dict[tuple[int, int], list[CallReport]] = {}
    for call in connection.execute(OPEN_CALLS, {"ids": [row.id for row in rows]}):
        unsent = CallReport(
            purpose=Purpose(call.purpose), state=CallState.FAILED, sent=False, error=WHY
        )
        calls.setdefault((call.job_id, call.fence), []).append(unsent)
    return [
        AttemptReport(
            job_id=row.id,
            fence=row.fence,
            outcome=AttemptOutcome.DEFERRED,
            ending=Deferred(0, WHY),
            calls=tuple(calls.get((row.id, row.fence), ())),
            reasons=("not sent",),
        )
        for row in rows
    ]


# Each by its number, whatever the planner believes of the leased ones or of open attempts.
UNHEARD = text("""
SELECT j.id, a.fence FROM unnest(CAST(:ids AS bigint[])) AS asked(id)
CROSS JOIN LATERAL (
  SELECT id, fence FROM jobs WHERE id = asked.id FOR UPDATE) AS j
CROSS JOIN LATERAL (
  SELECT fence, worker, outcome, batch_id FROM attempts
  WHERE job_id = j.id AND fence = j.fence OFFSET 0) AS a
WHERE a.worker = :worker AND a.outcome = 'started' AND a.batch_id IS NULL
ORDER BY j.id
""")
