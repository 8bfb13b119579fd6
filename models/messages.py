"""A message: what a customer wrote. Immutable, known by `(source, external_id)`."""

from typing import Any

from sqlalchemy import Identity, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now

HAS_ITS_ID = "external_id !~ '^sha256:[0-9a-f]{32}$'"
"""Whether a message has the id that it came with, and no fingerprint: a condition in SQL. An index
serves it only where it is said in the same words."""


class Message(Base):
    """The only home of a customer's text. Erasure empties it and leaves the row."""

    __tablename__ = "messages"
    __table_args__ = (
        # In this order it finds an id whose source is not known, too.
        UniqueConstraint("external_id", "source"),
        Index(
            "ix_messages_customer_id",
            "customer_id",
            postgresql_where=text("customer_id IS NOT NULL"),
        ),
        # What a purge goes by: messages with their text, and those erased that have their id.
        Index(
            "ix_messages_with_text",
            "created_at",
            "id",
            postgresql_where=text("erased_at IS NULL"),
        ),
        Index(
            "ix_messages_with_id",
            "id",
            postgresql_where=text(f"erased_at IS NOT NULL AND {HAS_ITS_ID}"),
        ),
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    body: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """First 16 bytes of SHA-256 over subject and body: names changed text under a known id."""
    subject: Mapped[str | None]
    channel: Mapped[str | None]
    customer_id: Mapped[str | None]
    language: Mapped[str | None]
    received_at: Mapped[Instant | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(
        "metadata", server_default=text("'{}'::jsonb")
    )
    created_at: Mapped[Instant] = mapped_column(server_default=now())
    erased_at: Mapped[Instant | None]
