"""A run: one backlog submitted together, or one reprocessing."""

from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Numeric, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, Money, now, one_of
from models.vocabulary import RunKind, RunLane, RunState


class Run(Base):
    """Jobs that share a frozen policy, a lane, a priority, a budget and a deadline."""

    __tablename__ = "runs"
    __table_args__ = (
        one_of("state", RunState),
        one_of("kind", RunKind),
        one_of("lane", RunLane),
        CheckConstraint("rejected >= 0 AND duplicates >= 0", name="counts"),
        CheckConstraint("audit_share >= 0 AND audit_share <= 1", name="audit_share"),
        CheckConstraint("shadow_share >= 0 AND shadow_share <= 1", name="shadow_share"),
        Index("ix_runs_live", "priority", "id", postgresql_where=text("finished_at IS NULL")),
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    key: Mapped[str | None] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(server_default=RunKind.BACKLOG)
    parent_id: Mapped[BigId | None] = mapped_column(ForeignKey("runs.id"))
    state: Mapped[str] = mapped_column(server_default=RunState.ACTIVE)
    state_reason: Mapped[str | None]
    accepting: Mapped[bool] = mapped_column(server_default=text("true"))
    """Intake is still adding rows; such a run does not finish."""
    waiting_for: Mapped[str | None]
    """Why ready jobs are not claimed just now, in words: `run budget`, `day budget`."""
    policy: Mapped[dict[str, Any]]
    policy_name: Mapped[str]
    policy_version: Mapped[str]
    lane: Mapped[str] = mapped_column(server_default=RunLane.REALTIME)
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    deadline: Mapped[Instant | None]
    budget_cap: Mapped[Money | None]
    rejected: Mapped[int] = mapped_column(server_default=text("0"))
    duplicates: Mapped[int] = mapped_column(server_default=text("0"))
    selection: Mapped[dict[str, Any] | None]
    """What a reprocessing chose: the filter and its arguments."""
    created_at: Mapped[Instant] = mapped_column(server_default=now())
    finished_at: Mapped[Instant | None]
    audit_share: Mapped[Decimal] = mapped_column(Numeric(9, 8), server_default=text("0"))
    """Share of the accepted answers that chance chooses to be looked at."""
    own_columns: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """Columns of the file that are not ours, in its order."""
    waiting_usd: Mapped[Money | None]
    """The least that one of the refused jobs may cost, where a budget is waited for."""
    notify: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """Mail addresses that are told of its end, beside those that are told of everything."""
    shadow_share: Mapped[Decimal] = mapped_column(Numeric(9, 8), server_default=text("0"))
    """Share of the messages that chance chooses to have every tier asked."""
    prompts: Mapped[dict[str, Any] | None]
    """Versions of the prompts that it began with, by purpose."""
    shadows_asked_at: Mapped[Instant | None]
    """When everything was asked about its shadows by itself, after its end."""
    tier_waits: Mapped[dict[str, Any] | None]
    """What budgets refused since the run's was last set, by tier: budget, least and most dollars of
    a call."""
    paused_by: Mapped[str | None]
    """Who has paused it, while it is paused: `rung` where Rung did so itself."""
    paused_at: Mapped[Instant | None]
    columns_known: Mapped[bool | None]
    """Whether `own_columns` are all that its rows have. None where nobody has said so yet, False
    where a later intake cannot know it, for an earlier one did not say."""
