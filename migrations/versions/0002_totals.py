"""Totals over all runs, kept by triggers: what Prometheus reads."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COUNT_CALLS = """
CREATE FUNCTION count_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO call_totals AS t VALUES (NEW.tier, NEW.purpose, NEW.model, NEW.lane, NEW.state,
    NEW.simulated, pg_backend_pid() % 8,
    NEW.calls - coalesce(OLD.calls, 0), NEW.unpriced - coalesce(OLD.unpriced, 0), NEW.input_tokens - coalesce(OLD.input_tokens, 0), NEW.cache_read_tokens - coalesce(OLD.cache_read_tokens, 0), NEW.cache_write_5m_tokens - coalesce(OLD.cache_write_5m_tokens, 0), NEW.cache_write_1h_tokens - coalesce(OLD.cache_write_1h_tokens, 0), NEW.output_tokens - coalesce(OLD.output_tokens, 0), NEW.cost - coalesce(OLD.cost, 0))
  ON CONFLICT (tier, purpose, model, lane, state, simulated, slot) DO UPDATE SET
    calls = t.calls + excluded.calls, unpriced = t.unpriced + excluded.unpriced, input_tokens = t.input_tokens + excluded.input_tokens, cache_read_tokens = t.cache_read_tokens + excluded.cache_read_tokens, cache_write_5m_tokens = t.cache_write_5m_tokens + excluded.cache_write_5m_tokens, cache_write_1h_tokens = t.cache_write_1h_tokens + excluded.cache_write_1h_tokens, output_tokens = t.output_tokens + excluded.output_tokens, cost = t.cost + excluded.cost;
  RETURN NULL;
END $$
"""
TOTAL_JOBS = """
CREATE FUNCTION total_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO job_totals AS t VALUES (coalesce(NEW.state, OLD.state),
    coalesce(NEW.tier, OLD.tier), pg_backend_pid() % 8,
    coalesce(NEW.jobs, 0) - coalesce(OLD.jobs, 0))
  ON CONFLICT (state, tier, slot) DO UPDATE SET jobs = t.jobs + excluded.jobs;
  RETURN NULL;
END $$
"""
COUNT_ESCALATIONS = """
CREATE FUNCTION count_escalations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO escalation_totals AS t VALUES (NEW.from_tier, NEW.to_tier, NEW.reason,
    pg_backend_pid() % 8, NEW.escalations - coalesce(OLD.escalations, 0))
  ON CONFLICT (from_tier, to_tier, reason, slot)
  DO UPDATE SET escalations = t.escalations + excluded.escalations;
  RETURN NULL;
END $$
"""
TIME_CALLS = """
CREATE FUNCTION time_calls() RETURNS trigger LANGUAGE plpgsql AS $$
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
  RETURN NULL;
END $$
"""
COUNT_ATTEMPTS = """
CREATE FUNCTION count_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO attempt_totals AS a
  SELECT CASE WHEN n.stage = 'route' THEN 'routing' ELSE coalesce(n.tier, '') END, n.lane, n.outcome, pg_backend_pid() % 8, count(*)
  FROM new_attempts AS n JOIN old_attempts AS o USING (job_id, fence)
  WHERE n.outcome <> o.outcome AND n.outcome <> 'started'
  GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (queue, lane, outcome, slot) DO UPDATE SET attempts = a.attempts + excluded.attempts;
  INSERT INTO timings AS t
  SELECT 'wait', queue, lane, width_bucket(seconds - 0.0000005, ARRAY[0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900, 3600, 14400, 86400]::float8[]), pg_backend_pid() % 8, count(*), sum(seconds)
  FROM (
    SELECT CASE WHEN n.stage = 'route' THEN 'routing' ELSE coalesce(n.tier, '') END AS queue, n.lane,
      greatest(extract(epoch FROM n.claimed_at - n.available_at), 0)::float8 AS seconds
    FROM new_attempts AS n JOIN old_attempts AS o USING (job_id, fence)
    WHERE o.outcome = 'started' AND n.outcome <> 'started') AS closed
  GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (what, queue, lane, bucket, slot) DO UPDATE SET
    observations = t.observations + excluded.observations, seconds = t.seconds + excluded.seconds;
  RETURN NULL;
END $$
"""
TRIGGERS = (
    "CREATE TRIGGER total_jobs AFTER INSERT OR UPDATE OR DELETE ON run_counts FOR EACH ROW EXECUTE FUNCTION total_jobs()",
    "CREATE TRIGGER count_calls AFTER INSERT OR UPDATE ON run_spend FOR EACH ROW EXECUTE FUNCTION count_calls()",
    "CREATE TRIGGER count_escalations AFTER INSERT OR UPDATE ON run_escalations FOR EACH ROW EXECUTE FUNCTION count_escalations()",
    "CREATE TRIGGER time_calls AFTER UPDATE ON calls REFERENCING OLD TABLE AS old_calls NEW TABLE AS new_calls FOR EACH STATEMENT EXECUTE FUNCTION time_calls()",
    "CREATE TRIGGER count_attempts AFTER UPDATE ON attempts REFERENCING OLD TABLE AS old_attempts NEW TABLE AS new_attempts FOR EACH STATEMENT EXECUTE FUNCTION count_attempts()",
)
TABLES = ("call_totals", "job_totals", "escalation_totals", "attempt_totals", "timings")
FUNCTIONS = (
    ("total_jobs", "run_counts"),
    ("count_calls", "run_spend"),
    ("count_escalations", "run_escalations"),
    ("time_calls", "calls"),
    ("count_attempts", "attempts"),
)


def _counters(*names: str) -> list[sa.Column[int]]:
    return [
        sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        for name in names
    ]


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _slot() -> sa.Column[int]:
    return sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False)


def upgrade() -> None:
    """The tables, then what fills them. Counting begins here: nothing is counted backwards."""
    key = ("tier", "purpose", "model", "lane", "state")
    op.create_table(
        "call_totals",
        *_words(*key),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        _slot(),
        *_counters(
            "calls",
            "unpriced",
            "input_tokens",
            "cache_read_tokens",
            "cache_write_5m_tokens",
            "cache_write_1h_tokens",
            "output_tokens",
        ),
        sa.Column("cost", sa.Numeric(20, 10), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint(*key, "simulated", "slot", name=op.f("pk_call_totals")),
    )
    op.create_table(
        "job_totals",
        *_words("state", "tier"),
        _slot(),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("state", "tier", "slot", name=op.f("pk_job_totals")),
    )
    steps = ("from_tier", "to_tier", "reason")
    op.create_table(
        "escalation_totals",
        *_words(*steps),
        _slot(),
        sa.Column("escalations", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*steps, "slot", name=op.f("pk_escalation_totals")),
    )
    closed = ("queue", "lane", "outcome")
    op.create_table(
        "attempt_totals",
        *_words(*closed),
        _slot(),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*closed, "slot", name=op.f("pk_attempt_totals")),
    )
    timed = ("what", "queue", "lane")
    op.create_table(
        "timings",
        *_words(*timed),
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        _slot(),
        sa.Column("observations", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(*timed, "bucket", "slot", name=op.f("pk_timings")),
    )
    for statement in (
        COUNT_CALLS,
        TOTAL_JOBS,
        COUNT_ESCALATIONS,
        TIME_CALLS,
        COUNT_ATTEMPTS,
        *TRIGGERS,
    ):
        op.execute(statement)


def downgrade() -> None:
    """Triggers, functions, tables."""
    for function, table in FUNCTIONS:
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    for table in TABLES:
        op.drop_table(table)
