"""The SQL of `/metrics`: totals of a few hundred rows, and small indexes. None of it grows with
the number of jobs, messages or calls."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

LIVE_RUNS_SHOWN = 50
"""Series by run are kept for so many live runs, the first served first."""


def rows(connection: Connection, name: str) -> Sequence[Row[Any]]:
    """The rows of one of the statements below."""
    return connection.execute(STATEMENTS[name]).all()


STATEMENTS = {
    "jobs": text("""
SELECT state, tier, sum(jobs)::bigint AS jobs FROM job_totals GROUP BY 1, 2 ORDER BY 1, 2
"""),
    "verdicts": text("""
SELECT verdict, sum(jobs)::bigint AS jobs FROM run_verdicts GROUP BY 1 ORDER BY 1
"""),
    "calls": text("""
SELECT tier, purpose, model, lane, state, simulated, sum(calls)::bigint AS calls,
  sum(unpriced)::bigint AS unpriced, sum(input_tokens)::bigint AS input_tokens,
  sum(cache_read_tokens)::bigint AS cache_read_tokens,
  sum(cache_write_5m_tokens)::bigint AS cache_write_5m_tokens,
  sum(cache_write_1h_tokens)::bigint AS cache_write_1h_tokens,
  sum(output_tokens)::bigint AS output_tokens, sum(cost) AS cost
FROM call_totals GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""),
    "errors": text("""
SELECT tier, lane, status, sum(errors)::bigint AS errors FROM call_error_totals
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""),
    "escalations": text("""
SELECT from_tier, to_tier, reason, sum(escalations)::bigint AS escalations FROM escalation_totals
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""),
    "attempts": text("""
SELECT queue, lane, outcome, sum(attempts)::bigint AS attempts FROM attempt_totals
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""),
    "timings": text("""
SELECT what, queue, lane, bucket, sum(observations)::bigint AS observations, sum(seconds) AS seconds
FROM timings GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""),
    "certificates": text("""
SELECT state, count(*) AS certificates FROM certificates
WHERE state <> 'void' OR changed_at > now() - interval '1 day' GROUP BY 1
"""),
    "stopped": text("SELECT statements FROM stopped_statements"),
    "steps": text("""
SELECT step, extract(epoch FROM now() - done_at)::float8 AS age_s FROM step_rounds ORDER BY step
"""),
    "runs": text("""
SELECT state, count(*) AS runs FROM runs WHERE finished_at IS NULL GROUP BY 1
"""),
    "live": text(f"""
SELECT r.name, extract(epoch FROM r.deadline)::float8 AS deadline, b.cap, b.spent, b.reserved,
  b.overrun, r.waiting_for IS NOT NULL AND r.state = 'active' AS waits,
  r.state = 'paused' AS paused, c.open
FROM runs AS r JOIN budgets AS b ON b.run_id = r.id CROSS JOIN LATERAL (
  SELECT coalesce(sum(jobs) FILTER (WHERE state IN ('queued', 'routed', 'submitted')), 0)::int
      AS open
  FROM run_counts WHERE run_id = r.id) AS c
WHERE r.finished_at IS NULL ORDER BY r.priority DESC, r.id LIMIT {LIVE_RUNS_SHOWN}
"""),  # noqa: S608 - a constant of this module
    "day": text("""
SELECT cap, spent, reserved, overrun FROM budgets WHERE day = (now() AT TIME ZONE 'UTC')::date
"""),
    "batches": text("""
SELECT tier, state, count(*) AS batches, sum(requests)::bigint AS requests,
  extract(epoch FROM now() - min(created_at))::float8 AS oldest_s
FROM message_batches WHERE state IN ('intended', 'submitted', 'ended') GROUP BY 1, 2 ORDER BY 1, 2
"""),
    "firings": text("""
SELECT DISTINCT ON (name) name, extract(epoch FROM due_at)::float8 AS due, due_at, state
FROM firings ORDER BY name, night DESC
"""),
    "schedules": text("""
SELECT name, min(since) AS since, extract(epoch FROM max(seen_at))::float8 AS seen
FROM schedules GROUP BY 1
"""),
    "now": text("SELECT now()"),
}
