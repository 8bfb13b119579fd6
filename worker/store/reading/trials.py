"""Queues that a canary holds back: a new combination of prompt, schema and model is on trial there.

One of its jobs is in flight at a time, or a small slice of them in a batch, and all others wait.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.domain.trials import SILENT_S, SLICE
from worker.store.rows import values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Calls of a combination that have gone well and that have failed; `goes_singly` says that one
    was let through just now, `batched` how many are in batches."""

    queue: str
    good: int
    bad: int
    goes_singly: bool
    batched: int


def trials(connection: Connection) -> list[Trial]:
    """Those under way, by queue; in each, what was tried last comes first."""
    values = {"silent": SILENT_S, "slice": SLICE}
    return values_of(Trial, connection.execute(TRIALS, values))


def holding(
    found: Iterable[Trial], queue: str, *, waiting: int, in_flight: int, batched: int
) -> Trial | None:
    """The trial that holds a queue back; None where nothing waits, or where others go freely."""
    here = [trial for trial in found if trial.queue == queue]
    singly = sum(trial.goes_singly for trial in here)
    in_batches = sum(trial.batched for trial in here)
    if not here or not waiting or in_flight > singly or batched > in_batches:
        return None
    return here[0]


# A slice that is at Claude is small, so that no large batch is read for it.
TRIALS = text("""
SELECT c.tier AS queue, c.good, c.bad, c.singly AS goes_singly, b.batched
FROM (
  SELECT *, coalesce(tried_at > now() - make_interval(secs => :silent), false) AS singly,
    count(*) OVER (PARTITION BY tier) AS beside
  FROM canaries WHERE proven_at IS NULL) AS c
CROSS JOIN LATERAL (
  SELECT count(a.job_id) AS batched
  FROM (SELECT id FROM message_batches
    WHERE state IN ('intended', 'submitted', 'ended') AND requests <= :slice * c.beside
    OFFSET 0) AS m
  CROSS JOIN LATERAL (
    SELECT job_id FROM attempts WHERE batch_id = m.id AND outcome = 'started'
      AND CASE stage WHEN 'route' THEN 'routing' ELSE tier END = c.tier
      AND prompt_version = c.prompt_version AND schema_version = c.schema_version
      AND model = c.model OFFSET 0) AS a) AS b
WHERE c.singly OR b.batched > 0
ORDER BY c.tried_at DESC NULLS LAST, c.tier, c.model, c.prompt_version
""")
