"""What is known of a queue or tier beyond its configuration: paused, broken, on probation."""

from sqlalchemy import ARRAY, BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, now, one_of
from models.vocabulary import Breaker


class TierStatus(Base):
    """One row a tier, one for `routing`, one for `everything`; a missing row means all is well."""

    __tablename__ = "tiers"
    __table_args__ = (one_of("breaker", Breaker),)

    name: Mapped[str] = mapped_column(primary_key=True)
    paused: Mapped[bool] = mapped_column(server_default=text("false"))
    paused_reason: Mapped[str | None]
    paused_by: Mapped[str | None]
    paused_at: Mapped[Instant | None]
    breaker: Mapped[str] = mapped_column(server_default=Breaker.CLOSED)
    breaker_until: Mapped[Instant | None]
    breaker_reason: Mapped[str | None]
    trouble: Mapped[int] = mapped_column(server_default=text("0"))
    """Troubled calls in a row; any good one sets it to zero."""
    window_at: Mapped[Instant | None]
    """When the window began whose calls `good` and `troubled` count."""
    good: Mapped[int] = mapped_column(server_default=text("0"))
    troubled: Mapped[int] = mapped_column(server_default=text("0"))
    trips: Mapped[int] = mapped_column(server_default=text("0"))
    """How often in a row the breaker opened without closing between."""
    updated_at: Mapped[Instant] = mapped_column(server_default=now())
    held_until: Mapped[Instant | None]
    """Claude asked for a pause until then (`retry-after`)."""
    held_at: Mapped[Instant | None]
    held_reason: Mapped[str | None]
    lift_asked: Mapped[bool] = mapped_column(server_default=text("false"))
    """Somebody wants the hold lifted; the next worker that keeps house does it."""


class Canary(Base):
    """A (queue, prompt, schema, model) that has proved itself, or is doing so one call at a time.

    `tier` is the queue: a tier, or `routing` for the classification.
    """

    __tablename__ = "canaries"

    tier: Mapped[str] = mapped_column(primary_key=True)
    prompt_version: Mapped[str] = mapped_column(primary_key=True)
    schema_version: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    good: Mapped[int] = mapped_column(server_default=text("0"))
    bad: Mapped[int] = mapped_column(server_default=text("0"))
    proven_at: Mapped[Instant | None]
    failed_jobs: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), server_default=text("'{}'::bigint[]")
    )
    """Whose answers spoke against it, while it is not proven."""
    overruled_by: Mapped[str | None]
    """Who said that it goes on although its canary had given it up."""
    tried_at: Mapped[Instant | None]
    """When the newest of its calls, or the newest slice of a batch, was let through."""
