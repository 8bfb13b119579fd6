"""Which jobs of a chunk have something found out about them before they are claimed."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.domain.looked_up import LookupMessage
from worker.domain.policy import ContextUse
from worker.store.policies import Frozen, PolicyCache
from worker.store.rows import message_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """A job, its message, and what its run has frozen."""

    job_id: int
    run_id: int
    asked: LookupMessage
    frozen: Frozen
    pages_at: int | None
    """Stands for all folders of pages as they are."""

    @property
    def use(self) -> ContextUse:
        """What its policy shows."""
        return self.frozen.policy.context

    @property
    def folders(self) -> tuple[str, ...]:
        """Of its policy's pages."""
        return self.frozen.policy.knowledge


def wanting(
    connection: Connection,
    policies: PolicyCache,
    ids: Sequence[int],
    searching: Set[int] = frozenset(),
) -> list[Wanting]:
    """Jobs among `ids` with look-ups or a retriever, and those of runs that are `searching` pages;
    the messages of no others are read."""
    known = searching | {run for run, one in policies.known.items() if _wants(one.policy.context)}
    rows = connection.execute(READ, {"ids": list(ids), "runs": sorted(known)}).all()
    frozen = policies.of(connection, {row.run_id for row in rows})
    wants = {run for run, one in frozen.items() if run in searching or _wants(one.policy.context)}
    if unread := wants - known:
        rows = connection.execute(READ, {"ids": list(ids), "runs": sorted(unread | known)}).all()
    return [
        Wanting(
            job_id=row.id,
            run_id=row.run_id,
            asked=LookupMessage(row.message_id, row.external_id, message_of(row)),
            frozen=frozen[row.run_id],
            pages_at=row.pages_at,
        )
        for row in rows
        if row.run_id in wants and row.body is not None
    ]


def _wants(use: ContextUse) -> bool:
    return bool(use.lookups or use.retriever)


READ = text("""
SELECT j.id, j.run_id, j.message_id, m.external_id, m.body, m.subject, m.channel, m.language,
  m.customer_id, m.metadata,
  (SELECT hashtextextended(string_agg(concat_ws(' ', id, version, synced_at), ' ' ORDER BY id), 0)
    FROM knowledge_folders) AS pages_at
FROM jobs AS j LEFT JOIN LATERAL (
  SELECT * FROM messages
  WHERE id = j.message_id AND j.run_id = ANY(:runs) AND erased_at IS NULL OFFSET 0) AS m ON true
WHERE j.id = ANY(:ids)
ORDER BY j.id
""")
