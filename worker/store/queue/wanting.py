"""Which jobs of a chunk have something found out about them before they are claimed."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from worker.domain.looked_up import LookupMessage
from worker.domain.policy import ContextUse
from worker.store.passages import PASSAGES_SHOWN, USUAL
from worker.store.policies import Frozen, PolicyCache
from worker.store.queue.ranked import BEST_OF_MESSAGE, DICTIONARY, NOTHING, ToSearch, ranking
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
    best: str | None
    """Its best passages, where its run is one whose pages are searched before the claim."""

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
    search: ToSearch = NOTHING,
) -> list[Wanting]:
    """Jobs among `ids` with look-ups or a retriever, and those of runs that are `searching` pages;
    the messages of no others are read. With them comes what is found for the runs in `search`: one
    statement more would cost a worker as much as everything that it brings."""
    known = searching | {run for run, one in policies.known.items() if _wants(one.policy.context)}
    read, values = READ, dict[str, Any](ids=list(ids))
    if search.folders:
        read, values = READ_AND_SEARCH, values | ranking(search.folders, PASSAGES_SHOWN)
    rows = connection.execute(read, values | {"runs": sorted(known)}).all()
    frozen = policies.of(connection, {row.run_id for row in rows})
    wants = {run for run, one in frozen.items() if run in searching or _wants(one.policy.context)}
    if unread := wants - known:
        rows = connection.execute(read, values | {"runs": sorted(unread | known)}).all()
    return [
        Wanting(
            job_id=row.id,
            run_id=row.run_id,
            asked=LookupMessage(row.message_id, row.external_id, message_of(row)),
            frozen=frozen[row.run_id],
            pages_at=row.pages_at,
            best=row.best,
        )
        for row in rows
        if row.run_id in wants and row.body is not None
    ]


def _wants(use: ContextUse) -> bool:
    return bool(use.lookups or use.retriever)


_READ = """
SELECT j.id, j.run_id, j.message_id, m.external_id, m.body, m.subject, m.channel, m.language,
  m.customer_id, m.metadata,
  (SELECT hashtextextended(string_agg(concat_ws(' ', id, version, synced_at), ' ' ORDER BY id), 0)
    FROM knowledge_folders) AS pages_at,
"""
_OF_JOBS = """
FROM jobs AS j LEFT JOIN LATERAL (
  SELECT * FROM messages
  WHERE id = j.message_id AND j.run_id = ANY(:runs) AND erased_at IS NULL OFFSET 0) AS m ON true
WHERE j.id = ANY(:ids)
"""
READ = text(_READ + "NULL AS best" + _OF_JOBS + "ORDER BY j.id")
_ASKED = "WITH asked AS MATERIALIZED ("
_EACH = "SELECT asked.*, s.best FROM asked CROSS JOIN LATERAL ("
READ_AND_SEARCH = text(
    _ASKED + _READ + DICTIONARY + _OF_JOBS + ")," + USUAL
    + _EACH + BEST_OF_MESSAGE + ") AS s ORDER BY asked.id"
)  # fmt: skip
