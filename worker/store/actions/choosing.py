"""Which old jobs a reprocessing takes: counted, sampled and copied with one and the same selection.

A message that was answered again in a later run is judged by its latest job: otherwise a nightly
`state = review` would buy the same answers every night, though a later run has accepted them. A
later job that was cancelled says nothing, nor does one of a run that only asks to know more. A
choice that names a run means the jobs of that run, whatever came later.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Interval,
    Select,
    Text,
    and_,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on

from models.jobs import Job
from models.messages import Message
from models.results import Result
from models.runs import Run
from models.vocabulary import INQUIRIES, TERMINAL_STATES, JobState
from worker.domain.expected_cost import Costs
from worker.domain.filters import Node
from worker.store.actions.recent_costs import realtime_price
from worker.store.filter_sql import JOINED, condition
from worker.store.runs import RunRef

SAMPLE = 10
ASKING = tuple(str(kind) for kind in INQUIRIES)
"""Runs that only ask to know more: their answers are answers to nobody's message."""
TERMINAL = tuple(str(state) for state in TERMINAL_STATES)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked for. `since` is a time, or how long ago; both are about when a job came in."""

    node: Node | None = None
    run_id: int | None = None
    since: dt.datetime | dt.timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenJob:
    """One of the jobs that are chosen."""

    job: int
    run: str
    source: str
    external_id: str
    state: str
    tier: str | None
    confidence: Decimal | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a choice comes to: one job for each message.

    `unfinished` jobs are among `jobs` and still open. `superseded` matched too and were answered
    again in a later run, and `erased` have no text any more: neither is among `jobs`. `everything`
    says that the filter leaves nothing out. `costs` are those of the jobs that ran under `policy`,
    at realtime prices; `policies` are all under whose names they ran.
    """

    jobs: int
    unfinished: int
    superseded: int
    erased: int
    everything: bool
    body_bytes: int
    simulated: bool
    costs: Costs
    runs: tuple[int, ...]
    policies: tuple[str, ...]
    sample: tuple[ChosenJob, ...]


def look_at(connection: Connection, choice: Choice, policy: str) -> Chosen:
    """Counts, costs and a sample of what `copy_jobs` would take now."""
    matched = _matched(choice).subquery()
    taken = _taken(choice).subquery()
    left_out = connection.execute(
        select(
            func.count().filter(matched.c.superseded, not_(matched.c.erased)).label("superseded"),
            func.count().filter(matched.c.erased).label("erased"),
        )
    ).one()
    under_policy = and_(taken.c.policy_name == policy, taken.c.price > 0)
    row = connection.execute(
        select(
            func.count().label("jobs"),
            func.count().filter(taken.c.state.not_in(TERMINAL)).label("unfinished"),
            func.coalesce(func.sum(taken.c.body_bytes), 0).label("body_bytes"),
            func.coalesce(func.bool_or(taken.c.simulated), false()).label("simulated"),
            func.count().filter(under_policy).label("known"),
            func.coalesce(func.avg(taken.c.price).filter(under_policy), 0).label("mean"),
            func.coalesce(func.stddev_samp(taken.c.price).filter(under_policy), 0).label("spread"),
            func.coalesce(func.array_agg(taken.c.run_id.distinct()), []).label("runs"),
            func.coalesce(func.array_agg(taken.c.policy_name.distinct()), []).label("policies"),
        )
    ).one()
    return Chosen(
        jobs=row.jobs,
        unfinished=row.unfinished,
        superseded=left_out.superseded,
        erased=left_out.erased,
        everything=bool(row.jobs) and _leaves_nothing_out(connection, choice),
        body_bytes=int(row.body_bytes),
        simulated=row.simulated,
        costs=Costs(row.known, row.mean, row.spread),
        runs=tuple(row.runs or ()),
        policies=tuple(row.policies or ()),
        sample=tuple(_sample(connection, choice)),
    )


def copy_jobs(connection: Connection, choice: Choice, run: RunRef) -> int:
    """Gives every chosen message a new job in `run`; the old ones stay as they are. An unfinished
    job is never taken."""
    taken = _taken(choice).subquery()
    rows = select(
        literal(run.id),
        taken.c.message_id,
        taken.c.id,
        literal(run.first_lane, Text),
        literal(run.priority),
    ).where(taken.c.state.in_(TERMINAL))
    columns = ["run_id", "message_id", "origin_id", "lane", "priority"]
    statement = insert(Job).from_select(columns, rows)
    copied = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return copied.rowcount


def _matched(choice: Choice) -> Select[Any]:
    return (
        select(
            Job.id,
            Job.message_id,
            Job.run_id,
            Job.state,
            Run.policy_name,
            realtime_price().label("price"),
            func.octet_length(Message.body).label("body_bytes"),
            Result.simulated,
            _superseded(choice).label("superseded"),
            Message.erased_at.is_not(None).label("erased"),
        )
        .select_from(JOINED)
        .where(_scope(choice), condition(choice.node) if choice.node else true())
    )


def _taken(choice: Choice) -> Select[Any]:
    return (
        _matched(choice)
        .where(not_(_superseded(choice)), Message.erased_at.is_(None))
        .ext(distinct_on(Job.message_id))
        .order_by(Job.message_id, Job.id.desc())
    )


def _scope(choice: Choice) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [true()]
    if choice.run_id is not None:
        parts.append(Job.run_id == choice.run_id)
    else:
        parts.append(Run.kind.not_in(ASKING))
    if isinstance(choice.since, dt.timedelta):
        parts.append(Job.created_at >= func.now() - literal(choice.since, Interval))
    elif choice.since is not None:
        parts.append(Job.created_at >= choice.since)
    return and_(*parts)


def _superseded(choice: Choice) -> ColumnElement[bool]:
    if choice.run_id is not None:
        return false()
    later, whose = Job.__table__.alias("later"), Run.__table__.alias("whose")
    return exists(
        select(1).where(
            later.c.message_id == Job.message_id,
            later.c.id > Job.id,
            later.c.state != str(JobState.CANCELLED),
            whose.c.id == later.c.run_id,
            whose.c.kind.not_in(ASKING),
        )
    ).correlate(Job)


def _leaves_nothing_out(connection: Connection, choice: Choice) -> bool:
    if choice.node is None:
        return False
    others = (
        select(1)
        .select_from(JOINED)
        .where(
            _scope(choice),
            not_(_superseded(choice)),
            Message.erased_at.is_(None),
            not_(condition(choice.node)),
        )
    )
    return not connection.execute(select(exists(others))).scalar_one()


def _sample(connection: Connection, choice: Choice) -> list[ChosenJob]:
    taken = _taken(choice).subquery()
    rows = connection.execute(
        select(
            Job.id.label("job"),
            Run.name.label("run"),
            Message.source,
            Message.external_id,
            Job.state,
            func.coalesce(Result.tier, Job.tier).label("tier"),
            Result.confidence,
            Job.reason,
        )
        .select_from(JOINED.join(taken, taken.c.id == Job.id))
        .order_by(Job.id.desc())
        .limit(SAMPLE)
    )
    return [ChosenJob(**row) for row in rows.mappings()]
