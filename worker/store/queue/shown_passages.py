"""Passages as a model is shown them: a claim is told which they are, and knows what they say."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from worker.domain.context import ShownPassage
from worker.store.passages import Query, rank_passages


class ShownPassages:
    """What passages say, read once in each process: a passage that changes is written anew, under
    another number."""

    MAX_KEPT = 4_096

    def __init__(self) -> None:
        self._kept: dict[str, ShownPassage] = {}

    def find(
        self, connection: Connection, queries: Sequence[Query], limit: int
    ) -> dict[int, list[ShownPassage]]:
        """As `find_passages`, as they are shown to a model."""
        if len(self._kept) > self.MAX_KEPT:
            self._kept.clear()
        best = {key: names.split(",") for key, names in rank_passages(connection, queries, limit)}
        if missing := {name for names in best.values() for name in names} - self._kept.keys():
            self._read(connection, {int(name.partition(":")[0]) for name in missing})
        # One that a sync has just taken away is shown to nobody.
        return {
            query.key: [self._kept[name] for name in best.get(query.key, ()) if name in self._kept]
            for query in queries
        }

    def _read(self, connection: Connection, ids: Iterable[int]) -> None:
        for row in connection.execute(READ_SHOWN, {"ids": sorted(ids)}).all():
            shown = ShownPassage(row.name, row.version, row.text)
            self._kept[f"{row.id}:{row.version}"] = shown


READ_SHOWN = text("""
SELECT p.id, p.name, p.version, p.text
FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
CROSS JOIN LATERAL (
  SELECT id, name, version, text FROM knowledge_passages WHERE id = wanted.id OFFSET 0) AS p
""")
