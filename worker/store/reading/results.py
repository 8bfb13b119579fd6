"""The answers of a run, streamed: one row a job, in constant memory."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

from sqlalchemy import Engine, text


class Holds(Enum):
    """What a column of the results holds; a format knows how to write each."""

    TEXT = "text"
    TEXTS = "texts"
    COUNT = "count"
    FLAG = "flag"
    SHARE = "share"
    DOLLARS = "dollars"
    TIME = "time"


COLUMNS = {
    "external_id": Holds.TEXT,
    "state": Holds.TEXT,
    "tier": Holds.TEXT,
    "model": Holds.TEXT,
    "reply": Holds.TEXT,
    "confidence": Holds.SHARE,
    "accepted": Holds.FLAG,
    "difficulty": Holds.TEXT,
    "escalations": Holds.COUNT,
    "attempts": Holds.COUNT,
    "cost_usd": Holds.DOLLARS,
    "reasons": Holds.TEXTS,
    "answered_at": Holds.TIME,
    "source": Holds.TEXT,
    "simulated": Holds.FLAG,
}
"""In the order of `RESULTS`: a column more is a line there and a line here."""
ALWAYS = ("external_id", "state", "accepted", "escalations", "attempts", "cost_usd", "reasons",
          "source", "simulated")  # fmt: skip
"""Columns that are never null."""
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
