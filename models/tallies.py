"""Counters that screens, the dispatcher and metrics read instead of counting rows.

`run_counts` is kept by a statement trigger on `jobs`, in the very transaction that changes a
job's state or tier, whoever changes it: intake, record, cancel, or a person with psql. So is
`run_verdicts`, by one on `reviews`. The other two are kept by the recording transaction, the only
writer of calls and escalations.
"""

from typing import Any

from sqlalchemy import DDL, BigInteger, ForeignKey, SmallInteger, event, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, Money, one_of
from models.jobs import Job
from models.results import Review
from models.vocabulary import JobState, Lane, Verdict


class RunCount(Base):
    """How many jobs of a run are in a state at a tier (`''` before one is known)."""

    __tablename__ = "run_counts"
    __table_args__ = (one_of("state", JobState),)

    run_id: Mapped[BigId] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[str] = mapped_column(primary_key=True)
    jobs: Mapped[int] = mapped_column(BigInteger)


class RunVerdict(Base):
    """How many jobs of a run a person has decided, by the latest verdict on each."""

    __tablename__ = "run_verdicts"
    __table_args__ = (one_of("verdict", Verdict),)

    run_id: Mapped[BigId] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    verdict: Mapped[str] = mapped_column(primary_key=True)
    jobs: Mapped[int] = mapped_column(BigInteger)


class PaceRow(Base):
    """What a live run had done at a moment of the last minutes, by queue: a ring of
    rows for each run, for forecasts."""

    __tablename__ = "run_paces"

    run_id: Mapped[BigId] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    at: Mapped[Instant]
    done: Mapped[dict[str, Any]]


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

COUNT_VERDICTS = """
CREATE FUNCTION count_verdicts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO run_verdicts AS c (run_id, verdict, jobs)
  SELECT j.run_id, m.verdict, sum(m.delta) FROM (
    SELECT DISTINCT ON (job_id) job_id, verdict FROM new_reviews
    ORDER BY job_id, id DESC) AS latest
  CROSS JOIN LATERAL (
    SELECT latest.verdict, 1 AS delta
    UNION ALL
    SELECT verdict, -1 FROM (
      SELECT verdict FROM reviews AS r WHERE r.job_id = latest.job_id
        AND NOT EXISTS (SELECT FROM new_reviews AS n WHERE n.id = r.id)
      ORDER BY id DESC LIMIT 1) AS before) AS m
  JOIN jobs AS j ON j.id = latest.job_id
  GROUP BY 1, 2 HAVING sum(m.delta) <> 0 ORDER BY 1, 2
  ON CONFLICT (run_id, verdict) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  RETURN NULL;
END $$
"""
COUNT_VERDICTS_TRIGGER = (
    "CREATE TRIGGER count_verdicts AFTER INSERT ON reviews "
    "REFERENCING NEW TABLE AS new_reviews FOR EACH STATEMENT EXECUTE FUNCTION count_verdicts()"
)

for _statement in (COUNT_JOBS, *COUNT_JOBS_TRIGGERS):
    event.listen(Job.__table__, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]
for _statement in (COUNT_VERDICTS, COUNT_VERDICTS_TRIGGER):
    event.listen(Review.__table__, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]
