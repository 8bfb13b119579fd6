"""What people do to jobs: try dead ones again, end open ones, put some before others. One selection
counts them and changes them, and each change writes its audit event in its transaction.

A run is changed in groups of `GROUP` jobs, each its own transaction, so that nothing is locked for
long; a change that is interrupted can be repeated. What a filter chooses is changed at once: a
change of more than was counted is undone and refused.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    any_,
    case,
    exists,
    func,
    literal_column,
    not_,
    null,
    select,
    text,
    true,
    update,
)

from models.jobs import Job
from models.messages import Message
from models.runs import Run
from models.vocabulary import JobState
from worker.errors import RungError, UsageError
from worker.store.actions.selection import Selection
from worker.store.audit import Actor, Done, audit
from worker.store.queue.dispatch import unmark_ended
from worker.store.queue.paces import forget_paces

GROUP = 5_000
MAX_PRIORITY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`able` says which jobs it may touch, `came` which of their times a selection's moment is
    about, `sets` what they become, by whom. A run that was over is under way again if it `reopens`,
    and one that is meant as a whole is over if it `ends`. `detail` is for the audit."""

    action: str
    able: ColumnElement[bool]
    came: ColumnElement[dt.datetime | None]
    sets: Callable[[Actor], Mapping[str, Any]]
    reopens: bool = False
    ends: bool = False
    detail: Mapping[str, Any] | None = None


_message = Message.__table__.alias("erased")
# The state is written out, so that the small index of dead letters serves. Whoever had a message
# erased wants no answer to it any more: nothing claims such a job.
DEAD = and_(
    Job.state == literal_column("'dead'"),
    Run.state != literal_column("'cancelled'"),
    not_(exists().where(_message.c.id == Job.message_id, _message.c.erased_at.is_not(None))),
)
OPEN = Job.finished_at.is_(None)
_under_way = Run.__table__.alias("under_way")
# A run that has finished has none that are open. Said so, they are looked for in the others alone,
# and not among all the jobs that there ever were.
_OF_OTHERS = Job.run_id == any_(
    func.array(select(_under_way.c.id).where(_under_way.c.state != "finished").scalar_subquery())
)
RETRY = Change(
    action="retry",
    able=DEAD,
    came=Job.__table__.c.finished_at,
    sets=lambda _: {
        "state": case((Job.tier.is_(None), JobState.QUEUED), else_=JobState.ROUTED),
        "finished_at": null(),
        "failures": 0,
        "available_at": func.now(),
        "reason": null(),
    },
    reopens=True,
)
"""At the tier where they stood, with a clean count of failures; attempts and calls stay."""
CANCEL = Change(
    action="cancel",
    able=OPEN,
    came=Job.__table__.c.created_at,
    sets=lambda actor: {
        "state": str(JobState.CANCELLED),
        "finished_at": func.now(),
        "lease_until": null(),
        "reason": f"cancelled by {actor.name}",
    },
    ends=True,
)
"""What is in flight is paid for, recorded and not used."""


def priority_of(to: int) -> Change:
    """Serves jobs before the others of their run, from the next dispatch on."""
    return Change(
        action="priority",
        able=OPEN,
        came=Job.__table__.c.created_at,
        sets=lambda _: {"priority": to},
        detail={"to": to},
    )


def apply(
    engine: Engine,
    actor: Actor,
    change: Change,
    chosen: Selection,
    *,
    counted: int | None = None,
) -> Done:
    """Changes all jobs that are meant. Raises RungError, and changes nothing, when a filter
    chooses more than were `counted` beforehand."""
    if change.ends and chosen.is_run:
        with engine.begin() as connection:
            connection.execute(END_RUN, {"run": chosen.run_id})
    group = GROUP if chosen.is_run else None
    total = 0
    while True:
        with engine.begin() as connection:
            detail = _detail(connection, change, chosen, counted)
            runs = _change_jobs(connection, actor, change, chosen, group)
            total += len(runs)
            if group is None and counted is not None and total > counted:
                raise RungError(
                    f"It was {counted:,} jobs when they were counted, and would be {total:,} now."
                    " Nothing was changed: look again."
                )
            if change.reopens and runs:
                connection.execute(REOPEN_RUNS, {"runs": sorted(set(runs))})
            if group is None or len(runs) < group:
                return audit(connection, actor, change.action, chosen.words, total, **detail)


def set_priority(
    engine: Engine, actor: Actor, chosen: Selection, to: int, *, counted: int | None = None
) -> Done:
    """Serves a run before those with a lower priority, or chosen jobs before the others of their
    run. Raises UsageError for a priority out of bounds, RungError for a run that is over."""
    if not -MAX_PRIORITY <= to <= MAX_PRIORITY:
        raise UsageError(f"A priority is between -{MAX_PRIORITY} and {MAX_PRIORITY}.")
    if not chosen.is_run:
        return apply(engine, actor, priority_of(to), chosen, counted=counted)
    with engine.begin() as connection:
        run = connection.execute(RUN, {"run": chosen.run_id}).one()
        if run.finished_at is not None:
            raise over(run)
        connection.execute(SET_PRIORITY, {"run": run.id, "priority": to})
        forget_paces(connection)  # Of the others too: they are served later, or sooner.
        steps = {"from": run.priority, "to": to}
        return audit(connection, actor, "priority", chosen.words, 1, **steps)


def over(run: Any) -> RungError:
    """What to say of a run that nothing can be done to any more."""
    return RungError(f"Run {run.name} is {run.state}: there is nothing left to change.")


def runs_of(connection: Connection, chosen: Selection) -> list[int]:
    """Runs under way that have open jobs which are meant; of a run that is named, itself."""
    if chosen.is_run and chosen.run_id is not None:
        return [chosen.run_id]
    # Run by run, and of each no more than the first that is found.
    runs = _under_way.alias("asked")
    one = meant(CANCEL, chosen, Job.id).where(Job.run_id == runs.c.id).limit(1).lateral()
    wanted = select(runs.c.id).select_from(runs.join(one, true()))
    return sorted(connection.execute(wanted.where(runs.c.finished_at.is_(None))).scalars())


def meant(change: Change, chosen: Selection, *columns: Any) -> Select[Any]:
    """Of the chosen jobs those that the change may touch."""
    found = chosen.select(*columns).where(change.able, *chosen.conditions(change.came))
    return found.where(_OF_OTHERS) if change.able is OPEN and chosen.run_id is None else found


def _change_jobs(
    connection: Connection, actor: Actor, change: Change, chosen: Selection, group: int | None
) -> list[int]:
    """Changes at most a group. Returns the run of each job."""
    ids = meant(change, chosen, Job.id).order_by(Job.id).limit(group)
    changed = connection.execute(
        update(Job)
        .where(Job.id.in_(ids.with_for_update(of=Job)))
        .values(change.sets(actor))
        .returning(Job.run_id)
    )
    runs = list(changed.scalars())
    if change.ends:
        unmark_ended(connection)
    return runs


def _detail(
    connection: Connection, change: Change, chosen: Selection, counted: int | None
) -> dict[str, Any]:
    """For the audit; of a new priority also the old one, where all had the same."""
    found = {"cause": chosen.cause, "counted": counted}
    detail = {name: value for name, value in found.items() if value is not None}
    if change.action != "priority":
        return detail
    before = meant(change, chosen, func.array_agg(Job.priority.distinct()))
    known = connection.execute(before).scalar() or []
    return detail | {"from": known[0] if len(known) == 1 else None, **(change.detail or {})}


END_RUN = text("""
UPDATE runs SET state = 'cancelled', finished_at = now(), accepting = false
WHERE id = :run AND finished_at IS NULL
""")
REOPEN_RUNS = text("""
UPDATE runs SET state = 'active', state_reason = NULL, finished_at = NULL
WHERE id = ANY(:runs) AND state = 'finished'
""")
RUN = text("SELECT id, name, state, priority, finished_at FROM runs WHERE id = :run")
SET_PRIORITY = text("UPDATE runs SET priority = :priority WHERE id = :run")
