"""Passages as a model is shown them: a claim is told which they are, and knows what they say."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.context import ShownPassage


class ShownPassages:
    """What passages say, read once in each process: a passage that changes is written anew, under
    another number. A statement costs more than what it brings, so the first time that a folder is
    searched much of it is read at once, and later what is missing."""

    MAX_KEPT, AT_ONCE = 4_096, 1_000

    def __init__(self) -> None:
        self._kept: dict[str, ShownPassage] = {}
        self._begun = set[str]()
        """Folders of which some was read at once."""

    def named(
        self, connection: Connection, best: Mapping[int, str | None], folders: Collection[str]
    ) -> dict[int, tuple[ShownPassage, ...]]:
        """The best passages of each job as they are shown to a model; `best` names them, as a
        search of these folders does."""
        if len(self._kept) > self.MAX_KEPT:
            self._kept.clear()
            self._begun.clear()
        names = {key: its.split(",") if its else [] for key, its in best.items()}
        wanted = {name for its in names.values() for name in its}
        if wanted - self._kept.keys():
            self._begin(connection, set(folders))
        if missing := wanted - self._kept.keys():
            self._read(connection, {int(name.partition(":")[0]) for name in missing})
        # One that a sync has just taken away is shown to nobody.
        return {
            key: tuple(self._kept[name] for name in its if name in self._kept)
            for key, its in names.items()
        }

    def _begin(self, connection: Connection, folders: set[str]) -> None:
        if fresh := folders - self._begun:
            self._begun |= fresh
            values = {"folders": sorted(fresh), "most": self.AT_ONCE}
            self._keep(connection.execute(READ_FOLDERS, values).all())

    def _read(self, connection: Connection, ids: Iterable[int]) -> None:
        self._keep(connection.execute(READ_SHOWN, {"ids": sorted(ids)}).all())

    def _keep(self, rows: Iterable[Row[Any]]) -> None:
        for row in rows:
            shown = ShownPassage(row.name, row.version, row.text)
            self._kept[f"{row.id}:{row.version}"] = shown


READ_FOLDERS = text("""
SELECT p.id, p.name, p.version, p.text FROM unnest(CAST(:folders AS text[])) AS wanted(name)
CROSS JOIN LATERAL (
  SELECT id FROM knowledge_folders WHERE name = wanted.name OFFSET 0) AS f
CROSS JOIN LATERAL (
  SELECT id, name, version, text FROM knowledge_passages WHERE folder_id = f.id
  LIMIT :most) AS p
""")
READ_SHOWN = text("""
SELECT p.id, p.name, p.version, p.text
FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
CROSS JOIN LATERAL (
  SELECT id, name, version, text FROM knowledge_passages WHERE id = wanted.id OFFSET 0) AS p
""")
