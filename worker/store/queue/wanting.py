"""Which jobs of a chunk have look-ups asked about them before they are claimed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.domain.looked_up import LookupMessage
from worker.domain.policy import ContextUse
from worker.store.policies import PolicyCache
from worker.store.rows import message_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """A job, its message, and what its policy shows."""

    job_id: int
    asked: LookupMessage
    use: ContextUse
    folders: Sequence[str] = ()
    """Of its policy's pages."""


def wanting(connection: Connection, policies: PolicyCache, ids: Sequence[int]) -> list[Wanting]:
    """Jobs with look-ups or a retriever among `ids`; the messages of no others are read."""
    known = {run for run, one in policies.known.items() if _wants(one.policy.context)}
    rows = connection.execute(READ, {"ids": list(ids), "runs": sorted(known)}).all()
    frozen = policies.of(connection, {row.run_id for row in rows})
    wants = {run for run, one in frozen.items() if _wants(one.policy.context)}
    if unread := wants - known:
        rows = connection.execute(READ, {"ids": list(ids), "runs": sorted(unread | known)}).all()
    return [
        Wanting(
            job_id=row.id,
            asked=LookupMessage(row.message_id, row.external_id, message_of(row)),
            use=frozen[row.run_id].policy.context,
            folders=frozen[row.run_id].policy.knowledge,
        )
        for row in rows
        if row.run_id in wants and row.body is not None
    ]


def _wants(use: ContextUse) -> bool:
    return bool(use.lookups or use.retriever)


READ = text("""
SELECT j.id, j.run_id, j.message_id, m.external_id, m.body, m.subject, m.channel, m.language,
  m.customer_id, m.metadata
FROM jobs AS j LEFT JOIN LATERAL (
  SELECT * FROM messages
  WHERE id = j.message_id AND j.run_id = ANY(:runs) AND erased_at IS NULL OFFSET 0) AS m ON true
WHERE j.id = ANY(:ids)
ORDER BY j.id
""")
