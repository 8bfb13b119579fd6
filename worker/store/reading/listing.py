"""Lists of jobs at a bounded cost, whatever is asked for and in whatever order.

A filter that few jobs meet could look through the whole table, and so could an order that no index
has. So a page looks at no more than `WINDOW` jobs, or sorts no more than the newest `SORTED`, says
how far it came, and goes on from there when asked.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Select,
    UnaryExpression,
    any_,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from models.jobs import Job
from models.messages import Message
from models.results import Result
from models.runs import Run
from models.vocabulary import OPEN_STATES, JobState
from worker.domain.filters import Node
from worker.store.filter_sql import JOINED, condition
from worker.store.rows import values_of

Chosen = Select[*tuple[Any, ...]]
WINDOW = 2_500
SORTED = 10_000


class Sort(StrEnum):
    """Orders of a list; what is asked for is at the top."""

    NEWEST = ""
    ENDED = "ended"
    COST = "cost"
    CONFIDENCE = "confidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """One job of a list: what it came to."""

    job: int
    run_id: int
    run: str
    source: str
    external_id: str
    channel: str | None
    language: str | None
    state: str
    tier: str | None
    difficulty: str | None
    confidence: float | None
    escalations: int
    attempts: int
    cost_usd: Decimal
    reason: str | None
    created_at: dt.datetime
    finished_at: dt.datetime | None
    simulated: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Jobs, and where the next page begins (None at the end). `looked_at` is set where the page
    ends because it has looked at enough, rather than because it is full. Of a filter or an order,
    `matched` says how many of those that were looked at meet it, `unfinished` how many of these
    are open and `dead` how many are dead letters, and `whole` that no others do."""

    jobs: Sequence[ListedJob]
    next: int | None
    looked_at: int | None = None
    matched: int | None = None
    unfinished: int = 0
    dead: int = 0
    whole: bool = True


def list_jobs(
    connection: Connection,
    *,
    run_id: int | None,
    node: Node | None,
    before: int | None,
    limit: int,
    sort: Sort = Sort.NEWEST,
    skip: int = 0,
) -> Page:
    """A page of the jobs that meet a filter, of one run or of all. `before` is the `next` of the
    page before; it is a message's id within a run, and a job's id otherwise. `skip` passes over so
    many of an order other than the newest first, and `next` is where those that were not sorted
    begin."""
    size = SORTED if sort else WINDOW if node is not None else limit + 1
    place = Job.id if run_id is None else Job.message_id
    window = _window(place, run_id, before, size).subquery("seen")
    seen, lowest = connection.execute(select(func.count(), func.min(window.c.place))).one()
    if not seen:
        return Page(jobs=[], next=None, matched=0 if node is not None or sort else None)
    # A range of the same index: its rows lie together, and none is looked up one by one.
    columns = COLUMNS if not sort else (Job.id.label("job"),)
    source = JOINED if node is not None or not sort else NARROW[sort]
    wanted = _within(select(*columns, place.label("place")).select_from(source), run_id, before)
    wanted = wanted.where(place >= lowest).order_by(*_order(sort), place.desc())
    if node is not None or sort:
        wanted = wanted.add_columns(*COUNTED)
    if node is not None:
        wanted = wanted.where(condition(node))
    # Left to itself, the planner hashes whole tables for a filter on reasons or findings.
    connection.execute(NO_WHOLE_TABLES)
    wanted = wanted.offset(skip).limit(limit + 1)
    rows = connection.execute(wanted).all()
    # Only what is shown is looked up: an order needs few columns of many jobs.
    jobs = _filled(connection, [row.job for row in rows[:limit]]) if sort else _jobs(rows[:limit])
    connection.execute(AS_BEFORE)
    more = rows[limit - 1].place if len(rows) > limit else None
    whole = seen < size
    if node is None and not sort:
        return Page(jobs=jobs, next=more)
    further, looked_at = (None, None) if whole else (lowest, seen)
    if more is not None and not sort:
        further, looked_at = more, None
    return Page(
        jobs=jobs,
        next=further,
        looked_at=looked_at,
        whole=whole,
        **{one.name: getattr(rows[0], one.name) if rows else 0 for one in COUNTED},
    )


def _filled(connection: Connection, ids: list[int]) -> list[ListedJob]:
    """The jobs of a page, in its order."""
    chosen = Job.id == any_(literal(ids, ARRAY(BigInteger)))
    rows = connection.execute(select(*COLUMNS).select_from(JOINED).where(chosen)).all()
    found = {job.job: job for job in _jobs(rows)}
    return [found[job_id] for job_id in ids]


def _jobs(rows: Iterable[Any]) -> list[ListedJob]:
    return [
        ListedJob(**{column.name: getattr(row, column.name) for column in COLUMNS}) for row in rows
    ]


def jobs_with_id(connection: Connection, external_id: str, limit: int) -> list[ListedJob]:
    """Jobs of the message that is known by this id, newest first."""
    wanted = (
        select(*COLUMNS)
        .select_from(JOINED)
        .where(Message.external_id == external_id)
        .order_by(Job.id.desc())
        .limit(limit)
    )
    return values_of(ListedJob, connection.execute(wanted))


def exists(connection: Connection, job_id: int) -> bool:
    """Whether there is a job with this id."""
    return connection.execute(select(Job.id).where(Job.id == job_id)).scalar() is not None


def counted_jobs(connection: Connection, run_id: int | None) -> int:
    """Jobs of a run, or of all, from the counters."""
    chosen = OF_RUN if run_id is not None else OF_ALL
    values = {"run": run_id} if run_id is not None else {}
    return int(connection.execute(chosen, values).scalar_one())


def _order(sort: Sort) -> tuple[UnaryExpression[Any], ...]:
    match sort:
        case Sort.ENDED:
            return (Job.finished_at.desc().nulls_last(),)
        case Sort.COST:
            return (Job.cost.desc(),)
        case Sort.CONFIDENCE:
            return (Result.confidence.asc().nulls_last(),)
    return ()


def _window(
    place: InstrumentedAttribute[int], run_id: int | None, before: int | None, size: int
) -> Chosen:
    """Places of the newest jobs, by an index alone: ids, or within a run those of its messages."""
    chosen = select(place.label("place")).order_by(place.desc()).limit(size)
    return _within(chosen, run_id, before)


def _within(chosen: Chosen, run_id: int | None, before: int | None) -> Chosen:
    """Of the run, and before the place where the last page ended."""
    place = Job.id if run_id is None else Job.message_id
    if run_id is not None:
        chosen = chosen.where(Job.run_id == run_id)
    return chosen.where(place < before) if before is not None else chosen


COLUMNS = (
    Job.id.label("job"),
    Job.run_id,
    Run.name.label("run"),
    Message.source,
    Message.external_id,
    Message.channel,
    Message.language,
    Job.state,
    func.coalesce(Result.tier, Job.tier).label("tier"),
    Job.difficulty,
    Result.confidence,
    Job.escalations,
    Job.attempts,
    Job.cost.label("cost_usd"),
    Job.reason,
    Job.created_at,
    Job.finished_at,
    Result.simulated,
)
NARROW: dict[Sort, FromClause] = {
    Sort.ENDED: Job.__table__,
    Sort.COST: Job.__table__,
    Sort.CONFIDENCE: Job.__table__.outerjoin(Result.__table__, Result.job_id == Job.id),
}
"""What an order is made of, where no filter wants more."""
COUNTED = (
    func.count().over().label("matched"),
    func.count().filter(Job.state.in_(OPEN_STATES)).over().label("unfinished"),
    func.count().filter(Job.state == JobState.DEAD).over().label("dead"),
)
"""Over all that meet the filter within the window, whatever page of it is read."""

NO_WHOLE_TABLES = text("SET LOCAL enable_seqscan = off")
AS_BEFORE = text("RESET enable_seqscan")
OF_RUN = text("SELECT coalesce(sum(jobs), 0) FROM run_counts WHERE run_id = :run")
OF_ALL = text("SELECT coalesce(sum(jobs), 0) FROM job_totals")
