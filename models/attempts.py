"""An attempt: one claim of a job at one stage and tier, written before any money is spent."""

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Numeric, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, Money, now, one_of
from models.vocabulary import AttemptOutcome, Lane, Stage


class Attempt(Base):
    """What was tried, under which versions, with what outcome and at what cost."""

    __tablename__ = "attempts"
    __table_args__ = (
        one_of("stage", Stage),
        one_of("lane", Lane),
        one_of("outcome", AttemptOutcome),
        CheckConstraint("reserved >= 0 AND cost >= 0", name="money"),
        CheckConstraint("(finished_at IS NULL) = (outcome = 'started')", name="finished"),
        Index(
            "ix_attempts_open",
            "worker",
            postgresql_where=text("outcome = 'started' AND batch_id IS NULL"),
        ),
        Index("ix_attempts_batch_id", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
        # As closely as jobs: see migration 0005.
        {
            "postgresql_with": {
                "autovacuum_vacuum_scale_factor": 0.02,
                "autovacuum_analyze_scale_factor": 0.05,
            }
        },
    )

    job_id: Mapped[BigId] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    fence: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str]
    tier: Mapped[str | None]
    """Tier whose model was asked; null where a rule decided and nothing was asked."""
    model: Mapped[str | None]
    lane: Mapped[str]
    outcome: Mapped[str] = mapped_column(server_default=AttemptOutcome.STARTED)
    reasons: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    findings: Mapped[list[Any] | None] = mapped_column(JSONB)
    """What the validators said: `[{validator, severity, finding}]`."""
    difficulty: Mapped[str | None]
    rule: Mapped[str | None]
    """Name of the rule that decided where to start."""
    confidence: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    threshold: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    decision: Mapped[str | None]
    """What followed, and where to: `accept`, `climb:sonnet`, `again`, `review`."""
    policy_version: Mapped[str]
    prompt_version: Mapped[str | None]
    schema_version: Mapped[str | None]
    effort: Mapped[str | None]
    max_tokens: Mapped[int | None]
    hint: Mapped[dict[str, Any] | None]
    """What the next attempt at this tier is told: findings to mend, a larger `max_tokens`."""
    answer_fence: Mapped[int | None]
    """Set where only the separate check was asked: the attempt whose paid answer it judges."""
    reserved: Mapped[Money] = mapped_column(server_default=text("0"))
    """Worst-case dollars held against the budgets while the attempt is open."""
    cost: Mapped[Money] = mapped_column(server_default=text("0"))
    budget_day: Mapped[dt.date] = mapped_column(Date)
    """The day budget that the reservation was made against (UTC), whenever it is settled."""
    worker: Mapped[str | None]
    batch_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("message_batches.id"))
    available_at: Mapped[Instant]
    """When the job became ready: `claimed_at - available_at` is the time spent waiting."""
    claimed_at: Mapped[Instant] = mapped_column(server_default=now())
    finished_at: Mapped[Instant | None]
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    """What a certificate's scorer made of the answer, to be compared with `standard`."""
    standard: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    """The score that the certificate in force asked for."""
    certificate_id: Mapped[BigId | None]
    """The certificate that was in force. No foreign key: this table is the busiest."""
    context_digest: Mapped[str | None]
    """What the model was shown beside the message, in `contexts`."""
    knowledge_version: Mapped[str | None]
    """Of the folders of pages that passages were looked for in."""
