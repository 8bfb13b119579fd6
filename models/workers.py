"""Who is at work: each worker process renews its row every second."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, now


class Worker(Base):
    """A process that consumes queues; dispatch keeps each only as deep as they need."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    version: Mapped[str]
    capacity: Mapped[dict[str, Any]]
    """Calls in flight that it may hold, by queue: `{"haiku": 64, …}`."""
    in_flight: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    stopping: Mapped[bool] = mapped_column(server_default=text("false"))
    started_at: Mapped[Instant] = mapped_column(server_default=now())
    seen_at: Mapped[Instant] = mapped_column(server_default=now())
    last_claim_at: Mapped[Instant | None]
    in_hand: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """Jobs delivered to it and not claimed yet, by queue."""
    note: Mapped[str | None]
    """What is wrong with it, in words: its watchdog ended it."""
