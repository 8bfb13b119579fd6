"""Retry, cancel and re-prioritise by a filter: counted and changed by one selection, in one
statement. What was counted up to a moment never grows; a change of more than was counted is undone
and refused."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    case,
    func,
    null,
    select,
    text,
    true,
    update,
)

from models.jobs import Job
from models.runs import Run
from models.vocabulary import OPEN_STATES, JobState, Lane, RunState
from worker.domain.expected_cost import BATCH_FACTOR, Expected, expected_of
from worker.domain.filters import Node, show
from worker.errors import RungError
from worker.store.actions.acting import change_cap
from worker.store.actions.choosing import recent_costs
from worker.store.audit import Actor, audit
from worker.store.filter_sql import JOINED, condition

RETRY, CANCEL, PRIORITY = "retry", "cancel", "priority"


@dataclass(frozen=True, slots=True)
class Target:
    """Which jobs are meant: a filter, a run, or both; of those that were handed in (for a retry:
    that died) until a moment, if one is given."""

    node: Node | None = None
    run_id: int | None = None
    run_name: str | None = None
    until: dt.datetime | None = None

    @property
    def words(self) -> str:
        """For the audit."""
        parts = [] if self.run_name is None else [f"run {self.run_name}"]
        parts += [] if self.node is None else [show(self.node)]
        return ", ".join(parts)

    @property
    def name(self) -> str:
        """For people: a run's bare name where nothing else is said."""
        return self.run_name if self.node is None and self.run_name is not None else self.words


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How many jobs an action would change, and what these would probably cost (or save) from
    here on; None where nothing is recorded to expect from."""

    jobs: int
    expected: Expected | None


def foresee(connection: Connection, action: str, target: Target) -> Foreseen:
    """What `act` would do now."""
    weight = case((Job.lane == Lane.BATCH, BATCH_FACTOR), else_=Decimal(1))
    row = connection.execute(
        _selection(
            action,
            target,
            func.count().label("jobs"),
            func.coalesce(func.avg(weight), 1).label("weight"),
            func.array_agg(Run.policy_name.distinct()).label("policies"),
        )
    ).one()
    costs = recent_costs(connection, *(row.policies or ()))
    basis = f"from {costs.jobs} jobs under {', '.join(row.policies or ())}"
    return Foreseen(row.jobs, expected_of(row.jobs, costs, Decimal(row.weight), basis))


def act(
    engine: Engine,
    actor: Actor,
    action: str,
    target: Target,
    *,
    counted: int | None = None,
    priority: int = 0,
) -> int:
    """Retries dead jobs, cancels open ones, or gives these a priority: all that meet the target,
    or none. Returns how many. Raises RungError, and changes nothing, when they are more than were
    `counted` beforehand."""
    detail: dict[str, Any] = {"counted": counted} if counted is not None else {}
    with engine.begin() as connection:
        if action == PRIORITY:
            before = _selection(action, target, func.array_agg(Job.priority.distinct()))
            known: list[int] = connection.execute(before).one()[0] or []
            detail |= {"from": known[0] if len(known) == 1 else None, "to": priority}
        chosen = _selection(action, target, Job.id)
        chosen = chosen.order_by(Job.id).with_for_update(of=Job)
        changed = connection.execute(
            update(Job)
            .where(Job.id.in_(chosen))
            .values(_changed(action, actor, priority))
            .returning(Job.run_id)
        )
        runs = list(changed.scalars())
        if counted is not None and len(runs) > counted:
            raise RungError(
                f"It was {counted:,} jobs when they were counted, and would be {len(runs):,} now."
                " Nothing was changed: look again."
            )
        if action == RETRY:
            connection.execute(REOPEN_RUNS, {"runs": sorted(set(runs))})
        audit(connection, actor, action, target.words, len(runs), **detail)
    return len(runs)


def runs_of(connection: Connection, target: Target) -> list[int]:
    """Runs under way that have open jobs which meet the target."""
    wanted = _selection(CANCEL, target, Job.run_id).where(Run.finished_at.is_(None)).distinct()
    return sorted(connection.execute(wanted).scalars())


def set_budgets(
    engine: Engine,
    actor: Actor,
    target: Target,
    cap: Decimal | None,
    *,
    counted: int | None = None,
) -> int:
    """Gives every run under way with open jobs that meet the target this budget. Returns how many
    runs. Raises UsageError, and changes none, when one of them has used more already; RungError
    when there are more of them than were `counted`."""
    with engine.begin() as connection:
        runs = runs_of(connection, target)
        if counted is not None and len(runs) > counted:
            raise RungError(f"It was {counted:,} runs, and is {len(runs):,} now: look again.")
        for run_id in runs:
            change_cap(connection, str(run_id), cap)
        audit(connection, actor, "budget", target.words, len(runs), to=cap)
    return len(runs)


def _selection(action: str, target: Target, *columns: Any) -> Select[Any]:
    return select(*columns).select_from(JOINED).where(_meant(action, target))


def _meant(action: str, target: Target) -> ColumnElement[bool]:
    """Dead jobs can be retried, unless their run is cancelled; open jobs can be cancelled."""
    if action == RETRY:
        able = and_(Job.state == str(JobState.DEAD), Run.state != str(RunState.CANCELLED))
    else:
        able = Job.state.in_([str(state) for state in OPEN_STATES])
    came = Job.finished_at if action == RETRY else Job.created_at
    return and_(
        able,
        came <= target.until if target.until is not None else true(),
        Job.run_id == target.run_id if target.run_id is not None else true(),
        condition(target.node) if target.node is not None else true(),
    )


def _changed(action: str, actor: Actor, priority: int) -> dict[str, Any]:
    if action == PRIORITY:
        return {"priority": priority}
    return _retried() if action == RETRY else _cancelled(actor)


def _retried() -> dict[str, Any]:
    return {
        "state": case((Job.tier.is_(None), JobState.QUEUED), else_=JobState.ROUTED),
        "finished_at": null(),
        "failures": 0,
        "available_at": func.now(),
        "reason": null(),
    }


def _cancelled(actor: Actor) -> dict[str, Any]:
    return {
        "state": str(JobState.CANCELLED),
        "finished_at": func.now(),
        "lease_until": null(),
        "dispatched_at": null(),
        "reason": f"cancelled by {actor.name}",
    }


REOPEN_RUNS = text("""
UPDATE runs SET state = 'active', state_reason = NULL, finished_at = NULL
WHERE id = ANY(:runs) AND state IN ('finished', 'cancelled')
""")
