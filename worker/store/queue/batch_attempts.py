"""Attempts in Message Batches: whose they are, and which are still wanted."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from worker.store.rows import as_json


def owners(connection: Connection, keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """The batches that attempts belong to, for those `(job, fence)` that are ours."""
    asked = as_json({"job_id": job_id, "fence": fence} for job_id, fence in keys)
    rows = connection.execute(OWNERS, {"rows": asked})
    return {(row.job_id, row.fence): row.batch_id for row in rows}


def open_attempts(connection: Connection, batch_id: int) -> list[tuple[int, int]]:
    """`(job, fence)` of attempts of a batch that nothing was recorded for."""
    rows = connection.execute(OPEN_ATTEMPTS, {"batch": batch_id})
    return [(row.job_id, row.fence) for row in rows]


def waited_for(connection: Connection, batch_id: int) -> set[tuple[int, int]]:
    """`(job, fence)` of attempts that may be sent: not cancelled, paused, erased or in a hurry."""
    rows = connection.execute(WAITED_FOR, {"batch": batch_id})
    return {(row.job_id, row.fence) for row in rows}


OWNERS = text("""
SELECT job_id, fence, batch_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, fence int)
CROSS JOIN LATERAL (
  SELECT batch_id FROM attempts WHERE job_id = t.job_id AND fence = t.fence OFFSET 0) AS a
WHERE a.batch_id IS NOT NULL
""")


OPEN_ATTEMPTS = text("""
SELECT job_id, fence FROM (
  SELECT job_id, fence, outcome FROM attempts WHERE batch_id = :batch OFFSET 0) AS a
WHERE outcome = 'started' ORDER BY job_id
""")


WAITED_FOR = text("""
SELECT a.job_id, a.fence FROM (
  SELECT job_id, fence, stage, tier FROM attempts
  WHERE batch_id = :batch AND outcome = 'started' OFFSET 0) AS a
CROSS JOIN LATERAL (
  SELECT run_id, message_id FROM jobs
  WHERE id = a.job_id AND fence = a.fence AND state = 'submitted' AND lane = 'batch' OFFSET 0) AS j
CROSS JOIN LATERAL (SELECT state FROM runs WHERE id = j.run_id OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT erased_at FROM messages WHERE id = j.message_id OFFSET 0) AS m
WHERE r.state = 'active' AND m.erased_at IS NULL
  AND NOT EXISTS (SELECT FROM tiers AS t WHERE t.paused
    AND t.name IN ('everything', CASE a.stage WHEN 'route' THEN 'routing' ELSE a.tier END))
""")
