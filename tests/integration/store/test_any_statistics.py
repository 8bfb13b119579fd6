"""No statement depends on what the planner happens to believe.

A plan is chosen by statistics, and these are of another time: autovacuum may not have come round
since 20,000 jobs were submitted, or went out in batches. So every statement that touches a table
which grows is run under statistics of each of these times, and may neither read more than a hundred
rows for each that it uses, nor do twenty times the work that it does when they are fresh.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.kept_plans import greedy
from tests.support.planning import Filled, faults_of, filled_with, work_under
from tests.support.servers import Servers, cloned
from tests.support.statements import of_big_tables
from worker.store.engine import make_engine

pytestmark = pytest.mark.slow
JOBS = 20_000
UNTRIED = 12
"""Newer statements may lack example values for a while, but not many."""

LEAVE_SENT_BY_JOINS = """
UPDATE jobs SET lane = 'realtime' WHERE id IN (
  SELECT j.id FROM message_batches AS b JOIN attempts AS a ON a.batch_id = b.id
  JOIN jobs AS j ON j.id = a.job_id
  WHERE b.state IN ('intended', 'submitted') AND a.outcome = 'started' AND j.fence = a.fence
    AND j.run_id = 2 AND j.state = 'submitted' AND j.lane = 'batch'
  LIMIT 5000 FOR UPDATE OF j SKIP LOCKED)
"""
"""Stood still for minutes under statistics of a small old run."""

FORGET_BY_A_JOIN = """
UPDATE jobs SET lease_until = NULL WHERE id IN (
  SELECT id FROM jobs WHERE lease_until < now() - make_interval(secs => :after)
  ORDER BY lease_until LIMIT 10000 FOR UPDATE SKIP LOCKED)
"""
"""Went through all jobs as soon as its plan was kept."""


@pytest.fixture(scope="module")
def filled(servers: Servers) -> Iterator[Filled]:
    with cloned(servers, "stale") as url:
        engine = make_engine(url, pool_size=1)
        try:
            yield filled_with(engine, JOBS)
        finally:
            engine.dispose()


def test_every_statement_reads_what_it_needs_under_any_statistics(filled: Filled) -> None:
    untried = of_big_tables().keys() - filled.tried.keys() - {"intake.STAGE"}
    assert len(untried) <= UNTRIED, f"give these values in tests/support/plan_values: {untried}"
    wrong: list[str] = []
    fresh = work_under(filled, "fresh", filled.tried)
    for moment in filled.moments:
        # What took long may have waited for a busy machine: it is asked again.
        suspects = faults_of(filled, moment, filled.tried, fresh)
        wrong += faults_of(filled, moment, suspects).values()
    assert wrong == [], "\n\n".join(wrong)


@pytest.mark.parametrize("moment", ["one small old run", "fresh"])
def test_a_workers_statement_reads_no_more_with_a_plan_that_is_kept(
    filled: Filled, moment: str
) -> None:
    assert greedy(filled, moment) == []


def test_a_plan_that_is_kept_and_reads_too_much_is_seen(filled: Filled) -> None:
    tried = {"dispatch.by a join": (FORGET_BY_A_JOIN, {"after": 60.0})}
    assert len(greedy(Filled(filled.engine, JOBS, filled.moments, tried), "fresh")) == 1


def test_a_statement_whose_plan_depends_on_them_is_seen(filled: Filled) -> None:
    tried = {"by joins": (LEAVE_SENT_BY_JOINS, dict[str, Any]())}
    guilty = Filled(filled.engine, JOBS, filled.moments, tried)
    assert faults_of(guilty, "fresh", tried) == {}
    assert faults_of(guilty, "one small old run", tried).keys() == tried.keys()
