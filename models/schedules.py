"""Schedules that were seen, and each time that one was due."""

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now, one_of
from models.vocabulary import FiringState


class Schedule(Base):
    """A schedule as a scheduler first saw it: what was due before that is nobody's debt.

    The expression belongs to the key, so that two versions of a configuration at once (a rolling
    deployment) do not push each other's beginning into the future.
    """

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(primary_key=True)
    cron: Mapped[str] = mapped_column(primary_key=True)
    timezone: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[Instant] = mapped_column(server_default=now())
    seen_at: Mapped[Instant] = mapped_column(server_default=now())
    """When a scheduler last looked at it."""


class Firing(Base):
    """One night of one schedule. The primary key is why it happens once, however many schedulers
    there are: whoever inserts the row makes the run, in the same transaction."""

    __tablename__ = "firings"
    __table_args__ = (
        one_of("state", FiringState),
        CheckConstraint("missed >= 0", name="missed"),
        Index("ix_firings_run_id", "run_id", postgresql_where=text("run_id IS NOT NULL")),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    night: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    """Local date of the due time, in the schedule's own time zone."""
    due_at: Mapped[Instant]
    fired_at: Mapped[Instant] = mapped_column(server_default=now())
    state: Mapped[str]
    missed: Mapped[int] = mapped_column(server_default=text("0"))
    """Earlier due times that nobody fired and that this one stands for."""
    run_id: Mapped[BigId | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"))
    jobs: Mapped[int] = mapped_column(server_default=text("0"))
    words: Mapped[str | None]
    """What happened, or why it failed."""
    selection: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    by: Mapped[str]
