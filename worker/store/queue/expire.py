"""Ends what cannot end by itself: jobs whose run is past its deadline, or simply too old.

Promise 7: a job that keeps being deferred ends when its run's deadline or `max_age` passes. Jobs in
flight or dispatched are left alone: what they bring is recorded, and a later round finds them.
"""

import datetime as dt

from sqlalchemy import Engine, text

GROUP = 5_000


def expire(engine: Engine, max_age: dt.timedelta) -> int:
    """Makes expired jobs dead letters, in groups. Returns how many."""
    total = 0
    while True:
        with engine.begin() as connection:
            values = {"age": max_age, "limit": GROUP}
            expired = connection.execute(EXPIRE, values).rowcount
        total += expired
        if expired < GROUP:
            return total


EXPIRE = text("""
WITH late AS (
  SELECT id, CASE WHEN deadline IS NOT NULL THEN 'the deadline of its run passed'
    ELSE 'it grew older than worker.max_age' END AS why
  FROM runs WHERE finished_at IS NULL AND NOT accepting
    AND coalesce(deadline, created_at + :age) < now()
), chosen AS (
  SELECT j.id, late.why FROM late CROSS JOIN LATERAL (
    SELECT id FROM jobs
    WHERE run_id = late.id AND queue IS NOT NULL AND lease_until IS NULL
      AND id NOT IN (SELECT job_id FROM dispatches)
    ORDER BY queue, priority DESC, available_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
  ) AS j LIMIT :limit
)
UPDATE jobs SET state = 'dead', finished_at = now(), reason = chosen.why
FROM chosen WHERE jobs.id = chosen.id
""")
