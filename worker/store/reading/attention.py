"""Jobs that need a person: dead letters and reviews, by cause and one by one."""

from typing import Any

from sqlalchemy import Connection, text


def causes(
    connection: Connection, state: str, run_id: int | None, *, decided: bool = True
) -> list[dict[str, Any]]:
    """How many jobs for each reason, most frequent first; without those that have a verdict, if
    `decided` is false."""
    values = {"state": state, "run": run_id, "decided": decided}
    rows = connection.execute(CAUSES, values)
    return [dict(row) for row in rows.mappings()]


def jobs_in(
    connection: Connection, state: str, run_id: int | None, limit: int, *, decided: bool = True
) -> list[dict[str, Any]]:
    """The jobs themselves, oldest first; `decided` as in `causes`."""
    values = {"state": state, "run": run_id, "limit": limit, "decided": decided}
    rows = connection.execute(JOBS, values)
    return [dict(row) for row in rows.mappings()]


CAUSES = text("""
SELECT r.name AS run, j.reason, count(*) AS jobs, min(j.finished_at) AS since
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id
WHERE j.state = :state AND j.state IN ('dead', 'review')
  AND (CAST(:run AS bigint) IS NULL OR j.run_id = :run)
  AND (:decided OR NOT EXISTS (SELECT FROM reviews WHERE job_id = j.id))
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
""")
JOBS = text("""
SELECT j.id AS job, r.name AS run, m.source, m.external_id, j.tier, j.attempts, j.reason,
  j.cost AS cost_usd, j.finished_at, s.confidence,
  (SELECT verdict FROM reviews WHERE job_id = j.id ORDER BY id DESC LIMIT 1) AS verdict
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id JOIN messages AS m ON m.id = j.message_id
LEFT JOIN results AS s ON s.job_id = j.id
WHERE j.state = :state AND j.state IN ('dead', 'review')
  AND (CAST(:run AS bigint) IS NULL OR j.run_id = :run)
  AND (:decided OR NOT EXISTS (SELECT FROM reviews WHERE job_id = j.id))
ORDER BY j.run_id, j.id LIMIT :limit
""")
