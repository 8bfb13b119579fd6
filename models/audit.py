"""What people (and schedules) did: one row an action."""

from typing import Any

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now


class AuditEvent(Base):
    """Who did what to which, and to how many."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_at", "at"),
        Index("ix_audit_events_actor", "actor", "id"),
        Index("ix_audit_events_action", "action", "id"),
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[Instant] = mapped_column(server_default=now())
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    affected: Mapped[int] = mapped_column(server_default=text("0"))
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
