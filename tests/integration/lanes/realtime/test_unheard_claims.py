"""A claim whose COMMIT was not answered: the worker gives back what it may have taken."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from tests.support.promises import BODY, chunk_of, do, one
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.settings import Settings
from worker.lanes.realtime import unheard
from worker.sandbox.simulator.state import State
from worker.store.queue.unheard_claims import WHY, give_back_unheard


@pytest.fixture
def settings(
    database_url: str, simulator: tuple[State, str], monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setattr(unheard, "OUTAGE_WAIT_S", 0.01)
    return settings_for(database_url, simulator[1], policy={"preset": "single:haiku"})


def unanswered(claim: Callable[..., Any]) -> Callable[..., Any]:
    """The claim is committed the first time, and the reply never comes."""
    times = iter([True])

    def claimed(*given: Any) -> Any:
        taken = claim(*given)
        if next(times, False):
            gone = psycopg.OperationalError("server closed the connection unexpectedly")
            raise OperationalError("COMMIT", {}, gone)
        return taken

    return claimed


def test_what_was_taken_is_given_back_and_answered_without_rescue(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY * 3)
    with working(settings) as runtime:
        runtime.claims.take = unanswered(runtime.claims.take)  # type: ignore[method-assign]
        # When the reply to the claim is lost
        runtime.work(*chunk_of(runtime))
        # Then nothing was sent, nothing is reserved or counted as sent, and the jobs are ready
        assert simulator[0].requests == 0
        assert one(engine, "SELECT count(*) FROM calls")[0] == 0
        assert one(engine, "SELECT sum(reserved), sum(spent) FROM budgets") == (0, 0)
        assert one(engine, "SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL")[0] == 0
        attempts = "SELECT array_agg(outcome), array_agg(DISTINCT reasons[1]) FROM attempts"
        assert one(engine, attempts) == (["deferred"] * 3, ["not sent"])
        assert one(engine, "SELECT DISTINCT reason FROM jobs")[0] in (None, WHY)
        drain(runtime)
    assert one(engine, "SELECT count(*) FROM results")[0] == 3
    assert one(engine, "SELECT count(*) FROM calls")[0] == simulator[0].requests == 3
    assert one(engine, "SELECT count(*) FROM attempts WHERE outcome = 'lost'")[0] == 0


@pytest.mark.parametrize(
    "other",
    [
        "UPDATE attempts SET worker = 'another'",
        "UPDATE attempts SET outcome = 'failed', finished_at = now()",
        "UPDATE jobs SET fence = fence + 1",
    ],
)
def test_nothing_else_is_given_back(engine: Engine, settings: Settings, other: str) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        queue, ids = chunk_of(runtime)
        taken = runtime.claims.take(queue, ids, runtime.planner, 10)
        assert len(taken.granted) == 1
        do(engine, other)
        assert give_back_unheard(engine, runtime.worker_id, ids) == 0
        assert give_back_unheard(engine, runtime.worker_id, []) == 0


def test_jobs_that_were_not_in_the_claim_are_left(engine: Engine, settings: Settings) -> None:
    hand_in(engine, settings, BODY * 2)
    with working(settings) as runtime:
        queue, ids = chunk_of(runtime)
        runtime.claims.take(queue, ids, runtime.planner, 10)
        assert give_back_unheard(engine, runtime.worker_id, ids[:1]) == 1
    assert one(engine, "SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL")[0] == 1


def test_a_second_delivery_that_hears_nothing_leaves_what_the_first_has_sent(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        runtime.work(*chunk_of(runtime))
        queue, ids = chunk_of(runtime)
        caller = runtime.calls._caller
        assert caller is not None
        ask = caller.claude.ask

        async def asked(*given: Any) -> Any:
            runtime.claims.take = unanswered(runtime.claims.take)  # type: ignore[method-assign]
            await asyncio.to_thread(runtime.work, queue, ids)
            return await ask(*given)

        caller.claude.ask = asked  # type: ignore[method-assign]
        runtime.work(queue, ids)
    assert one(engine, "SELECT array_agg(outcome ORDER BY fence) FROM attempts")[0] == [
        "routed",
        "accepted",
    ]
    assert one(engine, "SELECT count(*) FROM calls")[0] == simulator[0].requests == 1
    assert one(engine, "SELECT bool_and(reserved = 0 AND spent > 0) FROM budgets")[0] is True
