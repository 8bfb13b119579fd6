"""Truth beside the record: graded outcomes of answers, and the random draws that ask for them."""

from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Numeric,
    SmallInteger,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now, one_of
from models.vocabulary import AuditPurpose, AuditState, Grader


class Audit(Base):
    """An accepted answer that chance chose to be looked at, with the probability of that.

    Written by the transaction that recorded the answer: a salted hash of the job decides, so nobody
    can pick. `again` marks every tenth, which two people look at: how far people agree is the
    noise of the judges themselves.
    """

    __tablename__ = "audits"
    __table_args__ = (
        ForeignKeyConstraint(["job_id", "fence"], ["attempts.job_id", "attempts.fence"]),
        one_of("purpose", AuditPurpose),
        one_of("state", AuditState),
        CheckConstraint("probability > 0 AND probability <= 1", name="probability"),
        CheckConstraint("people_share > 0 AND people_share <= 1", name="people_share"),
        Index("ix_audits_run_id", "run_id", "job_id"),
        Index("ix_audits_open", "run_id", "job_id", postgresql_where=text("state = 'open'")),
    )

    job_id: Mapped[BigId] = mapped_column(primary_key=True)
    fence: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[BigId]
    tier: Mapped[str]
    purpose: Mapped[str] = mapped_column(server_default=AuditPurpose.AUDIT)
    probability: Mapped[Decimal] = mapped_column(Numeric(9, 8))
    again: Mapped[bool] = mapped_column(server_default=text("false"))
    state: Mapped[str] = mapped_column(server_default=AuditState.OPEN)
    drawn_at: Mapped[Instant] = mapped_column(server_default=now())
    people_share: Mapped[Decimal] = mapped_column(Numeric(9, 8), server_default=text("1"))
    """The probability that people look at it although a stronger tier finds nothing wrong."""


class Shadow(Base):
    """A message that chance chose to know more of than was needed: every tier that was not asked is
    asked too, in a run of its own, and people judge what was said. By the same secret hash as the
    audits, so of two shares the smaller one's messages are among the greater one's."""

    __tablename__ = "shadows"
    __table_args__ = (
        CheckConstraint("probability > 0 AND probability <= 1", name="probability"),
        Index("ix_shadows_run_id", "run_id", "job_id"),
    )

    job_id: Mapped[BigId] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    run_id: Mapped[BigId]
    probability: Mapped[Decimal] = mapped_column(Numeric(9, 8))
    drawn_at: Mapped[Instant] = mapped_column(server_default=now())


class AuditSalt(Base):
    """The secret that makes the draw unpredictable: one row, made by the migration."""

    __tablename__ = "audit_salt"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    salt: Mapped[str]


class Truth(Base):
    """Whether one answer was right, as somebody judged it. Never over the record: a verdict taken
    back stays, with the time, and a later one stands beside it."""

    __tablename__ = "truths"
    __table_args__ = (
        ForeignKeyConstraint(["job_id", "fence"], ["attempts.job_id", "attempts.fence"]),
        one_of("grader", Grader),
        Index(
            "ix_truths_in_force",
            "job_id",
            "fence",
            "grader",
            "grader_name",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    job_id: Mapped[BigId]
    fence: Mapped[int]
    grader: Mapped[str]
    grader_name: Mapped[str]
    """The person, the tier, or the file."""
    right: Mapped[bool | None] = mapped_column("is_right")
    """Null: whoever looked could not say."""
    at: Mapped[Instant] = mapped_column(server_default=now())
    undone_at: Mapped[Instant | None]
