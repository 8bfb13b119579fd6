"""Which old jobs a reprocessing takes: counted, sampled and copied with one and the same selection.

A message that was answered again in a later run is judged by its latest job: otherwise a nightly
`state = review` would buy the same answers every night, though a later run has accepted them. A
later job that was cancelled says nothing, nor does one of a run that only asks to know more. A
choice that names a run means the jobs of that run, whatever came later.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Interval,
    Select,
    Text,
    and_,
    any_,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on

from models.jobs import Job
from models.messages import Message
from models.runs import Run
from models.vocabulary import INQUIRIES, TERMINAL_STATES, JobState, RunState
from worker.domain.expected_cost import Costs
from worker.domain.filters import Node
from worker.store.actions.chosen_jobs import ChosenJob, shown_jobs
from worker.store.actions.recent_costs import realtime_price
from worker.store.filter_sql import condition, joined_for
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
    # Read once, whatever is said of it: a choice may be of all that there ever was.
    body = func.octet_length(Message.body).label("body_bytes")
    own = and_(Run.policy_name == policy, Job.cost > 0).label("own")
    wanted = _matched(choice, Job.state, realtime_price().label("price"), body, own)
    matched = wanted.cte("matched").prefix_with("MATERIALIZED")
    stand = select(matched).where(not_(matched.c.superseded), not_(matched.c.erased))
    taken = _of_each_message(choice, stand, matched.c).cte("taken")
    left_out = select(
        func.count().filter(matched.c.superseded, not_(matched.c.erased)).label("superseded"),
        func.count().filter(matched.c.erased).label("erased"),
    ).subquery("left_out")
    sums = select(
        func.count().label("jobs"),
        func.count().filter(taken.c.state.not_in(TERMINAL)).label("unfinished"),
        func.coalesce(func.sum(taken.c.body_bytes), 0).label("body_bytes"),
        func.count().filter(taken.c.own).label("known"),
        func.coalesce(func.avg(taken.c.price).filter(taken.c.own), 0).label("mean"),
        func.coalesce(func.stddev_samp(taken.c.price).filter(taken.c.own), 0).label("spread"),
    ).subquery("sums")
    newest = select(taken.c.id).order_by(taken.c.id.desc()).limit(SAMPLE)
    of_runs = select(taken.c.run_id).distinct().order_by(taken.c.run_id)
    row = connection.execute(
        select(
            *left_out.c,
            *sums.c,
            func.array(newest.scalar_subquery()).label("newest"),
            func.array(of_runs.scalar_subquery()).label("runs"),
        ).select_from(left_out.join(sums, true()))
    ).one()
    of = connection.execute(OF_RUNS, {"runs": row.runs}).one()
    return Chosen(
        jobs=row.jobs,
        unfinished=row.unfinished,
        superseded=row.superseded,
        erased=row.erased,
        everything=bool(row.jobs) and _leaves_nothing_out(connection, choice),
        body_bytes=int(row.body_bytes),
        simulated=of.simulated,
        costs=Costs(row.known, row.mean, row.spread),
        runs=tuple(row.runs),
        policies=tuple(of.policies),
        sample=tuple(shown_jobs(connection, row.newest)),
    )


def copy_jobs(connection: Connection, choice: Choice, run: RunRef) -> int:
    """Gives every chosen message a new job in `run`; the old ones stay as they are. An unfinished
    job is never taken."""
    matched = _matched(choice, Job.state)
    unanswered = matched.where(not_(_superseded(choice)), Message.erased_at.is_(None))
    taken = _of_each_message(choice, unanswered, Job.__table__.c).subquery()
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


def _matched(choice: Choice, *more: Any) -> Select[Any]:
    """All that meet a choice, with what is to be known of them, and `more`."""
    meets = condition(choice.node) if choice.node else true()
    return (
        select(
            Job.id,
            Job.message_id,
            Job.run_id,
            _superseded(choice).label("superseded"),
            Message.erased_at.is_not(None).label("erased"),
            *more,
        )
        .select_from(joined_for(Message.__table__.c.erased_at, meets))
        .where(_scope(choice), meets)
    )


def _of_each_message(choice: Choice, found: Select[Any], columns: Any) -> Select[Any]:
    """The last job of each message, by these columns of what is found; a run has no more than one,
    and a million of them need not be put in order."""
    if choice.run_id is not None:
        return found
    last = found.ext(distinct_on(columns.message_id))
    return last.order_by(columns.message_id, columns.id.desc())


def _scope(choice: Choice) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [true()]
    if choice.run_id is not None:
        parts.append(Job.run_id == choice.run_id)
    else:
        parts.append(Run.kind.not_in(ASKING))
    if choice.since is not None:
        span = isinstance(choice.since, dt.timedelta)
        since = func.now() - literal(choice.since, Interval) if span else literal(choice.since)
        parts += [Job.created_at >= since, _of_runs_since(since)]
    return and_(*parts)


def _of_runs_since(since: ColumnElement[Any]) -> ColumnElement[bool]:
    """Nothing came into a run after it had ended, but into one that was cancelled. Said so, what is
    young is looked for in the runs that are, and not among all jobs that there ever were."""
    run = Run.__table__.alias("young")
    ended = or_(run.c.finished_at.is_(None), run.c.finished_at >= since)
    young = select(run.c.id).where(or_(ended, run.c.state == str(RunState.CANCELLED)))
    return Job.run_id == any_(func.array(young.scalar_subquery()))


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
    differs = not_(condition(choice.node))
    others = (
        select(1)
        .select_from(joined_for(Message.__table__.c.erased_at, differs))
        .where(_scope(choice), not_(_superseded(choice)), Message.erased_at.is_(None), differs)
    )
    return not connection.execute(select(exists(others))).scalar_one()


OF_RUNS = text("""
SELECT ARRAY(SELECT DISTINCT policy_name FROM runs WHERE id = ANY(:runs)) AS policies,
  EXISTS (SELECT FROM run_spend WHERE run_id = ANY(:runs) AND simulated AND calls > 0) AS simulated
""")
