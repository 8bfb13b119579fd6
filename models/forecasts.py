"""What a run was expected to come to, kept to be compared with what it came to."""

from sqlalchemy import Double, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now, one_of
from models.vocabulary import Measure


class ForecastRow(Base):
    """One measure of one run as it was forecast when the run was made: dollars, seconds from the
    first message to the last answer, or the share that people must look at."""

    __tablename__ = "forecasts"
    __table_args__ = (one_of("measure", Measure),)

    run_id: Mapped[BigId] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    p10: Mapped[float] = mapped_column(Double)
    p50: Mapped[float] = mapped_column(Double)
    p90: Mapped[float] = mapped_column(Double)
    recorded: Mapped[int] = mapped_column(server_default=text("0"))
    """Recorded messages that stood behind it."""
    made_at: Mapped[Instant] = mapped_column(server_default=now())
