"""Answers that are posted to a webhook once more, or that were ready before it was configured."""

from sqlalchemy import Engine, text

from worker.store.audit import Actor, audit


def replay(
    engine: Engine, actor: Actor, target: str, *, run_id: int | None = None, dead: bool = False
) -> int:
    """Delivers again what had ended: of one run, or what is `dead`. Receivers know a repeated one
    by its id. Of a run also what became ready before the target was configured. Returns how
    many."""
    values = {"name": target, "run": run_id, "dead": dead}
    with engine.begin() as connection:
        again = connection.execute(REPLAY, values).rowcount
        if run_id is not None and not dead:
            again += connection.execute(MAKE_UP, {"name": target, "run": run_id}).rowcount
        if again:
            audit(connection, actor, "replay", f"delivery {target}", again, run=run_id, dead=dead)
    return again


REPLAY = text("""
UPDATE deliveries AS d SET state = 'waiting', ended_at = NULL, tries = 0, created_at = now(),
  next_try_at = now(), error = NULL
WHERE d.target = :name AND d.state IN ('delivered', 'dead') AND (NOT :dead OR d.state = 'dead')
  AND (CAST(:run AS bigint) IS NULL
    OR d.job_id IN (SELECT id FROM jobs WHERE run_id = CAST(:run AS bigint)))
""")
# The run is looked up by way of the webhook, so that without one no job is looked at.
MAKE_UP = text("""
INSERT INTO deliveries (target, job_id)
SELECT t.name, j.id
FROM (SELECT name, simulated FROM delivery_targets WHERE name = :name AND enabled OFFSET 0) AS t
CROSS JOIN LATERAL (
  SELECT id, t.name FROM runs
  WHERE id = CAST(:run AS bigint) AND kind NOT IN ('judge', 'shadow') OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT id FROM jobs WHERE run_id = r.id OFFSET 0) AS j
CROSS JOIN LATERAL (
  SELECT accepted, simulated FROM results WHERE job_id = j.id OFFSET 0) AS x
LEFT JOIN LATERAL (
  SELECT verdict FROM (SELECT id, verdict FROM reviews WHERE job_id = j.id OFFSET 0) AS of_it
  ORDER BY id DESC LIMIT 1) AS v ON true
WHERE (t.simulated OR NOT x.simulated)
  AND (v.verdict IN ('accept', 'edit') OR (v.verdict IS NULL AND x.accepted))
ON CONFLICT DO NOTHING
""")
