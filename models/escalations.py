"""An escalation: one step up the ladder, or from the top rung to a person, and why."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now


class Escalation(Base):
    """Written in the transaction that recorded the attempt, so before the call that it causes."""

    __tablename__ = "escalations"
    __table_args__ = (
        ForeignKeyConstraint(["job_id", "fence"], ["attempts.job_id", "attempts.fence"]),
        CheckConstraint("from_tier <> to_tier", name="step"),
        Index("ix_escalations_job_id_fence", "job_id", "fence", unique=True),
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    job_id: Mapped[BigId]
    fence: Mapped[int]
    from_tier: Mapped[str]
    to_tier: Mapped[str]
    """A tier, or `person`."""
    reason: Mapped[str]
    detail: Mapped[str | None]
    at: Mapped[Instant] = mapped_column(server_default=now())
