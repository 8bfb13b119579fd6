"""The answers of a run, streamed: one row a job, in constant memory."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, text

COLUMNS = (
    "external_id",
    "state",
    "tier",
    "model",
    "reply",
    "confidence",
    "accepted",
    "difficulty",
    "escalations",
    "attempts",
    "cost_usd",
    "reasons",
    "answered_at",
    "source",
    "simulated",
)
FETCH = 2_000


def results_of(engine: Engine, run_id: int) -> Iterator[dict[str, Any]]:
    """Rows as `rung results` gives them, over a server-side cursor."""
    with engine.connect().execution_options(yield_per=FETCH) as connection:
        for row in connection.execute(RESULTS, {"run": run_id}).mappings():
            yield dict(row)


RESULTS = text("""
SELECT m.external_id, j.state, coalesce(r.tier, j.tier) AS tier, r.model,
  coalesce(v.reply, r.reply) AS reply, r.confidence, coalesce(r.accepted, false) AS accepted,
  j.difficulty, j.escalations, j.attempts, j.cost AS cost_usd,
  CASE WHEN j.state IN ('dead', 'review', 'cancelled') AND j.reason IS NOT NULL
    THEN ARRAY[j.reason] ELSE coalesce(r.reasons, '{}') END AS reasons,
  r.created_at AS answered_at, m.source, coalesce(r.simulated, false) AS simulated
FROM jobs AS j JOIN messages AS m ON m.id = j.message_id
LEFT JOIN results AS r ON r.job_id = j.id
LEFT JOIN LATERAL (
  SELECT reply FROM reviews WHERE job_id = j.id AND verdict = 'edit' ORDER BY id DESC LIMIT 1
) AS v ON true
WHERE j.run_id = :run ORDER BY j.message_id
""")
