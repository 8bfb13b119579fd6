"""Look-ups that bring nothing just now."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, now


class LookupFailure(Base):
    """A look-up that failed and has not worked since: what it fails for, and what follows."""

    __tablename__ = "lookup_failures"

    name: Mapped[str] = mapped_column(primary_key=True)
    why: Mapped[str]
    """Without a word of a message or of what was found."""
    on_failure: Mapped[str]
    since: Mapped[Instant] = mapped_column(server_default=now())
    last_at: Mapped[Instant] = mapped_column(server_default=now())
