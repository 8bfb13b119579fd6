"""Retry and cancel by a filter: counted and changed by one selection, in one statement."""

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
from worker.domain.expecting import BATCH_FACTOR, Expected, expected_of
from worker.domain.filters import Node, show
from worker.store.choosing import recent_costs
from worker.store.filtering import JOINED, condition
from worker.store.ops import Actor, audit

RETRY, CANCEL = "retry", "cancel"


@dataclass(frozen=True, slots=True)
class Target:
    """Which jobs are meant: a filter, a run, or both."""

    node: Node | None = None
    run_id: int | None = None
    run_name: str | None = None

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


def act(engine: Engine, actor: Actor, action: str, target: Target) -> int:
    """Retries dead jobs, or cancels open ones: all that meet the target, or none. Returns how
    many."""
    with engine.begin() as connection:
        chosen = _selection(action, target, Job.id)
        chosen = chosen.order_by(Job.id).with_for_update(of=Job)
        changed = connection.execute(
            update(Job)
            .where(Job.id.in_(chosen))
            .values(_retried() if action == RETRY else _cancelled(actor))
            .returning(Job.run_id)
        )
        runs = list(changed.scalars())
        if action == RETRY:
            connection.execute(REOPEN_RUNS, {"runs": sorted(set(runs))})
        audit(connection, actor, action, target.words, len(runs))
    return len(runs)


def _selection(action: str, target: Target, *columns: Any) -> Select[Any]:
    return select(*columns).select_from(JOINED).where(_meant(action, target))


def _meant(action: str, target: Target) -> ColumnElement[bool]:
    """Dead jobs can be retried, unless their run is cancelled; open jobs can be cancelled."""
    if action == RETRY:
        able = and_(Job.state == str(JobState.DEAD), Run.state != str(RunState.CANCELLED))
    else:
        able = Job.state.in_([str(state) for state in OPEN_STATES])
    return and_(
        able,
        Job.run_id == target.run_id if target.run_id is not None else true(),
        condition(target.node) if target.node is not None else true(),
    )


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
