"""How the workers' own routines go."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now


class StepRound(Base):
    """A step of housekeeping or of the batch lane, and when a worker last got it done: one that
    does not come round is a trouble that nobody would see otherwise."""

    __tablename__ = "step_rounds"

    step: Mapped[str] = mapped_column(primary_key=True)
    every_s: Mapped[float]
    """How often it should come round, in seconds."""
    done_at: Mapped[Instant] = mapped_column(server_default=now())


class StoppedStatements(Base):
    """One row: how many statements of workers ran into their time."""

    __tablename__ = "stopped_statements"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    statements: Mapped[BigId]
