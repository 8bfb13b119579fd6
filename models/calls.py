"""A call: one HTTP request to Claude. The ledger's row."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, Money, now, one_of
from models.vocabulary import CallState, Lane, Purpose


class Call(Base):
    """Written as `sent` before the request leaves, closed with what came back.

    `cost` is null only when the model has no price (`unpriced`). The cost of a `lost` call is its
    worst case until the truth arrives. Token kinds are disjoint: total input is
    `input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens`.
    """

    __tablename__ = "calls"
    __table_args__ = (
        ForeignKeyConstraint(["job_id", "fence"], ["attempts.job_id", "attempts.fence"]),
        one_of("purpose", Purpose),
        one_of("lane", Lane),
        one_of("state", CallState),
        CheckConstraint("cost IS NULL OR cost >= 0", name="cost"),
        Index("ix_calls_sent_at", "sent_at", postgresql_using="brin"),
        # As closely as jobs: see migration 0005.
        {
            "postgresql_with": {
                "autovacuum_vacuum_scale_factor": 0.02,
                "autovacuum_analyze_scale_factor": 0.05,
            }
        },
    )

    job_id: Mapped[BigId] = mapped_column(primary_key=True)
    fence: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default=CallState.SENT)
    tier: Mapped[str]
    model: Mapped[str]
    lane: Mapped[str]
    input_tokens: Mapped[int] = mapped_column(server_default=text("0"))
    cache_read_tokens: Mapped[int] = mapped_column(server_default=text("0"))
    cache_write_5m_tokens: Mapped[int] = mapped_column(server_default=text("0"))
    cache_write_1h_tokens: Mapped[int] = mapped_column(server_default=text("0"))
    output_tokens: Mapped[int] = mapped_column(server_default=text("0"))
    worst_cost: Mapped[Money] = mapped_column(server_default=text("0"))
    cost: Mapped[Money | None]
    price: Mapped[dict[str, Any] | None]
    """Dollars per million tokens of each kind, as applied: of calls from before `price_version`."""
    unpriced: Mapped[bool] = mapped_column(server_default=text("false"))
    latency_ms: Mapped[int | None]
    stop_reason: Mapped[str | None]
    stop_category: Mapped[str | None]
    request_id: Mapped[str | None]
    http_status: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None]
    service_tier: Mapped[str | None]
    simulated: Mapped[bool] = mapped_column(server_default=text("false"))
    output: Mapped[str | None]
    """What the model said, as it came: the ground for every decision, and for replaying it."""
    shared: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    """Jobs that the same request served: each has a row, with its share of tokens and cost."""
    sent_at: Mapped[Instant] = mapped_column(server_default=now())
    finished_at: Mapped[Instant | None]
    price_version: Mapped[str | None]
    """Of the rates that were applied, in `prices`. No foreign key: those are never deleted."""


class AppliedPrice(Base):
    """Rates that calls were charged at, once for all of them: they were a fifth of a call's row."""

    __tablename__ = "prices"

    version: Mapped[str] = mapped_column(primary_key=True)
    rates: Mapped[dict[str, Any]]
    """Dollars per million tokens of each kind, as text."""
    created_at: Mapped[Instant] = mapped_column(server_default=now())
