"""Intake: rows become messages and jobs, a transaction for each chunk.

Promises: accepted means committed; a message is known by `(source, external_id)` and never changes;
a job is unique in its run; the same rows again add nothing, however many copies of this run at
once. Repeated ids within one file are found by the database, in constant memory: a job of this run
whose id is above the highest at the start of this intake came from this file.

A chunk of new messages is two COPYs in one transaction. One that holds a message that is known, or
an id twice, is refused as a whole by the unique constraint, and goes through a staging table that
tells the rows apart; so do the chunks after it, until one is all new again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from worker.domain.backlog import Reject
from worker.domain.lengths import Lengths
from worker.store.queue.copy_rows import PackedRows, copy_in, numbered
from worker.store.runs import RunRef

REPEATED = "repeated external_id; the first one is taken"


@dataclass(slots=True, kw_only=True)
class Added:
    """What one chunk came to."""

    accepted: int = 0
    duplicates: int = 0
    rejects: list[Reject] = field(default_factory=list)
    lengths: Lengths = field(default_factory=Lengths)
    """Of the bodies accepted; counted by a trial only."""


def add_in(
    connection: Connection, run: RunRef, chunk: PackedRows, again: bool, first_job: int
) -> Added:
    """Adds a chunk inside the caller's transaction."""
    connection.execute(STAGE)
    copy_in(connection, COPY_STAGED, numbered(chunk.lines, chunk))
    connection.execute(INSERT_MESSAGES)
    values = {"run": run.id, "lane": run.first_lane, "priority": run.priority, "again": again}
    accepted = connection.execute(INSERT_JOBS, values).rowcount
    added = Added(accepted=accepted)
    if accepted < len(chunk.lines):
        _explain(connection, run, first_job, added)
    return added


def _explain(connection: Connection, run: RunRef, first_job: int, added: Added) -> None:
    """Why the others were not added: known already, repeated in the file, or changed text."""
    for row in connection.execute(EXPLAIN, {"run": run.id, "first": first_job}):
        if row.repeats:
            added.rejects.append(Reject(row.line, REPEATED, row.external_id))
        elif row.changed:
            added.rejects.append(Reject(row.line, changed(row.known_in), row.external_id))
        else:
            added.duplicates += 1


def changed(known_in: str | None) -> str:
    """Why a row is not taken whose id is known with another text."""
    where = f" in run {known_in}" if known_in else ""
    return f"known{where} with other text; give it a new id, or another source"


def runs_holding(connection: Connection, records: Sequence[tuple[str, str]]) -> list[str]:
    """Names of the runs in which these `(source, external_id)`s are, newest first."""
    values: dict[str, Any] = {
        "sources": [source for source, _ in records],
        "ids": [external_id for _, external_id in records],
    }
    return list(connection.execute(HOLDING, values).scalars())


def highest_job(connection: Connection) -> int:
    """The highest job id handed out so far."""
    return int(connection.execute(HIGHEST_JOB).scalar_one())


def reserve(connection: Connection, rows: int) -> Sequence[int]:
    """Ids for so many messages, which nobody else is given."""
    lowest, scattered = connection.execute(RESERVE, {"rows": rows}).one()
    if scattered is None:
        return range(lowest, lowest + rows)
    return [int(number) for number in scattered.split()]


STAGE = text("""
CREATE TEMPORARY TABLE IF NOT EXISTS staged (
  line bigint, source text, external_id text, body text, digest bytea, subject text, channel text,
  customer_id text, language text, received_at timestamptz, metadata jsonb
) ON COMMIT DELETE ROWS
""")

MESSAGE_COLUMNS = (
    "source, channel, language, external_id, body, digest, subject, customer_id, received_at,"
    " metadata"
)
COPY_STAGED = f"COPY staged (line, {MESSAGE_COLUMNS}) FROM STDIN (FORMAT binary)"
COPY_MESSAGES = f"COPY messages (id, {MESSAGE_COLUMNS}) FROM STDIN (FORMAT binary)"
COPY_JOBS = "COPY jobs (lane, priority, run_id, message_id) FROM STDIN (FORMAT binary)"

# Where another intake took numbers in between, all of them, as one text: reading thousands one by
# one would take longer than making them.
RESERVE = text("""
SELECT min(number), CASE WHEN max(number) - min(number) >= count(*) THEN
  array_to_string(array_agg(number), ' ') END
FROM (
  SELECT nextval(sequence) AS number
  FROM CAST(pg_get_serial_sequence('messages', 'id') AS regclass) AS sequence,
    generate_series(1, :rows) OFFSET 0) AS taken
""")

INSERT_MESSAGES = text("""
INSERT INTO messages (source, external_id, body, digest, subject, channel, customer_id, language,
  received_at, metadata)
SELECT source, external_id, body, digest, subject, channel, customer_id, language, received_at,
  metadata
FROM staged ORDER BY line
ON CONFLICT (source, external_id) DO NOTHING
""")

# The first line of an id in this chunk, with the text that is known: a job, unless the message is
# in some run already (and `again` was not asked for).
INSERT_JOBS = text("""
INSERT INTO jobs (run_id, message_id, lane, priority)
SELECT :run, id, :lane, :priority FROM (
  SELECT DISTINCT ON (m.id) m.id, s.line, s.digest = m.digest AS same
  FROM staged AS s JOIN messages AS m USING (source, external_id)
  ORDER BY m.id, s.line
) AS first
WHERE same AND (:again OR NOT EXISTS (SELECT FROM jobs AS j WHERE j.message_id = first.id))
ON CONFLICT (run_id, message_id) DO NOTHING
""")

# Rows that got no job in this transaction. An id repeats when an earlier line of this chunk or an
# earlier chunk of this intake (a job above `:first`) has it.
EXPLAIN = text("""
SELECT *, later OR ours AS repeats FROM (
  SELECT s.line, s.external_id, s.digest <> m.digest AS changed,
    s.line > min(s.line) OVER (PARTITION BY m.id) AS later,
    coalesce(own.id > :first, false) AS ours,
    coalesce(own.xmin = pg_current_xact_id()::xid, false) AS fresh,
    (SELECT r.name FROM (SELECT id, run_id FROM jobs WHERE message_id = m.id OFFSET 0) AS j
     JOIN runs AS r ON r.id = j.run_id ORDER BY j.id LIMIT 1) AS known_in
  FROM staged AS s JOIN messages AS m USING (source, external_id)
  LEFT JOIN jobs AS own ON own.message_id = m.id AND own.run_id = :run
) AS row
WHERE later OR NOT fresh
ORDER BY line
""")

HOLDING = text("""
SELECT name FROM runs WHERE id IN (
  SELECT j.run_id FROM unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS t(source, id)
  CROSS JOIN LATERAL (
    SELECT id FROM messages WHERE source = t.source AND external_id = t.id OFFSET 0) AS m
  CROSS JOIN LATERAL (SELECT run_id FROM jobs WHERE message_id = m.id OFFSET 0) AS j)
ORDER BY id DESC LIMIT 5
""")

HIGHEST_JOB = text("SELECT coalesce(max(id), 0) FROM jobs")
