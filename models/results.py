"""The one accepted (or best-effort) answer of a job, and what people said of it."""

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Numeric,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now, one_of
from models.vocabulary import ReadingKind, Verdict


class Result(Base):
    """At most one for a job, by primary key; a recorded result never changes."""

    __tablename__ = "results"
    __table_args__ = (
        ForeignKeyConstraint(["job_id", "fence"], ["attempts.job_id", "attempts.fence"]),
    )

    # That its job is there follows from its attempt's key, and is not asked twice.
    job_id: Mapped[BigId] = mapped_column(primary_key=True, autoincrement=False)
    fence: Mapped[int]
    reply: Mapped[str]
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """The rest of the structured answer, without `reply` and `confidence`."""
    tier: Mapped[str]
    model: Mapped[str]
    accepted: Mapped[bool]
    """False: best effort, kept because no rung did better; the job is in `review`."""
    confidence: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    reasons: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    simulated: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Instant] = mapped_column(server_default=now())


class Review(Base):
    """A person's verdict on a job in `review`: stored beside the result, never over it."""

    __tablename__ = "reviews"
    __table_args__ = (
        one_of("verdict", Verdict),
        CheckConstraint("(verdict = 'edit') = (reply IS NOT NULL)", name="reply"),
        CheckConstraint("verdict <> 'reject' OR reason IS NOT NULL", name="reason"),
        Index("ix_reviews_job_id", "job_id"),
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    job_id: Mapped[BigId] = mapped_column(ForeignKey("jobs.id"))
    verdict: Mapped[str]
    reply: Mapped[str | None]
    reason: Mapped[str | None]
    reviewer: Mapped[str]
    at: Mapped[Instant] = mapped_column(server_default=now())


class ReadingLease(Base):
    """Who has an item of a queue for people before them, until when: nobody else is given it.

    `holder` tells readers apart who go by one name; `fence` is 0 for a review, which is of a job
    rather than of one answer.
    """

    __tablename__ = "reading_leases"
    __table_args__ = (
        one_of("kind", ReadingKind),
        CheckConstraint("until > since", name="ends"),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[BigId] = mapped_column(primary_key=True, autoincrement=False)
    fence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    holder: Mapped[str]
    reader: Mapped[str]
    since: Mapped[Instant]
    until: Mapped[Instant]
