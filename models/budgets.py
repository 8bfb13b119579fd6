"""Budgets: settled + reserved never exceed the cap."""

import datetime as dt

from sqlalchemy import CheckConstraint, Date, ForeignKey, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, Money, now


class Budget(Base):
    """Dollars for one run (`run:ID`) or one UTC day (`day:YYYY-MM-DD`).

    A null cap counts without limiting. `overrun` is what Claude billed beyond a call's worst case:
    the bound makes it zero, and if it ever is not, the paid answer is kept and the sum is shown
    instead of the record being refused.
    """

    __tablename__ = "budgets"
    __table_args__ = (
        CheckConstraint("reserved >= 0 AND spent >= 0 AND overrun >= 0", name="not_negative"),
        CheckConstraint("cap IS NULL OR spent + reserved <= cap + overrun", name="cap"),
    )

    scope: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[BigId | None] = mapped_column(ForeignKey("runs.id"), unique=True)
    day: Mapped[dt.date | None] = mapped_column(Date, unique=True)
    cap: Mapped[Money | None]
    reserved: Mapped[Money] = mapped_column(server_default=text("0"))
    spent: Mapped[Money] = mapped_column(server_default=text("0"))
    overrun: Mapped[Money] = mapped_column(server_default=text("0"))
    warned_percent: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    updated_at: Mapped[Instant] = mapped_column(server_default=now())
