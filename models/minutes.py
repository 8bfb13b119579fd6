"""Minutes: what the counters said when each began, for the hour that the first page shows."""

from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant, Money, now


class Minute(Base):
    """The counters once a minute, as housekeeping came round. What happened within a minute is the
    difference to the next; rows of more than a day are deleted."""

    __tablename__ = "minutes"

    at: Mapped[Instant] = mapped_column(primary_key=True)
    """The full minute."""
    taken_at: Mapped[Instant] = mapped_column(server_default=now())
    """When the counters were read: a few seconds later."""
    ended: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Jobs that have ended; a retry takes some back."""
    waiting: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Jobs that wait or are in flight; not those in batches."""
    at_claude: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Jobs in batches."""
    failed_calls: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Calls that failed or were lost, ever."""
    spent: Mapped[Money] = mapped_column(server_default=text("0"))
    """Dollars of all calls, ever."""
