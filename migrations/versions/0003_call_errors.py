"""Calls that went wrong by HTTP status: a 429, a 529 and a 400 ask for different people."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME_CALLS = """
CREATE OR REPLACE FUNCTION time_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO timings AS t
  SELECT purpose, tier, lane, width_bucket(seconds - 0.0000005, ARRAY[0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900, 3600, 14400, 86400]::float8[]), pg_backend_pid() % 8, count(*), sum(seconds)
  FROM (
    SELECT n.purpose, n.tier, n.lane, n.latency_ms / 1000.0::float8 AS seconds
    FROM new_calls AS n JOIN old_calls AS o USING (job_id, fence, purpose)
    WHERE n.latency_ms IS NOT NULL AND o.latency_ms IS NULL) AS ended
  GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (what, queue, lane, bucket, slot) DO UPDATE SET
    observations = t.observations + excluded.observations, seconds = t.seconds + excluded.seconds;
"""
COUNT_ERRORS = """
  INSERT INTO call_error_totals AS e
  SELECT n.tier, n.lane, coalesce(n.http_status::text, 'none'), pg_backend_pid() % 8, count(*)
  FROM new_calls AS n JOIN old_calls AS o USING (job_id, fence, purpose)
  WHERE o.state = 'sent' AND n.state IN ('failed', 'lost')
  GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (tier, lane, status, slot) DO UPDATE SET errors = e.errors + excluded.errors;
"""
END = """
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    """The table, then what fills it. Counting begins here; the version before reads none of it."""
    op.create_table(
        "call_error_totals",
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tier", "lane", "status", "slot", name=op.f("pk_call_error_totals")
        ),
    )
    op.execute(TIME_CALLS.rstrip() + COUNT_ERRORS.rstrip() + END)


def downgrade() -> None:
    """What fills it, then the table."""
    op.execute(TIME_CALLS.rstrip() + END)
    op.drop_table("call_error_totals")
