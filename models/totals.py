"""Totals over all runs: what Prometheus reads. Counters only ever grow.

Kept by triggers in the transaction that changes what they count, whoever changes it, and
untouched when old runs are purged. Each row exists up to `SLOTS` times: a backend adds to its own
slot, so that workers that record at once do not wait for one another; readers sum.
"""

from sqlalchemy import DDL, BigInteger, Double, SmallInteger, event, text
from sqlalchemy.orm import Mapped, mapped_column

from models.attempts import Attempt
from models.base import Base, Money
from models.calls import Call
from models.tallies import RunCount, RunEscalation, RunSpend

SLOTS = 8
TIMING_BOUNDS = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900, 3_600, 14_400, 86_400)
"""Seconds. `timings.bucket` n holds what took at most the n-th bound, the last one all else."""
WAIT = "wait"
"""`timings.what` for the time from ready to claimed; calls have their purpose there."""


class CallTotal(Base):
    """As `run_spend`, for all runs together, purged ones included."""

    __tablename__ = "call_totals"

    tier: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    simulated: Mapped[bool] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    calls: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    unpriced: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cache_write_5m_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cache_write_1h_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cost: Mapped[Money] = mapped_column(server_default=text("0"))


class JobTotal(Base):
    """As `run_counts`, for all runs together. The only one that also falls: it counts what is."""

    __tablename__ = "job_totals"

    state: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    jobs: Mapped[int] = mapped_column(BigInteger)


class EscalationTotal(Base):
    """As `run_escalations`, for all runs together, purged ones included."""

    __tablename__ = "escalation_totals"

    from_tier: Mapped[str] = mapped_column(primary_key=True)
    to_tier: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    escalations: Mapped[int] = mapped_column(BigInteger)


class AttemptTotal(Base):
    """How attempts were closed. One that was lost and answered after all counts as both."""

    __tablename__ = "attempt_totals"

    queue: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    attempts: Mapped[int] = mapped_column(BigInteger)


class CallErrorTotal(Base):
    """Calls that failed or were lost, by HTTP status; `none` where no reply came."""

    __tablename__ = "call_error_totals"

    tier: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    errors: Mapped[int] = mapped_column(BigInteger)


class Timing(Base):
    """Histograms: how long calls took, and how long jobs waited before they were claimed."""

    __tablename__ = "timings"

    what: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    observations: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float] = mapped_column(Double)


SUMS = (
    "calls",
    "unpriced",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "cost",
)
COUNT_CALLS = f"""
CREATE FUNCTION count_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO call_totals AS t VALUES (NEW.tier, NEW.purpose, NEW.model, NEW.lane, NEW.state,
    NEW.simulated, pg_backend_pid() % {SLOTS},
    {", ".join(f"NEW.{name} - coalesce(OLD.{name}, 0)" for name in SUMS)})
  ON CONFLICT (tier, purpose, model, lane, state, simulated, slot) DO UPDATE SET
    {", ".join(f"{name} = t.{name} + excluded.{name}" for name in SUMS)};
  RETURN NULL;
END $$
"""  # noqa: S608 - constants of this module only
TOTAL_JOBS = f"""
CREATE FUNCTION total_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO job_totals AS t VALUES (coalesce(NEW.state, OLD.state),
    coalesce(NEW.tier, OLD.tier), pg_backend_pid() % {SLOTS},
    coalesce(NEW.jobs, 0) - coalesce(OLD.jobs, 0))
  ON CONFLICT (state, tier, slot) DO UPDATE SET jobs = t.jobs + excluded.jobs;
  RETURN NULL;
END $$
"""  # noqa: S608 - constants of this module only
COUNT_ESCALATIONS = f"""
CREATE FUNCTION count_escalations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO escalation_totals AS t VALUES (NEW.from_tier, NEW.to_tier, NEW.reason,
    pg_backend_pid() % {SLOTS}, NEW.escalations - coalesce(OLD.escalations, 0))
  ON CONFLICT (from_tier, to_tier, reason, slot)
  DO UPDATE SET escalations = t.escalations + excluded.escalations;
  RETURN NULL;
END $$
"""  # noqa: S608 - constants of this module only
BOUNDS = "ARRAY[" + ", ".join(f"{bound:g}" for bound in TIMING_BOUNDS) + "]::float8[]"
# Half a microsecond less: a bound belongs to the bucket below it, as Prometheus has it.
BUCKET = "width_bucket(seconds - 0.0000005, " + BOUNDS + ")"
TIME_CALLS = f"""
CREATE FUNCTION time_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO timings AS t
  SELECT purpose, tier, lane, {BUCKET}, pg_backend_pid() % {SLOTS}, count(*), sum(seconds)
  FROM (
    SELECT n.purpose, n.tier, n.lane, n.latency_ms / 1000.0::float8 AS seconds
    FROM new_calls AS n JOIN old_calls AS o USING (job_id, fence, purpose)
    WHERE n.latency_ms IS NOT NULL AND o.latency_ms IS NULL) AS ended
  GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (what, queue, lane, bucket, slot) DO UPDATE SET
    observations = t.observations + excluded.observations, seconds = t.seconds + excluded.seconds;
  IF NOT EXISTS (SELECT FROM new_calls WHERE state IN ('failed', 'lost')) THEN
    RETURN NULL;
  END IF;
  INSERT INTO call_error_totals AS e
  SELECT n.tier, n.lane, coalesce(n.http_status::text, 'none'), pg_backend_pid() % {SLOTS}, count(*)
  FROM new_calls AS n JOIN old_calls AS o USING (job_id, fence, purpose)
  WHERE o.state = 'sent' AND n.state IN ('failed', 'lost')
  GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (tier, lane, status, slot) DO UPDATE SET errors = e.errors + excluded.errors;
  RETURN NULL;
END $$
"""  # noqa: S608 - constants of this module only
QUEUE = "CASE WHEN n.stage = 'route' THEN 'routing' ELSE coalesce(n.tier, '') END"
COUNT_ATTEMPTS = f"""
CREATE FUNCTION count_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO attempt_totals AS a
  SELECT {QUEUE}, n.lane, n.outcome, pg_backend_pid() % {SLOTS}, count(*)
  FROM new_attempts AS n JOIN old_attempts AS o USING (job_id, fence)
  WHERE n.outcome <> o.outcome AND n.outcome <> 'started'
  GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (queue, lane, outcome, slot) DO UPDATE SET attempts = a.attempts + excluded.attempts;
  INSERT INTO timings AS t
  SELECT '{WAIT}', queue, lane, {BUCKET}, pg_backend_pid() % {SLOTS}, count(*), sum(seconds)
  FROM (
    SELECT {QUEUE} AS queue, n.lane,
      greatest(extract(epoch FROM n.claimed_at - n.available_at), 0)::float8 AS seconds
    FROM new_attempts AS n JOIN old_attempts AS o USING (job_id, fence)
    WHERE o.outcome = 'started' AND n.outcome <> 'started') AS closed
  GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (what, queue, lane, bucket, slot) DO UPDATE SET
    observations = t.observations + excluded.observations, seconds = t.seconds + excluded.seconds;
  RETURN NULL;
END $$
"""  # noqa: S608 - constants of this module only
STATEMENTS: dict[type[Base], tuple[str, str]] = {
    RunCount: (
        TOTAL_JOBS,
        "CREATE TRIGGER total_jobs AFTER INSERT OR UPDATE OR DELETE ON run_counts"
        " FOR EACH ROW EXECUTE FUNCTION total_jobs()",
    ),
    RunSpend: (
        COUNT_CALLS,
        "CREATE TRIGGER count_calls AFTER INSERT OR UPDATE ON run_spend"
        " FOR EACH ROW EXECUTE FUNCTION count_calls()",
    ),
    RunEscalation: (
        COUNT_ESCALATIONS,
        "CREATE TRIGGER count_escalations AFTER INSERT OR UPDATE ON run_escalations"
        " FOR EACH ROW EXECUTE FUNCTION count_escalations()",
    ),
    Call: (
        TIME_CALLS,
        "CREATE TRIGGER time_calls AFTER UPDATE ON calls"
        " REFERENCING OLD TABLE AS old_calls NEW TABLE AS new_calls"
        " FOR EACH STATEMENT EXECUTE FUNCTION time_calls()",
    ),
    Attempt: (
        COUNT_ATTEMPTS,
        "CREATE TRIGGER count_attempts AFTER UPDATE ON attempts"
        " REFERENCING OLD TABLE AS old_attempts NEW TABLE AS new_attempts"
        " FOR EACH STATEMENT EXECUTE FUNCTION count_attempts()",
    ),
}
"""By the table whose changes are counted. A few rows of the tallies change
with each group that is recorded; of calls and attempts, all of them."""

for _model, _statements in STATEMENTS.items():
    for _statement in _statements:
        event.listen(_model.__table__, "after_create", DDL(_statement.replace("%", "%%")))  # type: ignore[no-untyped-call]
