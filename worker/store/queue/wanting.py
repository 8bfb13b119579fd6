"""Which jobs of a chunk have look-ups asked about them before they are claimed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.domain.looked_up import LookupMessage
from worker.domain.policy import ContextUse
from worker.store.policies import PolicyCache
from worker.store.rows import message_of


@dataclass(frozen=True, slots=True)
class Wanting:
    """A job, its message, and what its policy shows."""

    job_id: int
    asked: LookupMessage
    use: ContextUse


def wanting(connection: Connection, policies: PolicyCache, ids: Sequence[int]) -> list[Wanting]:
    """Jobs with look-ups or a retriever among `ids`; the messages of no others are read."""
    runs = {row.id: row.run_id for row in connection.execute(RUNS, {"ids": list(ids)})}
    known = policies.of(connection, set(runs.values()))
    uses = {job: known[run][0].context for job, run in runs.items()}
    chosen = [job for job, use in uses.items() if use.lookups or use.retriever]
    if not chosen:
        return []
    return [
        Wanting(
            row.id,
            LookupMessage(row.message_id, row.external_id, message_of(row)),
            uses[row.id],
        )
        for row in connection.execute(MESSAGES, {"ids": chosen})
    ]


RUNS = text("SELECT id, run_id FROM jobs WHERE id = ANY(:ids)")
MESSAGES = text("""
SELECT j.id, j.message_id, m.external_id, m.body, m.subject, m.channel, m.language, m.customer_id,
  m.metadata
FROM jobs AS j JOIN messages AS m ON m.id = j.message_id
WHERE j.id = ANY(:ids) AND m.erased_at IS NULL
ORDER BY j.id
""")
