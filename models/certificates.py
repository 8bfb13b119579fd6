"""Certificates: claims about accepted answers, what they rest on, and how they bear up."""

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Date, Double, ForeignKey, Identity, Index, Numeric, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now, one_of
from models.vocabulary import CertificateClaim, CertificateState


class Certificate(Base):
    """A claim that labels proved, keyed to what it holds for, with what voids it.

    `rehearsal` certificates rest on simulated answers: they prove nothing and are in force only
    where answers are simulated.
    """

    __tablename__ = "certificates"
    __table_args__ = (
        one_of("claim", CertificateClaim),
        one_of("state", CertificateState),
        CheckConstraint("errors >= 0 AND labels >= errors", name="counts"),
        CheckConstraint("(state = 'void') = (voided_by IS NOT NULL)", name="void"),
        Index("ix_certificates_live", "id", postgresql_where=text("state <> 'void'")),
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    claim: Mapped[str]
    tier: Mapped[str]
    top: Mapped[str]
    """Whom a parity claim compares with."""
    alpha: Mapped[float] = mapped_column(Double)
    delta: Mapped[float] = mapped_column(Double)
    errors: Mapped[int]
    labels: Mapped[int]
    upper: Mapped[float] = mapped_column(Double)
    coverage: Mapped[float] = mapped_column(Double)
    threshold: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    fallback: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    """The stricter threshold that amber falls back to; null accepts nothing."""
    scorer: Mapped[dict[str, Any] | None]
    """Weights; null compares the stated confidence."""
    segment_by: Mapped[str]
    segments: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    key: Mapped[dict[str, Any]]
    """Model, prompt, schema, effort and policy that the answers were given under."""
    runs: Mapped[list[Any]] = mapped_column(JSONB)
    sources: Mapped[dict[str, Any]]
    """Labels by who gave them, and the window of the answers."""
    rehearsal: Mapped[bool] = mapped_column(server_default=text("false"))
    state: Mapped[str] = mapped_column(server_default=CertificateState.VALID)
    voided_by: Mapped[str | None]
    issued_by: Mapped[str]
    issued_at: Mapped[Instant] = mapped_column(server_default=now())
    changed_at: Mapped[Instant] = mapped_column(server_default=now())


class Evidence(Base):
    """How audits have borne a certificate out, a row a day: the running log-wealth of the
    e-process and the detector's statistics, so that the next audit needs the last row alone."""

    __tablename__ = "evidence"

    certificate_id: Mapped[BigId] = mapped_column(ForeignKey("certificates.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    audits: Mapped[int]
    errors: Mapped[int]
    wealth: Mapped[list[float]] = mapped_column(ARRAY(Double))
    detector: Mapped[list[float]] = mapped_column(ARRAY(Double))
    most: Mapped[float] = mapped_column(Double)
