"""Dashboard sessions that somebody has signed out of: their cookies are worth nothing any more."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, now


class EndedSession(Base):
    """One row for each, until its cookie would be too old by itself."""

    __tablename__ = "ended_sessions"

    nonce: Mapped[str] = mapped_column(primary_key=True)
    ended_at: Mapped[Instant] = mapped_column(server_default=now())
    too_old_at: Mapped[Instant]
