"""Prompts by content, what Claude counts for them, and labels remembered for identical text."""

from sqlalchemy import CheckConstraint, LargeBinary
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
    base: Mapped[str | None]
    """The version that this is with a policy's pages behind it; null for a prompt by itself."""


class Classification(Base):
    """A label already paid for: identical text is not asked about twice."""

    __tablename__ = "classifications"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    prompt_version: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    difficulty: Mapped[str]
    created_at: Mapped[Instant] = mapped_column(server_default=now())


class CountedInput(Base):
    """Tokens of the part that requests of one kind share, at most: the least input that Claude has
    billed for one of them. Worst cases are bounded by it."""

    __tablename__ = "counted_inputs"
    __table_args__ = (
        one_of("purpose", Purpose),
        CheckConstraint("tokens > 0", name="tokens"),
    )

    purpose: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    prompt_version: Mapped[str] = mapped_column(primary_key=True)
    schema_version: Mapped[str] = mapped_column(primary_key=True)
    simulated: Mapped[bool] = mapped_column(primary_key=True)
    tokens: Mapped[int]
    counted_at: Mapped[Instant] = mapped_column(server_default=now())
