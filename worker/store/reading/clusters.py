"""Messages to be put into clusters: the newest, or what waits for a person."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.store.rows import values_of

SOME, MOST = 2_000, 10_000
"""Messages that are looked at, the newest first: their cost is the reader's, and never grows. Most
are for who asks for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedText:
    """A job, named `RUN/EXTERNAL_ID`, with its message's subject and body."""

    id: int
    name: str
    state: str
    reason: str | None
    received: dt.datetime
    text: str


def to_compare(
    connection: Connection, run_id: int | None, *, review: bool = False, newest: int = MOST
) -> list[ComparedText]:
    """Jobs with their text, oldest first, of so many of the newest. `review` takes those alone that
    wait for a person and have no verdict yet."""
    values = {"run": run_id, "most": newest}
    return values_of(ComparedText, connection.execute(REVIEW if review else NEWEST, values))


COLUMNS = """
SELECT j.id, r.name || '/' || m.external_id AS name, j.state, j.reason,
  coalesce(m.received_at, m.created_at) AS received,
  coalesce(m.subject || ' ', '') || m.body AS text"""
FROM_JOBS = """
CROSS JOIN LATERAL (SELECT name, kind FROM runs WHERE id = j.run_id OFFSET 0) AS r
CROSS JOIN LATERAL (
  SELECT * FROM messages WHERE id = j.message_id AND erased_at IS NULL OFFSET 0) AS m
WHERE r.kind NOT IN ('judge', 'shadow')"""
# The run is not said by `=`: its jobs are to be read by the index, from behind, and not sorted.
HIGHEST = 2**63 - 1
NEWEST = text(f"""
{COLUMNS} FROM (
  (SELECT id, run_id, message_id, state, reason FROM jobs
   WHERE CAST(:run AS bigint) IS NULL ORDER BY id DESC LIMIT :most)
  UNION ALL
  (SELECT id, run_id, message_id, state, reason FROM jobs
   WHERE run_id >= :run AND (run_id, message_id) <= (CAST(:run AS bigint), {HIGHEST})
   ORDER BY run_id DESC, message_id DESC LIMIT :most)) AS j
{FROM_JOBS} ORDER BY j.id
""")
REVIEW = text(f"""
{COLUMNS} FROM (
  SELECT id, run_id, message_id, state, reason FROM jobs AS k
  WHERE state = 'review' AND (CAST(:run AS bigint) IS NULL OR run_id = :run)
    AND (SELECT id FROM reviews WHERE job_id = k.id LIMIT 1) IS NULL
  ORDER BY run_id DESC, id DESC LIMIT :most) AS j
{FROM_JOBS} ORDER BY j.id
""")
