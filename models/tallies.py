"""Counters that screens, the dispatcher and metrics read instead of counting rows.

`run_counts` is kept by a statement trigger on `jobs`, in the very transaction that changes a
job's state or tier, whoever changes it: intake, record, cancel, or a person with psql. The other
two are kept by the recording transaction, the only writer of calls and escalations.
"""

from sqlalchemy import DDL, BigInteger, ForeignKey, event, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Money, one_of
from models.jobs import Job
from models.vocabulary import JobState, Lane


class RunCount(Base):
    """How many jobs of a run are in a state at a tier (`''` before one is known)."""

    __tablename__ = "run_counts"
    __table_args__ = (one_of("state", JobState),)

    run_id: Mapped[BigId] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[str] = mapped_column(primary_key=True)
    jobs: Mapped[int] = mapped_column(BigInteger)


class RunSpend(Base):
    """Calls, tokens and dollars of a run by tier, purpose, model, lane and state of the call."""

    __tablename__ = "run_spend"
    __table_args__ = (one_of("lane", Lane),)

    run_id: Mapped[BigId] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    tier: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    simulated: Mapped[bool] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    unpriced: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cache_write_5m_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cache_write_1h_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cost: Mapped[Money] = mapped_column(server_default=text("0"))


class RunEscalation(Base):
    """Escalations of a run by step and reason."""

    __tablename__ = "run_escalations"

    run_id: Mapped[BigId] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    from_tier: Mapped[str] = mapped_column(primary_key=True)
    to_tier: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    escalations: Mapped[int] = mapped_column(BigInteger)


COUNT_JOBS = """
CREATE FUNCTION count_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO run_counts AS c (run_id, state, tier, jobs)
    SELECT run_id, state, coalesce(tier, ''), count(*) FROM new_jobs
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (run_id, state, tier) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO run_counts AS c (run_id, state, tier, jobs)
    SELECT run_id, state, coalesce(tier, ''), -count(*) FROM old_jobs
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (run_id, state, tier) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  ELSE
    INSERT INTO run_counts AS c (run_id, state, tier, jobs)
    SELECT run_id, state, tier, sum(delta) FROM (
      SELECT run_id, state, coalesce(tier, '') AS tier, 1 AS delta FROM new_jobs
      UNION ALL SELECT run_id, state, coalesce(tier, ''), -1 FROM old_jobs) AS moved
    GROUP BY 1, 2, 3 HAVING sum(delta) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (run_id, state, tier) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  END IF;
  RETURN NULL;
END $$
"""
COUNT_JOBS_TRIGGERS = tuple(
    f"CREATE TRIGGER count_jobs_{verb.lower()} AFTER {verb} ON jobs "
    f"REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION count_jobs()"
    for verb, tables in (
        ("INSERT", "NEW TABLE AS new_jobs"),
        ("UPDATE", "OLD TABLE AS old_jobs NEW TABLE AS new_jobs"),
        ("DELETE", "OLD TABLE AS old_jobs"),
    )
)

for _statement in (COUNT_JOBS, *COUNT_JOBS_TRIGGERS):
    event.listen(Job.__table__, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]
