"""The SQL of `/metrics`: totals of a few hundred rows, and small indexes. None of it grows with
the number of jobs, messages or calls."""

import datetime as dt
from typing import Any, TypeVar

from sqlalchemy import Connection, TextClause, text

from worker.domain.bill import SpendLine
from worker.store.reading.bill import SPEND_SUMS, spend_line
from worker.store.reading.screens import ClimbCount
from worker.store.reading.series import (
    AttemptCount,
    BatchCount,
    CertificateCount,
    DayBudgetLine,
    ErrorCount,
    JobCount,
    LastFiring,
    LiveRunCount,
    LiveRunLine,
    SeenSchedule,
    StepAge,
    StoppedCount,
    TimingBucket,
    VerdictCount,
)
from worker.store.rows import OPEN_JOBS, values_of

Line = TypeVar("Line")

LIVE_RUNS_SHOWN = 50
"""Series by run are kept for so many live runs, the first served first."""


def series(connection: Connection, kind: type[Line]) -> list[Line]:
    """All lines of one of the kinds below."""
    return values_of(kind, connection.execute(STATEMENTS[kind]))


def calls(connection: Connection) -> list[SpendLine]:
    """What the calls of all runs came to."""
    return [spend_line(row) for row in connection.execute(CALLS)]


def moment(connection: Connection) -> dt.datetime:
    """The database's time."""
    now: dt.datetime = connection.execute(NOW).scalar_one()
    return now


CALLS = text(f"""
SELECT tier, purpose, model, lane, state, simulated, {SPEND_SUMS}
FROM call_totals GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
""")  # noqa: S608 - a constant
NOW = text("SELECT now()")
STATEMENTS: dict[type[Any], TextClause] = {
    JobCount: text("""
SELECT state, tier, sum(jobs)::bigint AS jobs FROM job_totals GROUP BY 1, 2 ORDER BY 1, 2
"""),
    VerdictCount: text("""
SELECT verdict, sum(jobs)::bigint AS jobs FROM run_verdicts GROUP BY 1 ORDER BY 1
"""),
    ErrorCount: text("""
SELECT tier, lane, status, sum(errors)::bigint AS errors FROM call_error_totals
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""),
    ClimbCount: text("""
SELECT from_tier, to_tier, reason, sum(escalations)::bigint AS escalations FROM escalation_totals
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""),
    AttemptCount: text("""
SELECT queue, lane, outcome, sum(attempts)::bigint AS attempts FROM attempt_totals
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""),
    TimingBucket: text("""
SELECT what, queue, lane, bucket, sum(observations)::bigint AS observations, sum(seconds) AS seconds
FROM timings GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""),
    CertificateCount: text("""
SELECT state, count(*) AS certificates FROM certificates
WHERE state <> 'void' OR changed_at > now() - interval '1 day' GROUP BY 1
"""),
    StoppedCount: text("SELECT statements FROM stopped_statements"),
    StepAge: text("""
SELECT step, extract(epoch FROM now() - done_at)::float8 AS age_s FROM step_rounds ORDER BY step
"""),
    LiveRunCount: text("""
SELECT state, count(*) AS runs FROM runs WHERE finished_at IS NULL GROUP BY 1
"""),
    LiveRunLine: text(f"""
SELECT r.name, extract(epoch FROM r.deadline)::float8 AS deadline, b.cap, b.spent, b.reserved,
  b.overrun, r.state = 'paused' AS paused, c.open
FROM runs AS r JOIN budgets AS b ON b.run_id = r.id CROSS JOIN LATERAL (
  SELECT coalesce(sum(jobs) FILTER (WHERE state IN ({OPEN_JOBS})), 0)::int
      AS open
  FROM run_counts WHERE run_id = r.id) AS c
WHERE r.finished_at IS NULL ORDER BY r.priority DESC, r.id LIMIT {LIVE_RUNS_SHOWN}
"""),  # noqa: S608 - a constant of this module
    DayBudgetLine: text("""
SELECT cap, spent, reserved, overrun FROM budgets WHERE day = (now() AT TIME ZONE 'UTC')::date
"""),
    BatchCount: text("""
SELECT tier, state, count(*) AS batches, sum(requests)::bigint AS requests,
  extract(epoch FROM now() - min(created_at))::float8 AS oldest_s
FROM message_batches WHERE state IN ('intended', 'submitted', 'ended') GROUP BY 1, 2 ORDER BY 1, 2
"""),
    LastFiring: text("""
SELECT DISTINCT ON (name) name, extract(epoch FROM due_at)::float8 AS due, due_at, state
FROM firings ORDER BY name, night DESC
"""),
    SeenSchedule: text("""
SELECT name, min(since) AS since, extract(epoch FROM max(seen_at))::float8 AS seen
FROM schedules GROUP BY 1
"""),
}
