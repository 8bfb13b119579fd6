"""Jobs that one more lost attempt would end: their worker died each time that it had them.

One of them may be why. So a worker has at most one in flight: whichever kills it goes alone, and
takes no other with it that would end by the same blow.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from worker.domain.claimed import Claimed
from worker.domain.trouble import MAX_FAILURES
from worker.store.queue.gates import Stop, Stops
from worker.store.rows import as_json


def one_at_a_time(worker: str, connection: Connection, planned: Sequence[Claimed]) -> Stops:
    """The gate: all that are above suspicion pass, and one suspect when this worker has none in
    flight."""
    last = [c.candidate for c in planned if c.candidate.failures >= MAX_FAILURES - 1]
    if not last:
        return {}
    rows = as_json({"job_id": one.job_id, "fence": one.fence - 1} for one in last)
    suspects = set(connection.execute(LOST, {"rows": rows}).scalars())
    if not suspects:
        return {}
    alone = connection.execute(MAY_TAKE_ONE, {"worker": worker}).scalar_one()
    chosen = min(suspects) if alone else None
    return dict.fromkeys(sorted(suspects - {chosen}), Stop.HELD)


LOST = text("""
SELECT job_id FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, fence int)
CROSS JOIN LATERAL (
  SELECT outcome FROM attempts WHERE job_id = t.job_id AND fence = t.fence OFFSET 0) AS a
WHERE a.outcome = 'lost'
""")

# Another thread of this worker may be claiming one at this moment: then it is not our turn.
MAY_TAKE_ONE = text("""
SELECT pg_try_advisory_xact_lock(hashtextextended(:worker, 0)) AND NOT EXISTS (
  SELECT FROM (
    SELECT job_id, fence, worker FROM attempts WHERE outcome = 'started' AND batch_id IS NULL
    ORDER BY worker OFFSET 0) AS a
  CROSS JOIN LATERAL (
    SELECT outcome FROM attempts WHERE job_id = a.job_id AND fence = a.fence - 1 OFFSET 0) AS b
  WHERE a.worker = :worker AND b.outcome = 'lost')
""")
