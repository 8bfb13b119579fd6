"""What waits for a person, put into clusters of near-duplicates as it comes.

Triggers note what goes to a person and forget what has a verdict (`models.review_clusters`).
Anyone may compare what was noted, in any number of copies: an advisory lock lets one at a time
through, and none while a verdict is being written. A message is compared with those that founded a
cluster and share a key with it; nothing is answered for another message by this.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, text

from worker.domain.near_duplicates import Leaders, shingles_of
from worker.store.rows import as_json

GROUP = 200
"""Messages that are compared in one transaction: a few milliseconds of it are Postgres's."""
LEADERS = 2_000
"""With how many that founded a cluster a group is compared at most, the newest: where that many
have a key in common, what differs in nothing but them would be."""
COMPARING = 0x52554E4A
"""Key of the advisory lock; who gives a verdict holds it with others."""


def cluster_reviews(engine: Engine, most: int = GROUP) -> int:
    """Compares so many of those that wait and were not compared yet, oldest first; returns how
    many. None, too, where somebody else is at it."""
    with engine.begin() as connection:
        if not connection.execute(IS_DUE).scalar():
            return 0
        if not connection.execute(TRY_LOCK, {"key": COMPARING}).scalar():
            return 0
        gone = list(connection.execute(SWEEP).scalars())
        if gone:
            connection.execute(FORGET_CLUSTERS, {"ids": gone})
        found = [(row.id, row.text) for row in connection.execute(DUE, {"most": most})]
        if found:
            _compare(connection, found)
        return len(found)


def _compare(connection: Connection, found: Sequence[tuple[int, str]]) -> None:
    shingles = {job: shingles_of(said) for job, said in found}
    wanted = sorted({key for own in shingles.values() for key in own.keys})
    leaders = Leaders()
    for row in connection.execute(FOUNDERS, {"keys": wanted, "most": LEADERS}):
        leaders.lead(row.id, shingles_of(row.text))
    joined = {job: leaders.join(job, own) for job, own in shingles.items()}
    new = [
        {"id": job, "keys": shingles[job].keys} for job, leader in joined.items() if job == leader
    ]
    if new:
        connection.execute(FOUND, {"rows": as_json(new)})
    rows = [{"job_id": job, "cluster_id": cluster} for job, cluster in joined.items()]
    connection.execute(JOIN, {"rows": as_json(rows)})


def leave_erased(connection: Connection, jobs: Sequence[int]) -> None:
    """Of what these jobs' messages said not even the keys stay. Those that were like them are
    compared anew."""
    gone = list(connection.execute(FOUNDED, {"jobs": list(jobs)}).scalars())
    if gone:
        connection.execute(HOLD, {"key": COMPARING})
        connection.execute(COMPARE_AGAIN, {"ids": gone})
        connection.execute(FORGET_CLUSTERS, {"ids": gone})


IS_DUE = text("""
SELECT EXISTS (SELECT FROM clustered_reviews WHERE cluster_id IS NULL)
  OR EXISTS (SELECT FROM review_cluster_counts WHERE waiting = 0)
""")
TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")
HOLD = text("SELECT pg_advisory_xact_lock_shared(:key)")
# Run 0 counts those of all runs.
SWEEP = text("""
WITH empty AS (DELETE FROM review_cluster_counts WHERE waiting = 0 RETURNING run_id, cluster_id)
SELECT cluster_id FROM empty WHERE run_id = 0
""")
FORGET_CLUSTERS = text("DELETE FROM review_clusters WHERE id = ANY(:ids)")
ITS_WORDS = """
CROSS JOIN LATERAL (SELECT message_id FROM jobs WHERE id = d.id OFFSET 0) AS j
CROSS JOIN LATERAL (
  SELECT coalesce(subject || ' ', '') || body AS text FROM messages
  WHERE id = j.message_id OFFSET 0) AS m
ORDER BY d.id"""
DUE = text(f"""
SELECT d.id, m.text FROM (
  SELECT job_id AS id FROM clustered_reviews
  WHERE cluster_id IS NULL ORDER BY job_id LIMIT :most) AS d {ITS_WORDS}
""")  # noqa: S608 - a constant of this module
# All that share a key first, by its index: from the newest on every one would be looked at.
FOUNDERS = text(f"""
SELECT d.id, m.text FROM (
  SELECT id FROM (
    SELECT id FROM review_clusters WHERE keys && CAST(:keys AS int[]) OFFSET 0) AS alike
  ORDER BY id DESC LIMIT :most) AS d {ITS_WORDS}
""")  # noqa: S608 - a constant of this module
FOUND = text("""
INSERT INTO review_clusters (id, keys)
SELECT id, keys FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(id bigint, keys int[])
ON CONFLICT (id) DO UPDATE SET keys = excluded.keys
""")
JOIN = text("""
UPDATE clustered_reviews AS c SET cluster_id = t.cluster_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, cluster_id bigint)
WHERE c.job_id = t.job_id AND c.cluster_id IS NULL
""")
FOUNDED = text("SELECT id FROM review_clusters WHERE id = ANY(:jobs)")
COMPARE_AGAIN = text("UPDATE clustered_reviews SET cluster_id = NULL WHERE cluster_id = ANY(:ids)")
