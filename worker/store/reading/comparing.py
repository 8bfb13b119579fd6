"""Two runs beside one another, message by message, over a server-side cursor."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, text

from worker.domain.run_diff import Pair, Side
from worker.store.runs import StoredRun

FETCH = 2_000


def pairs_of(engine: Engine, run_a: StoredRun, run_b: StoredRun) -> Iterator[Pair]:
    """Every message of either run, by its id; no text of it. Tiers are placed in their own run's
    ladder."""
    ladders = [
        {name: place for place, name in enumerate(run.policy.get("ladder", ()))}
        for run in (run_a, run_b)
    ]
    values = {"a": run_a.id, "b": run_b.id}
    with engine.connect().execution_options(yield_per=FETCH) as connection:
        for row in connection.execute(PAIRS, values):
            yield Pair(
                source=row.source,
                external_id=row.external_id,
                a=_side(
                    ladders[0], row.job_a, row.state_a, row.tier_a, row.confidence_a, row.cost_a
                ),
                b=_side(
                    ladders[1], row.job_b, row.state_b, row.tier_b, row.confidence_b, row.cost_b
                ),
                same_reply=row.same_reply,
            )


def compared_with(connection: Connection, run_id: int) -> int | None:
    """The run that was made beside it, to be compared with."""
    found: int | None = connection.execute(COMPARED_WITH, {"run": run_id}).scalar()
    return found


def _side(ladder: dict[str, int], job: Any, state: Any, tier: Any, *rest: Any) -> Side | None:
    if job is None:
        return None
    confidence, cost = rest
    return Side(
        job=job, state=state, tier=tier, rung=ladder.get(tier, -1), confidence=confidence, cost=cost
    )


COMPARED_WITH = text("""
SELECT CAST(selection ->> 'compared_with' AS bigint) FROM runs WHERE id = :run
""")
PAIRS = text("""
SELECT m.source, m.external_id,
  a.id AS job_a, a.state AS state_a, coalesce(ra.tier, a.tier) AS tier_a,
  ra.confidence AS confidence_a, a.cost AS cost_a,
  b.id AS job_b, b.state AS state_b, coalesce(rb.tier, b.tier) AS tier_b,
  rb.confidence AS confidence_b, b.cost AS cost_b,
  ra.reply = rb.reply AS same_reply
FROM (SELECT * FROM jobs WHERE run_id = :a) AS a
FULL JOIN (SELECT * FROM jobs WHERE run_id = :b) AS b USING (message_id)
JOIN messages AS m ON m.id = message_id
LEFT JOIN results AS ra ON ra.job_id = a.id
LEFT JOIN results AS rb ON rb.job_id = b.id
ORDER BY message_id
""")
