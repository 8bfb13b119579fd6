"""A Message Batch: many attempts sent together at half price."""

from typing import Any

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now, one_of
from models.vocabulary import BatchState, Stage


class MessageBatch(Base):
    """The row is the intent: it exists before the create request, so that an orphan whose reply
    was lost can be recognised and adopted instead of being paid for twice."""

    __tablename__ = "message_batches"
    __table_args__ = (
        one_of("state", BatchState),
        one_of("stage", Stage),
        Index(
            "ix_message_batches_open",
            "state",
            "next_poll_at",
            postgresql_where=text("state IN ('intended', 'submitted', 'ended')"),
        ),
        # As closely as jobs: see migration 0005.
        {
            "postgresql_with": {
                "autovacuum_vacuum_scale_factor": 0.02,
                "autovacuum_analyze_scale_factor": 0.05,
            }
        },
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    external_id: Mapped[str | None] = mapped_column(unique=True)
    """Claude's id, `msgbatch_…`."""
    state: Mapped[str] = mapped_column(server_default=BatchState.INTENDED)
    stage: Mapped[str]
    tier: Mapped[str]
    model: Mapped[str]
    requests: Mapped[int]
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    error: Mapped[str | None]
    simulated: Mapped[bool] = mapped_column(server_default=text("false"))
    next_poll_at: Mapped[Instant] = mapped_column(server_default=now())
    created_at: Mapped[Instant] = mapped_column(server_default=now())
    submitted_at: Mapped[Instant | None]
    ended_at: Mapped[Instant | None]
    recorded_at: Mapped[Instant | None]
    cancelled_at: Mapped[Instant | None]
    """When Claude was asked to stop, because nobody waits for the rest any more."""
