"""What jobs cost lately, by the name of their policy."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    case,
    func,
    select,
    true,
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
        .subquery()
    )
    # Run by run, by its own index: left to itself the planner reads all jobs until it has enough.
    jobs = (
        select(realtime_price().label("price"), Job.finished_at)
        .where(Job.run_id == runs.c.id)
        .order_by(Job.message_id)
        .limit(RECENT)
        .lateral()
    )
    recent = (
        select(jobs.c.price)
        .select_from(runs.join(jobs, true()))
        .where(jobs.c.finished_at.is_not(None), jobs.c.price > 0)
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


RECENT_RUNS, RECENT = 20, 5_000
"""Newest runs of a policy, and how many of their finished jobs, whose costs are looked at; of each
run no more than so many jobs are read, so that no scan grows with the table."""


def realtime_price() -> ColumnElement[Any]:
    """What the job would have cost in the realtime lane."""
    return Job.cost * case((Job.lane == Lane.BATCH, 2), else_=1)
