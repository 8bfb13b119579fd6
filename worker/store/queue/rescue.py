"""Rescue: give back what a dead worker held.

An expired lease means that nobody will report: the attempt becomes `lost`, its calls are charged at
worst case, and the job is ready again, or dead after three lost or failed attempts. The same holds
for an attempt whose job was cancelled or answered meanwhile, once a lease's time has gone by. Safe
in any number of copies: rows locked by another are skipped.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from models.vocabulary import AttemptOutcome, CallState, Purpose
from worker.domain.endings import Lost
from worker.domain.reports import AttemptReport, CallReport
from worker.failpoints import failpoint
from worker.store.queue.record import record_in

GROUP = 500


def rescue(engine: Engine, lease_s: float) -> int:
    """Rescues attempts whose lease has expired. Returns how many."""
    return _rescue(engine, EXPIRED, {"limit": GROUP, "lease": lease_s})


def rescue_from(engine: Engine, workers: Sequence[str]) -> int:
    """Rescues everything held by workers that are known to be dead: their supervisor saw them
    end, so there is no need to wait for their leases. Returns how many attempts."""
    return _rescue(engine, HELD_BY, {"workers": list(workers), "limit": GROUP})


def _rescue(engine: Engine, which: Any, parameters: dict[str, Any]) -> int:
    total = 0
    while True:
        with engine.begin() as connection:
            rows = connection.execute(which, parameters).all()
            record_in(connection, reports_of(connection, rows))
            failpoint("rescue half-way")
        total += len(rows)
        if len(rows) < GROUP:
            return total


def reports_of(connection: Connection, rows: Sequence[Row[Any]]) -> list[AttemptReport]:
    """What is to be recorded of attempts, each with `id` and `fence`, that nobody will report."""
    calls: dict[tuple[int, int], list[CallReport]] = {}
    for call in connection.execute(OPEN_CALLS, {"ids": [row.id for row in rows]}):
        lost = CallReport(
            purpose=Purpose(call.purpose),
            state=CallState.LOST,
            cost=call.worst_cost,
            error="the worker died before it could report",
        )
        calls.setdefault((call.job_id, call.fence), []).append(lost)
    return [
        AttemptReport(
            job_id=row.id,
            fence=row.fence,
            outcome=AttemptOutcome.LOST,
            ending=Lost(),
            calls=tuple(calls.get((row.id, row.fence), ())),
            reasons=("lost",),
        )
        for row in rows
    ]


# Open attempts of the realtime lane are only those in flight, and have a small index. It is asked
# for by its order and kept apart by `OFFSET 0`: while a large batch is out, the planner takes
# "started, and in no batch" for a third of the table.
EXPIRED = text("""
SELECT j.id, a.fence FROM (
  SELECT job_id, fence, claimed_at FROM attempts WHERE outcome = 'started' AND batch_id IS NULL
  ORDER BY worker OFFSET 0) AS a
CROSS JOIN LATERAL (
  SELECT id FROM jobs
  WHERE id = a.job_id AND CASE WHEN fence = a.fence AND lease_until IS NOT NULL THEN lease_until
    ELSE a.claimed_at + make_interval(secs => :lease) END < now()
  FOR UPDATE SKIP LOCKED) AS j
LIMIT :limit
""")

HELD_BY = text("""
SELECT j.id, a.fence FROM (
  SELECT job_id, fence, worker FROM attempts WHERE outcome = 'started' AND batch_id IS NULL
  ORDER BY worker OFFSET 0) AS a
CROSS JOIN LATERAL (SELECT id FROM jobs WHERE id = a.job_id FOR UPDATE SKIP LOCKED) AS j
WHERE a.worker = ANY(:workers) LIMIT :limit
""")

OPEN_CALLS = text("""
SELECT c.job_id, c.fence, c.purpose, c.worst_cost
FROM unnest(CAST(:ids AS bigint[])) AS one(id)
CROSS JOIN LATERAL (SELECT * FROM calls WHERE job_id = one.id OFFSET 0) AS c
WHERE c.state = 'sent'
""")
