"""What a change would do now: how many jobs it would touch, and what these would probably cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import (
    Connection,
    func,
    text,
)

from models.jobs import Job
from models.runs import Run
from models.vocabulary import Lane
from worker.domain.expected_cost import Expected, expected_of
from worker.domain.pricing import BATCH_FACTOR
from worker.domain.wording import plural
from worker.store.actions.changes import OPEN, Change, meant
from worker.store.actions.recent_costs import recent_costs
from worker.store.actions.selection import Selection
from worker.store.rows import OPEN_JOBS


@dataclass(frozen=True, slots=True)
class Touched:
    """How many jobs a change would touch, and what these would probably cost (or save) from here
    on; None where too little is recorded to expect from. `runs` are those of them that are under
    way."""

    jobs: int
    expected: Expected | None
    runs: Sequence[int] = ()


def foresee(connection: Connection, change: Change, chosen: Selection) -> Touched:
    """What `apply` would do now. The open jobs of a run are read from its counters; what a filter
    chooses is looked at once, whatever is said of it: all that wait may have to be."""
    if chosen.is_run and change.able is OPEN:
        row = connection.execute(OPEN_OF_RUN, {"run": chosen.run_id}).one()
        weight = BATCH_FACTOR if row.lane == Lane.BATCH else Decimal(1)
        return Touched(row.jobs, expected_cost(connection, row.jobs, row.policies or [], weight))
    of_runs = meant(
        change,
        chosen,
        Job.run_id,
        Run.policy_name,
        Run.finished_at.is_(None).label("under_way"),
        func.count().label("jobs"),
        func.count().filter(Job.lane == Lane.BATCH).label("in_batches"),
    ).group_by(Job.run_id, Run.policy_name, Run.finished_at)
    rows = connection.execute(of_runs.order_by(Job.run_id)).all()
    jobs, batches = sum(row.jobs for row in rows), sum(row.in_batches for row in rows)
    weight = (jobs - batches + batches * BATCH_FACTOR) / jobs if jobs else Decimal(1)
    policies = sorted({row.policy_name for row in rows})
    expected = expected_cost(connection, jobs, policies, weight)
    return Touched(jobs, expected, [row.run_id for row in rows if row.under_way])


def expected_cost(
    connection: Connection, jobs: int, policies: Sequence[str], weight: Decimal = Decimal(1)
) -> Expected | None:
    """What so many jobs under these policies will probably cost, times `weight` (half in the batch
    lane); None where too little is recorded."""
    costs = recent_costs(connection, *policies)
    basis = f"from {plural(costs.jobs, 'job')} under {', '.join(policies)}"
    return expected_of(jobs, costs, weight, basis)


OPEN_OF_RUN = text(f"""
SELECT r.lane, ARRAY[r.policy_name] AS policies, (
  SELECT coalesce(sum(jobs), 0) FROM run_counts
  WHERE run_id = r.id AND state IN ({OPEN_JOBS}))::bigint AS jobs
FROM runs AS r WHERE r.id = :run
""")  # noqa: S608 - constants only
