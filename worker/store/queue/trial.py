"""A dry run of an intake: says of every row what would become of it, and stores nothing.

With a database it asks what is known there, in a transaction that is rolled back, and remembers the
rows of the file in a temporary table, so that memory stays constant. Without one it knows only the
file, and of that fingerprints.
"""

import hashlib
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, text

from worker.domain.backlog import Record, Reject
from worker.store.queue.copy_rows import DEFAULT_SOURCE, copy_in, tried_rows
from worker.store.queue.intake import REPEATED, Added, changed

MOST_REMEMBERED = 2_000_000
"""Ids that are held without a database, about 100 MB; an id that repeats behind them is missed."""


class IntakeTrial:
    """Takes what an intake takes, and comes to the same counts. A context manager."""

    def __init__(self, engine: Engine | None, source: str | None, *, again: bool) -> None:
        self._engine, self._source, self._again = engine, source, again
        self._connection: Connection | None = None
        self._seen: set[bytes] = set()

    def __enter__(self) -> Self:
        if self._engine is not None:
            self._connection = self._engine.connect()
            self._connection.execute(TRIED)
            self._connection.execute(TRYING)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            self._connection.rollback()
            self._connection.close()

    def add(self, records: Sequence[Record]) -> Added:
        """What would become of these rows."""
        if self._connection is None:
            return self._by_file(records)
        return self._by_database(self._connection, records)

    def _by_file(self, records: Sequence[Record]) -> Added:
        added = Added()
        for record in records:
            name = f"{self._source_of(record)}\x00{record.external_id}"
            mark = hashlib.blake2b(name.encode(), digest_size=8).digest()
            if mark in self._seen:
                added.rejects.append(Reject(record.line, REPEATED, record.external_id))
                continue
            if len(self._seen) < MOST_REMEMBERED:
                self._seen.add(mark)
            _accept(added, record)
        return added

    def _by_database(self, connection: Connection, records: Sequence[Record]) -> Added:
        connection.execute(FORGET)
        copy_in(connection, COPY_TRYING, tried_rows(records, self._source))
        added = Added()
        for row in connection.execute(JUDGE, {"again": self._again}):
            record = records[row.number]
            if row.repeats:
                added.rejects.append(Reject(record.line, REPEATED, record.external_id))
            elif row.changed:
                added.rejects.append(Reject(record.line, changed(row.known_in), record.external_id))
            elif row.known:
                added.duplicates += 1
            else:
                _accept(added, record)
        return added

    def _source_of(self, record: Record) -> str:
        return self._source or record.source or DEFAULT_SOURCE


def _accept(added: Added, record: Record) -> None:
    added.accepted += 1
    added.lengths.add(record.body)


TRIED = text("""
CREATE TEMPORARY TABLE tried (
  source text, external_id text, PRIMARY KEY (source, external_id)
) ON COMMIT DROP
""")
TRYING = text("""
CREATE TEMPORARY TABLE trying (
  number bigint, source text, external_id text, digest bytea
) ON COMMIT DROP
""")
FORGET = text("DELETE FROM trying")
COPY_TRYING = "COPY trying (number, source, external_id, digest) FROM STDIN (FORMAT binary)"

# As an intake does: the first row of an id counts, a later one repeats it; of a message that is
# known, another text is refused, and the same is known already, unless it is wanted again.
JUDGE = text("""
WITH judged AS (
  SELECT s.number, s.source, s.external_id,
    row_number() OVER (PARTITION BY s.source, s.external_id ORDER BY s.number) > 1
      OR t.external_id IS NOT NULL AS repeats,
    coalesce(s.digest <> m.digest, false) AS changed,
    NOT CAST(:again AS boolean)
      AND k.run_id IS NOT NULL AS known,
    (SELECT name FROM runs WHERE id = k.run_id) AS known_in
  FROM trying AS s
  LEFT JOIN LATERAL (
    SELECT external_id FROM tried
    WHERE source = s.source AND external_id = s.external_id OFFSET 0) AS t ON true
  LEFT JOIN LATERAL (
    SELECT id, digest FROM messages
    WHERE source = s.source AND external_id = s.external_id OFFSET 0) AS m ON true
  LEFT JOIN LATERAL (
    SELECT run_id FROM (SELECT id, run_id FROM jobs WHERE message_id = m.id OFFSET 0) AS of_it
    ORDER BY id LIMIT 1) AS k ON true
), remembered AS (
  INSERT INTO tried (source, external_id)
  SELECT source, external_id FROM judged WHERE NOT repeats AND NOT changed AND NOT known
)
SELECT number, repeats, changed, known, known_in FROM judged ORDER BY number
""")
