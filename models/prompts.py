"""Prompts by content, and labels remembered for identical text."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, now, one_of
from models.vocabulary import Purpose


class Prompt(Base):
    """The text behind a `prompt_version`, so that an old receipt can still be understood."""

    __tablename__ = "prompts"
    __table_args__ = (one_of("purpose", Purpose),)

    version: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    text: Mapped[str]
    created_at: Mapped[Instant] = mapped_column(server_default=now())


class Classification(Base):
    """A label already paid for: identical text is not asked about twice."""

    __tablename__ = "classifications"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    prompt_version: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    difficulty: Mapped[str]
    created_at: Mapped[Instant] = mapped_column(server_default=now())
