"""The promises of the protocol in SQL, for tests to hold against whatever they did."""

from typing import Any

from sqlalchemy import Engine, text

from worker.domain.claimed import Claimed
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator.state import State
from worker.store.audit import Actor
from worker.store.queue.dispatch import dispatch

BODY = ["Where is my card? It was due on Monday."]
ME = Actor("a test")


def one(engine: Engine, statement: str, **values: Any) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(statement), values).one()


def many(engine: Engine, statement: str, **values: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement), values))


def do(engine: Engine, statement: str, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), values)


def requests(simulator: tuple[State, str]) -> int:
    return simulator[0].counts.by_path["/v1/messages"]


def checked(engine: Engine, simulator: tuple[State, str]) -> None:
    """What must hold after every scenario."""
    found = one(
        engine,
        """
        SELECT (SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL) AS leases,
          (SELECT count(*) FROM attempts WHERE outcome = 'started') AS open_attempts,
          (SELECT count(*) FROM calls WHERE state = 'sent') AS open_calls,
          (SELECT coalesce(sum(reserved), 0) FROM budgets) AS reserved,
          (SELECT count(*) FROM budgets WHERE spent + reserved > cap) AS overspent,
          (SELECT coalesce(sum(overrun), 0) FROM budgets) AS overrun,
          (SELECT coalesce(sum(spent), 0) FROM budgets WHERE run_id IS NOT NULL)
            - (SELECT coalesce(sum(cost), 0) FROM calls) AS unaccounted,
          (SELECT coalesce(sum(cost), 0) FROM jobs)
            - (SELECT coalesce(sum(cost), 0) FROM calls) AS job_difference,
          (SELECT coalesce(sum(cost), 0) FROM run_spend)
            - (SELECT coalesce(sum(cost), 0) FROM calls) AS tally_difference,
          (SELECT coalesce(sum(calls), 0) FROM run_spend) - (SELECT count(*) FROM calls)
            AS count_difference,
          (SELECT count(*) FROM (
            SELECT run_id, state, coalesce(tier, ''), count(*) FROM jobs GROUP BY 1, 2, 3
            EXCEPT SELECT run_id, state, tier, jobs FROM run_counts) AS d) AS miscounted
        """,
    )
    assert dict(found._mapping) == dict.fromkeys(found._fields, 0)
    lost = one(engine, "SELECT count(*) FROM calls WHERE state = 'lost'")[0]
    ledger = one(engine, "SELECT count(*) FROM calls")[0]
    assert ledger - lost <= requests(simulator) <= ledger


def chunk_of(runtime: Runtime) -> tuple[str, tuple[int, ...]]:
    (found,) = dispatch(runtime.engine, chunk=25, redispatch_s=60)
    return found.queue, found.ids


def crashed_claim(runtime: Runtime) -> tuple[str, tuple[int, ...]]:
    """Claims a chunk and 'dies' before anything is sent."""
    queue, ids = chunk_of(runtime)
    assert len(runtime.claims.take(queue, ids, runtime.planner).granted) == len(ids)
    return queue, ids


def claim_one(runtime: Runtime) -> Claimed:
    """The lease of the one job that waits."""
    queue, ids = chunk_of(runtime)
    (claimed,) = runtime.claims.take(queue, ids, runtime.planner).granted
    return claimed


LONG_AGO, JUST_NOW = -1e9, 1e12
"""When a job was claimed, on the monotonic clock: so long ago that nothing is sent any more."""


def ask_haiku(runtime: Runtime, claimed: Claimed, claimed_at: float = JUST_NOW) -> None:
    """Asks what it was claimed for, at haiku, and waits until that is recorded."""
    runtime.calls.send(runtime.queues["haiku"], [claimed], claimed_at).result(20)
