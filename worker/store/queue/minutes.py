"""Once a minute, the counters are written down: the history of the first page.

Whoever comes first in a minute writes it; the others find it there. The counters are few rows each,
whatever was submitted.
"""

from sqlalchemy import Engine, text


def note_minute(engine: Engine) -> bool:
    """Writes this minute down, if nobody has; forgets those of more than a day. Whether it did."""
    with engine.begin() as connection:
        if connection.execute(KNOWN).scalar():
            return False
        written = connection.execute(NOTE).rowcount
        connection.execute(FORGET)
        return bool(written)


KNOWN = text("SELECT EXISTS (SELECT FROM minutes WHERE at = date_trunc('minute', now()))")
COUNTERS = """j.ended, j.waiting, j.at_claude,
  (SELECT coalesce(sum(errors), 0) FROM call_error_totals)::bigint AS failed_calls,
  (SELECT coalesce(sum(cost), 0) FROM call_totals) AS spent
FROM (
  SELECT
    coalesce(sum(jobs) FILTER (WHERE state IN ('answered', 'review', 'dead', 'cancelled')), 0)
      ::bigint AS ended,
    coalesce(sum(jobs) FILTER (WHERE state IN ('queued', 'routed')), 0)::bigint AS waiting,
    coalesce(sum(jobs) FILTER (WHERE state = 'submitted'), 0)::bigint AS at_claude
  FROM job_totals) AS j"""
"""The counters of this moment; what is summed has a few rows."""
NOTE = text(f"""
INSERT INTO minutes (at, ended, waiting, at_claude, failed_calls, spent)
SELECT date_trunc('minute', now()), {COUNTERS}
ON CONFLICT DO NOTHING
""")
FORGET = text("DELETE FROM minutes WHERE at < now() - interval '25 hours'")
