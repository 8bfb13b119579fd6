"""A job: one message in one run. The unit of work and of state."""

from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    Computed,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, Money, now, one_of
from models.vocabulary import JobState, Lane

QUEUE_OF_JOB = (
    "CASE WHEN state IN ('queued', 'routed') THEN "
    "CASE WHEN lane = 'batch' THEN 'batch.' ELSE '' END || "
    "CASE WHEN state = 'queued' THEN 'routing' ELSE tier END END"
)


class Job(Base):
    """State, tier, lease and counters of one message in one run.

    `fence` counts claims: it names the attempt that holds (or last held) the lease, and a failure
    is recorded only under the fence that claimed. `rung` is the place of `tier` in the run's
    ladder, 0 the cheapest, kept so that "the tier only rises" can be said in SQL. `failures` counts
    failed and lost attempts since the last retry by hand; `attempts` counts all that were closed
    other than by deferral.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("run_id", "message_id"),
        one_of("state", JobState),
        one_of("lane", Lane),
        CheckConstraint("state <> 'routed' OR tier IS NOT NULL", name="tier"),
        CheckConstraint("lease_until IS NULL OR queue IS NOT NULL", name="lease"),
        CheckConstraint("fence >= 0 AND attempts >= 0 AND failures >= 0", name="counts"),
        CheckConstraint(
            "(finished_at IS NULL) = (state IN ('queued', 'routed', 'submitted'))", name="finished"
        ),
        Index(
            "ix_jobs_ready",
            "run_id",
            "queue",
            text("priority DESC"),
            "available_at",
            "id",
            postgresql_where=text("queue IS NOT NULL AND lease_until IS NULL"),
            # No two entries are alike, and looking for such took a tenth of a job's intake.
            postgresql_with={"deduplicate_items": "off"},
        ),
        Index(
            "ix_jobs_dispatched",
            "queue",
            "dispatched_at",
            postgresql_where=text("dispatched_at IS NOT NULL"),
        ),
        Index(
            "ix_jobs_leased",
            "queue",
            "lease_until",
            postgresql_where=text("lease_until IS NOT NULL"),
        ),
        Index("ix_jobs_message_id", "message_id"),
        Index(
            "ix_jobs_taken_over",
            "run_id",
            "id",
            postgresql_where=text("origin_id IS NOT NULL AND state = 'queued'"),
        ),
        Index(
            "ix_jobs_attention",
            "state",
            "run_id",
            "id",
            # Grouping by cause, and counting what a retry would open, need no row.
            postgresql_include=["reason", "finished_at"],
            postgresql_where=text("state IN ('dead', 'review')"),
        ),
        # The row of a job is rewritten about four times in its life: leave room on its page, and
        # let autovacuum follow a hot queue closely.
        {
            "postgresql_with": {
                "fillfactor": 80,
                "autovacuum_vacuum_scale_factor": 0.02,
                "autovacuum_analyze_scale_factor": 0.05,
            }
        },
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    run_id: Mapped[BigId]
    """No foreign key of its own: the trigger that counts jobs writes `run_counts` in the same
    statement, and that table's key refuses a run that is not there, and the end of one that has
    jobs. Asking again for each row took an eighth of what Postgres does in an intake."""
    message_id: Mapped[BigId]
    """Its key is asked once for each statement: `models.message_keys`."""
    origin_id: Mapped[BigId | None]
    """The earlier job of this message that a reprocessing chose. No foreign key: an old run may be
    purged while its successor stays."""
    state: Mapped[str] = mapped_column(server_default=JobState.QUEUED)
    tier: Mapped[str | None]
    rung: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    lane: Mapped[str] = mapped_column(server_default=Lane.REALTIME)
    queue: Mapped[str | None] = mapped_column(Computed(QUEUE_OF_JOB, persisted=True))
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[Instant | None]
    available_at: Mapped[Instant] = mapped_column(server_default=now())
    dispatched_at: Mapped[Instant | None]
    """Of versions before `dispatches`, which may work beside this one; written by them alone."""
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    failures: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    deferrals: Mapped[int] = mapped_column(server_default=text("0"))
    escalations: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    difficulty: Mapped[str | None]
    cost: Mapped[Money] = mapped_column(server_default=text("0"), default=Decimal(0))
    reason: Mapped[str | None]
    """Why the job ended as it did, in words that hold no message text: dead, review, cancelled."""
    created_at: Mapped[Instant] = mapped_column(server_default=now())
    finished_at: Mapped[Instant | None]
