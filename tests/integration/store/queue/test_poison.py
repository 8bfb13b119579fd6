"""A message that kills every worker that has it ends as a dead letter, and takes nobody along."""

from collections.abc import Sequence

from sqlalchemy import Engine, text

from tests.support.checker import Checker
from tests.support.works import drain, hand_in, settings_for, working
from worker.domain.trouble import MAX_FAILURES
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator.state import State
from worker.store.queue.claim import ClaimResult
from worker.store.queue.dispatch import dispatch
from worker.store.queue.rescue import rescue_from

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(5)]


def claimed(runtime: Runtime) -> ClaimResult:
    """All that is ready, in one claim."""
    (chunk,) = dispatch(runtime.engine, chunk=25, redispatch_s=60)
    return runtime.claims.take(chunk.queue, chunk.ids, runtime.planner)


def jobs_of(taken: ClaimResult) -> Sequence[int]:
    return [one.candidate.job_id for one in taken.granted]


def forget_dispatch(engine: Engine) -> None:
    """What a dead worker still had in hand is dispatched again."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM dispatches"))


def test_a_poison_job_ends_alone(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    settings = settings_for(database_url, simulator[1])
    hand_in(engine, settings, BODIES, policy="single:haiku")
    with working(settings) as runtime:
        # given: all are routed, and then in flight together each time that the worker dies
        (chunk,) = dispatch(engine, chunk=25, redispatch_s=60)
        runtime.work(chunk.queue, chunk.ids)
        for _ in range(MAX_FAILURES - 1):
            assert len(jobs_of(claimed(runtime))) == len(BODIES)
            rescue_from(engine, [runtime.worker_id])
        # when: one more death would end them, so they go one by one, and one kills again
        taken = claimed(runtime)
        (poison,) = jobs_of(taken)
        assert len(taken.held) == len(BODIES) - 1
        again = runtime.claims.take("haiku", taken.held, runtime.planner)
        assert (again.granted, len(again.held)) == ([], len(BODIES) - 1)
        rescue_from(engine, [runtime.worker_id])
        forget_dispatch(engine)
        drain(runtime)
    # then
    with engine.connect() as connection:
        states = {row.id: row.state for row in connection.execute(text("SELECT * FROM jobs"))}
    assert states.pop(poison) == "dead"
    assert set(states.values()) == {"answered"}
    Checker().require(engine)
