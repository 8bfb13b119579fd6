"""The queue of reviews: how many wait for a person, and which is the next, at a bounded cost.

The newest run comes first. What was decided is passed over a window at a time, so that neither a
long queue nor a long day's work makes the next one slow.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.store.rows import values_of

WINDOW, FIRST_WINDOW = 2_500, 100
"""Mostly one of the first waits."""
MOST_WINDOWS = 40
"""A hundred thousand that are decided, one after the other, end the search."""
Place = tuple[int, int]
"""A run and a job, where the search goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewScope:
    """Which of them: all, or of one run, or of one reason."""

    run_id: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCount:
    """Of a scope (of a reason, of the newest `WINDOW`): all, those without a verdict, and of these
    the ones that somebody else reads just now."""

    total: int
    waiting: int
    read_by_others: int


def count_reviews(
    connection: Connection, scope: ReviewScope, holder: str | None = None
) -> ReviewCount:
    """How many there are, how many wait, and how many of these others read than `holder`."""
    statement = COUNT_ALL if scope.reason is None else COUNT
    (found,) = values_of(ReviewCount, connection.execute(statement, _values(scope, None, holder)))
    return found


def next_review(
    connection: Connection, scope: ReviewScope, after: Place | None, holder: str | None = None
) -> Place | None:
    """The next that waits, after a place, and that nobody but `holder` reads; None at the end."""
    for window in (FIRST_WINDOW, *[WINDOW] * MOST_WINDOWS):
        values = _values(scope, after, holder) | {"window": window}
        row = connection.execute(NEXT, values).one()
        if row.job is not None:
            return int(row.run), int(row.job)
        if row.last_job is None or row.seen < window:
            return None
        after = int(row.last_run), int(row.last_job)
    return None


def place_of(connection: Connection, job_id: int) -> Place | None:
    """Where a job stands in the queue; None when there is none."""
    row = connection.execute(PLACE, {"job": job_id}).one_or_none()
    return (int(row.run_id), int(row.id)) if row else None


def _values(scope: ReviewScope, after: Place | None, holder: str | None) -> dict[str, object]:
    return {
        "holder": holder or "",
        "run": scope.run_id,
        "reason": scope.reason,
        "before_run": after[0] if after else None,
        "before_job": after[1] if after else None,
        "window": WINDOW,
    }


# The state is written out, so that the partial index serves.
SEEN = """
WITH seen AS MATERIALIZED (
  SELECT run_id, id, reason FROM jobs WHERE state = 'review'
    AND (CAST(:run AS bigint) IS NULL OR run_id = :run)
    AND (CAST(:before_run AS bigint) IS NULL OR (run_id, id) < (:before_run, :before_job))
  ORDER BY run_id DESC, id DESC LIMIT :window),
meant AS (
  SELECT run_id, id, NOT EXISTS (SELECT FROM reviews WHERE job_id = seen.id OFFSET 0) AS waits,
    EXISTS (SELECT FROM reading_leases WHERE kind = 'review' AND job_id = seen.id AND fence = 0
      AND until > now() AND holder <> :holder OFFSET 0) AS read
  FROM seen WHERE CAST(:reason AS text) IS NULL OR reason = :reason)
"""
COUNT = text(f"""
{SEEN} SELECT count(*) AS total, count(*) FILTER (WHERE waits) AS waiting,
  count(*) FILTER (WHERE waits AND read) AS read_by_others FROM meant
""")  # noqa: S608 - constants of this module only
# Counters know all but the reasons; what somebody reads is a few.
COUNT_ALL = text("""
SELECT c.jobs AS total, c.jobs - v.jobs AS waiting, l.jobs AS read_by_others
FROM (
  SELECT coalesce(sum(jobs), 0)::bigint AS jobs FROM run_counts
  WHERE state = 'review' AND (CAST(:run AS bigint) IS NULL OR run_id = :run)) AS c
CROSS JOIN (
  SELECT coalesce(sum(jobs), 0)::bigint AS jobs FROM run_verdicts
  WHERE CAST(:run AS bigint) IS NULL OR run_id = :run) AS v
CROSS JOIN (
  SELECT count(*) AS jobs FROM (
    SELECT job_id FROM reading_leases
    WHERE kind = 'review' AND fence = 0 AND until > now() AND holder <> :holder OFFSET 0) AS b
  CROSS JOIN LATERAL (SELECT run_id, state FROM jobs WHERE id = b.job_id OFFSET 0) AS j
  WHERE j.state = 'review' AND (CAST(:run AS bigint) IS NULL OR j.run_id = :run)
    AND NOT EXISTS (SELECT FROM reviews WHERE job_id = b.job_id OFFSET 0)) AS l
""")
NEXT = text(f"""
{SEEN}
SELECT n.run_id AS run, n.id AS job, l.run_id AS last_run, l.id AS last_job, c.seen
FROM (SELECT count(*) AS seen FROM seen) AS c
LEFT JOIN (
  SELECT * FROM meant WHERE waits AND NOT read ORDER BY run_id DESC, id DESC LIMIT 1) AS n ON true
LEFT JOIN (SELECT * FROM seen ORDER BY run_id, id LIMIT 1) AS l ON true
""")  # noqa: S608 - constants of this module only
PLACE = text("SELECT run_id, id FROM jobs WHERE id = :job")
