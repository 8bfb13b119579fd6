"""What jobs cost lately, by the name of their policy."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    case,
    func,
    select,
)

from models.jobs import Job
from models.runs import Run
from models.vocabulary import Lane
from worker.domain.expected_cost import Costs


def recent_costs(connection: Connection, *policies: str) -> Costs:
    """What jobs cost lately under policies of these names, at realtime prices."""
    runs = (
        select(Run.id)
        .where(Run.policy_name.in_(policies))
        .order_by(Run.id.desc())
        .limit(RECENT_RUNS)
    )
    recent = (
        select(realtime_price().label("price"))
        .where(Job.run_id.in_(runs), Job.finished_at.is_not(None), Job.cost > 0)
        .limit(RECENT)
        .subquery()
    )
    row = connection.execute(
        select(
            func.count(),
            func.coalesce(func.avg(recent.c.price), 0),
            func.coalesce(func.stddev_samp(recent.c.price), 0),
        )
    ).one()
    return Costs(*row)


RECENT_RUNS, RECENT = 20, 10_000
"""Newest runs of a policy, and how many of their finished jobs, whose costs are looked at: no scan
grows with the table."""


def realtime_price() -> ColumnElement[Any]:
    """What the job would have cost in the realtime lane."""
    return Job.cost * case((Job.lane == Lane.BATCH, 2), else_=1)
