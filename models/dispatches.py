"""Marks of dispatch: whose ids were handed to Celery, and not claimed since."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now


class Dispatch(Base):
    """A job whose id was published: it counts as outstanding in its queue until it is claimed, or
    until the mark is stale.

    A mark is a hint, as the delivery is that it stands for. So this table is not written to the
    log: after a crash of Postgres it is empty, and what was dispatched is dispatched again. No
    foreign key: asking for a job would lock it, and that is logged.
    """

    __tablename__ = "dispatches"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 - SQLAlchemy reads it as it is

    job_id: Mapped[BigId] = mapped_column(primary_key=True, autoincrement=False)
    queue: Mapped[str]
    dispatched_at: Mapped[Instant] = mapped_column(server_default=now())
