"""Messages to be put into clusters: the newest, or what waits for a person."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.store.rows import HIGHEST_ID, values_of

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


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCluster:
    """Near-duplicates of which so many wait for a verdict: `message` is the first of them, and
    `last` is when the last one came in."""

    id: int
    waiting: int
    message: ComparedText
    last: dt.datetime


def to_compare(
    connection: Connection, run_id: int | None, newest: int = MOST
) -> list[ComparedText]:
    """Jobs with their text, oldest first, of so many of the newest."""
    return values_of(ComparedText, connection.execute(NEWEST, {"run": run_id, "most": newest}))


def of_waiting(
    connection: Connection, run_id: int | None, *, least: int, most: int
) -> list[WaitingCluster]:
    """The largest clusters of all that wait for a verdict, or of those of a run: at least so large,
    at most so many."""
    values = {"run": run_id or ALL_RUNS, "least": least, "most": most, **_between(run_id)}
    found = connection.execute(LARGEST, values).all()
    texts = {
        row.id: row
        for row in values_of(
            ComparedText,
            connection.execute(TEXTS, {"ids": [job for row in found for job in row[2:]]}),
        )
    }
    return [
        WaitingCluster(
            id=row.cluster_id,
            waiting=row.waiting,
            message=texts[row.first],
            last=texts[row.last].received,
        )
        for row in found
    ]


def not_compared(connection: Connection, most: int = SOME) -> int:
    """How many came too lately to be in a cluster; so many at the most are counted."""
    return int(connection.execute(NOT_COMPARED, {"most": most}).scalar_one())


def jobs_of(connection: Connection, run_id: int | None, cluster_id: int) -> list[int]:
    """All that wait in a cluster, or those of a run."""
    values = {"cluster": cluster_id, **_between(run_id)}
    return list(connection.execute(JOBS, values).scalars())


def _between(run_id: int | None) -> dict[str, int]:
    """The runs that are meant, so that one index serves one as well as all."""
    return {"lowest": run_id or ALL_RUNS, "highest": run_id or HIGHEST_ID}


def cluster_of(connection: Connection, job_id: int) -> int | None:
    """Of a job that waits for a verdict; None where it does not."""
    found: int | None = connection.execute(CLUSTER_OF, {"job": job_id}).scalar()
    return found


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
NEWEST = text(f"""
{COLUMNS} FROM (
  (SELECT id, run_id, message_id, state, reason FROM jobs
   WHERE CAST(:run AS bigint) IS NULL ORDER BY id DESC LIMIT :most)
  UNION ALL
  (SELECT id, run_id, message_id, state, reason FROM jobs
   WHERE run_id >= :run AND (run_id, message_id) <= (CAST(:run AS bigint), {HIGHEST_ID})
   ORDER BY run_id DESC, message_id DESC LIMIT :most)) AS j
{FROM_JOBS} ORDER BY j.id
""")
ALL_RUNS = 0
"""Under which all runs are counted together."""
# The first and the last by run and job: an index has them.
LARGEST = text("""
SELECT c.cluster_id, c.waiting, f.job_id AS first, l.job_id AS last
FROM (
  SELECT cluster_id, waiting FROM review_cluster_counts
  WHERE run_id = :run AND waiting >= :least
  ORDER BY run_id, waiting DESC, cluster_id LIMIT :most) AS c
CROSS JOIN LATERAL (
  SELECT job_id FROM clustered_reviews
  WHERE cluster_id = c.cluster_id AND run_id BETWEEN :lowest AND :highest
  ORDER BY cluster_id, run_id, job_id LIMIT 1) AS f
CROSS JOIN LATERAL (
  SELECT job_id FROM clustered_reviews
  WHERE cluster_id = c.cluster_id AND run_id BETWEEN :lowest AND :highest
  ORDER BY cluster_id DESC, run_id DESC, job_id DESC LIMIT 1) AS l
ORDER BY c.waiting DESC, c.cluster_id
""")
TEXTS = text(f"""
{COLUMNS} FROM (
  SELECT k.* FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
  CROSS JOIN LATERAL (
    SELECT id, run_id, message_id, state, reason FROM jobs WHERE id = wanted.id OFFSET 0) AS k
) AS j
CROSS JOIN LATERAL (SELECT name FROM runs WHERE id = j.run_id OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = j.message_id OFFSET 0) AS m
""")
NOT_COMPARED = text("""
SELECT count(*) FROM (
  SELECT FROM clustered_reviews WHERE cluster_id IS NULL LIMIT :most) AS due
""")
JOBS = text("""
SELECT job_id FROM clustered_reviews
WHERE cluster_id = :cluster AND run_id BETWEEN :lowest AND :highest
ORDER BY run_id, job_id
""")
CLUSTER_OF = text("SELECT cluster_id FROM clustered_reviews WHERE job_id = :job")
