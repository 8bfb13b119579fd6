"""The SQL of the screens. Each statement reads counters, or a bounded piece of an index."""

from sqlalchemy import Connection, text

from worker.dashboard.rates import ENDED, Key


def done_counters(connection: Connection) -> dict[Key, int]:
    """For each recent run: jobs that left routing, answers that each tier has given, jobs that
    ended. All only grow, except that a retry takes dead jobs back."""
    rows = connection.execute(DONE).all()
    return {(row.run_id, row.queue): int(row.done) for row in rows}


RECENT = "SELECT id FROM runs WHERE finished_at IS NULL OR id > (SELECT max(id) - 20 FROM runs)"

# An answer given at a tier either ended the job there or sent it up.
DONE = text(f"""
WITH recent AS ({RECENT}),
counts AS (SELECT c.* FROM run_counts AS c JOIN recent ON recent.id = c.run_id)
SELECT run_id, 'routing' AS queue, sum(jobs) AS done FROM counts
WHERE state NOT IN ('queued', 'cancelled') GROUP BY 1
UNION ALL
SELECT run_id, tier, sum(done) FROM (
  SELECT run_id, tier, jobs AS done FROM counts WHERE state IN ('answered', 'review', 'dead')
  UNION ALL
  SELECT e.run_id, e.from_tier, e.escalations FROM run_escalations AS e
  JOIN recent ON recent.id = e.run_id WHERE e.to_tier <> 'person') AS given
WHERE tier <> '' GROUP BY 1, 2
UNION ALL
SELECT run_id, '{ENDED}', sum(jobs) FROM counts
WHERE state IN ('answered', 'review', 'dead', 'cancelled') GROUP BY 1
""")  # noqa: S608 - constants of this module only
