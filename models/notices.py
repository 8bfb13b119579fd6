"""Notices: what people should be told, once each."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now


class Notice(Base):
    """Something that happened and that somebody should hear of, with no message text in it.

    Written in the transaction of its cause; `key` names the event, so that the same one is noted
    once however many workers see it. Housekeeping sends it to the webhook, if there is one.
    """

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries"),
        Index("ix_notices_open", "next_try_at", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    """`paused`, `budget`, `finished`, …: docs/operations.md lists them."""
    target: Mapped[str]
    """`run NAME`, a queue, `everything`, or a schedule."""
    words: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    at: Mapped[Instant] = mapped_column(server_default=now())
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_try_at: Mapped[Instant] = mapped_column(server_default=now())
    ended_at: Mapped[Instant | None]
    """When it was sent, or given up."""
    error: Mapped[str | None]
    """Why it could not be sent, the last time."""


class NoticeMail(Base):
    """The mail of one notice: the webhook's and the mail's fate have nothing to do with each
    other. Made when a worker that can send mails first sees the notice."""

    __tablename__ = "notice_mails"
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries"),
        Index("ix_notice_mails_open", "next_try_at", postgresql_where=text("ended_at IS NULL")),
    )

    notice_id: Mapped[BigId] = mapped_column(
        ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True
    )
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_try_at: Mapped[Instant] = mapped_column(server_default=now())
    ended_at: Mapped[Instant | None]
    """When it was sent, or given up."""
    error: Mapped[str | None]
