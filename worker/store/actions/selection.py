"""Which jobs a person means: those of a run, those that a filter chooses, or what both leave."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, text

from models.jobs import Job
from worker.domain.filters import Node, show
from worker.store.filter_sql import condition, joined_for
from worker.store.runs import RunRef, StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Jobs of a run, jobs that meet a filter, or both. `until` leaves out what was submitted (for
    a retry: what died) later: such a set only shrinks, so what was counted is what is changed.
    `cause` means the dead letters of one cause."""

    run_id: int | None = None
    run_name: str | None = None
    node: Node | None = None
    until: dt.datetime | None = None
    cause: str | None = None

    @property
    def is_run(self) -> bool:
        """Whether a run is meant as such, and not some of its jobs."""
        return self.node is None

    @property
    def words(self) -> str:
        """For the audit."""
        parts = [] if self.run_name is None else [f"run {self.run_name}"]
        parts += [] if self.node is None else [show(self.node)]
        return ", ".join(parts)

    @property
    def name(self) -> str:
        """For people: a run's bare name where nothing else is said."""
        return self.run_name if self.is_run and self.run_name is not None else self.words

    def conditions(self, came: ColumnElement[dt.datetime | None]) -> list[ColumnElement[bool]]:
        """What holds of every job that is meant. `came` is the time that `until` is about."""
        found = [] if self.node is None else [condition(self.node)]
        found += [] if self.run_id is None else [Job.run_id == self.run_id]
        found += [] if self.until is None else [came <= self.until]
        return found + ([] if self.cause is None else [Job.reason == self.cause])

    def select(self, *columns: Any) -> Select[Any]:
        """These columns, one row for each job, with as little beside it as they and the conditions
        need."""
        tested = () if self.node is None else (condition(self.node),)
        return select(*columns).select_from(joined_for(*columns, *tested))


def whole(run: RunRef | StoredRun) -> Selection:
    """All of a run."""
    return Selection(run_id=run.id, run_name=run.name)


def database_now(connection: Connection) -> dt.datetime:
    """Time is decided by the database's clock."""
    now: dt.datetime = connection.execute(NOW).scalar_one()
    return now


NOW = text("SELECT now()")
