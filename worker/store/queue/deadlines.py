"""Deadlines at risk: noted once for each run and deadline."""

import logging

from sqlalchemy import Engine, text

from worker.domain.deadlines import Progress, risk
from worker.store.queue import notices

log = logging.getLogger(__name__)


def watch_deadlines(engine: Engine) -> int:
    """Notes the live runs that will not be done in time. Returns how many were new."""
    noted = 0
    with engine.begin() as connection:
        for row in connection.execute(PROGRESS).all():
            why = risk(Progress(row.ended, row.open, row.elapsed_s, row.left_s))
            if why is None:
                continue
            words = f"Run {row.name} may miss its deadline: {why}."
            key, target = f"{row.id}:{row.deadline}", f"run {row.name}"
            detail = {"deadline": row.deadline, "left": row.open}
            if notices.note(connection, "deadline_at_risk", key, target, words, **detail):
                log.warning("deadline at risk", extra={"run": row.name, "left": row.open})
                noted += 1
    return noted


# One look at the counters of each live run that has a deadline.
PROGRESS = text("""
SELECT r.id, r.name, r.deadline, c.ended, c.open,
  extract(epoch FROM now() - r.created_at)::float8 AS elapsed_s,
  extract(epoch FROM r.deadline - now())::float8 AS left_s
FROM runs AS r CROSS JOIN LATERAL (
  SELECT coalesce(sum(jobs) FILTER (WHERE state IN ('queued', 'routed', 'submitted')), 0)::int
      AS open,
    coalesce(sum(jobs) FILTER (WHERE state NOT IN ('queued', 'routed', 'submitted')), 0)::int
      AS ended
  FROM run_counts WHERE run_id = r.id) AS c
WHERE r.finished_at IS NULL AND r.deadline > now()
""")
