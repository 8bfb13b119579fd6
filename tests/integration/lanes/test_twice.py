"""Every Celery task delivered twice, at once and one after the other: as if it had come once."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.promises import checked, chunk_of, do, many, one, requests
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.settings import Settings, default_tiers
from worker.lanes.realtime.runtime import Runtime
from worker.runs.nights import fire_due
from worker.sandbox.simulator.state import State

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(6)]
NIGHTLY = {"cron": "0 2 * * *", "timezone": "UTC", "where": "state = answered"}
Delivery = tuple[str, dict[str, Any]]
"""A task's name and its payload."""
Deliver = Callable[[Runtime], None]
Story = Callable[[Runtime], Delivery]
Task = Callable[[Runtime, dict[str, Any]], None]
MADE = "SELECT kind, count(DISTINCT r.id), count(*) FROM runs AS r JOIN jobs ON run_id = r.id"


def chunk(runtime: Runtime, name: str) -> Delivery:
    queue, ids = chunk_of(runtime)
    return name, {"v": 1, "queue": queue, "ids": list(ids)}


def to_route(runtime: Runtime) -> Delivery:
    hand_in(runtime.engine, runtime.settings, BODIES)
    return chunk(runtime, "rung.route")


def to_answer(tier: str) -> Story:
    def story(runtime: Runtime) -> Delivery:
        hand_in(runtime.engine, runtime.settings, BODIES, policy=f"single:{tier}")
        runtime.work(*chunk_of(runtime))
        name, payload = chunk(runtime, "rung.answer")
        assert payload["queue"] == tier
        return name, payload

    return story


def to_tick(runtime: Runtime) -> Delivery:
    """A night is owed, and the shadows of a finished run are to be asked about."""
    hand_in(runtime.engine, runtime.settings, BODIES, policy="fallback")
    do(runtime.engine, "UPDATE runs SET shadow_share = 1")
    drain(runtime)
    fire_due(runtime.engine, runtime.settings)
    do(runtime.engine, "UPDATE schedules SET since = now() - interval '1 day'")
    return "rung.tick", {"v": 1}


STORIES: dict[str, Story] = {
    "rung.route": to_route,
    **{f"rung.answer {tier}": to_answer(tier) for tier in default_tiers()},
    "rung.tick": to_tick,
}


def at_once_to_one_worker(one: Runtime, _: Runtime, deliver: Deliver) -> None:
    at_once(one, one, deliver)


def at_once_to_two_workers(one: Runtime, other: Runtime, deliver: Deliver) -> None:
    """Both have slots, and claim the same messages at the same moment."""
    meeting = threading.Barrier(2)
    for runtime in (one, other):
        runtime.claims.take = met(runtime.claims.take, meeting)  # type: ignore[method-assign]
    at_once(one, other, deliver)
    for runtime in (one, other):
        del runtime.claims.take


def while_the_calls_of_the_first_are_under_way(
    one: Runtime, other: Runtime, deliver: Deliver
) -> None:
    caller = one.calls._caller
    assert caller is not None
    ask = caller.claude.ask
    times = iter([True])

    async def asked(*given: Any) -> Any:
        if next(times, False):
            await asyncio.to_thread(deliver, other)
        return await ask(*given)

    caller.claude.ask = asked  # type: ignore[method-assign]
    deliver(one)


def at_once(one: Runtime, other: Runtime, deliver: Deliver) -> None:
    start = threading.Barrier(2)

    def delivered(runtime: Runtime) -> None:
        start.wait(20)
        deliver(runtime)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(delivered, one), pool.submit(delivered, other)]:
            done.result(60)


def met(claim: Callable[..., Any], meeting: threading.Barrier) -> Callable[..., Any]:
    """The first claim of each waits for the other's."""
    times = iter([True])

    def claimed(*given: Any) -> Any:
        if next(times, False):
            meeting.wait(20)
        return claim(*given)

    return claimed


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(
        database_url,
        simulator[1],
        schedule={"nightly": NIGHTLY},
        audit={"shadow": 1, "budget_usd": 9, "shadow_budget_usd": 2},
    )


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Task]:
    """Every task of Rung's that Celery knows, each with the worker that it comes to."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    import worker.tasks
    from worker.app import app

    held = threading.local()
    monkeypatch.setattr(worker.tasks, "runtime", lambda: held.runtime)

    def brought(task: Callable[..., None], runtime: Runtime, payload: dict[str, Any]) -> None:
        held.runtime = runtime
        task(**payload)

    own = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    return {name: partial(brought, task) for name, task in own.items()}


def test_no_task_is_forgotten(tasks: dict[str, Task]) -> None:
    assert {name.split()[0] for name in STORIES} == set(tasks)


@pytest.mark.parametrize(
    "twice",
    [
        at_once_to_one_worker,
        at_once_to_two_workers,
        while_the_calls_of_the_first_are_under_way,
    ],
)
@pytest.mark.parametrize("story", STORIES)
def test_it_is_as_if_it_had_come_once(
    story: str,
    twice: Callable[[Runtime, Runtime, Deliver], None],
    engine: Engine,
    settings: Settings,
    simulator: tuple[State, str],
    tasks: dict[str, Task],
) -> None:
    with working(settings) as first, working(settings) as second:
        # given
        name, payload = STORIES[story](first)
        before = requests(simulator)
        # when it comes twice, and once more when everything is done
        twice(first, second, lambda runtime: tasks[name](runtime, payload))
        tasks[name](second, payload)
        # then each message was asked about once, and each night and inquiry made once
        ticked = name == "rung.tick"
        assert requests(simulator) - before == (0 if ticked else len(BODIES))
        checked(engine, simulator)
        made = many(engine, f"{MADE} WHERE kind <> 'backlog' GROUP BY kind ORDER BY kind")
        assert made == ([("reprocess", 1, 6), ("shadow", 2, 12)] if ticked else [])
        # and everything goes on, once each
        drain(first)
    backlog = "FROM jobs AS j JOIN runs AS r ON r.id = j.run_id AND r.kind = 'backlog'"
    answered = f"SELECT count(*), count(*) FILTER (WHERE j.state = 'answered') {backlog}"
    assert tuple(one(engine, answered)) == (len(BODIES), len(BODIES))
    results = f"SELECT count(*) FROM results WHERE job_id IN (SELECT j.id {backlog})"
    assert one(engine, results)[0] == len(BODIES)
    calls, lost = one(engine, "SELECT count(*), count(*) FILTER (WHERE state = 'lost') FROM calls")
    assert (calls, lost) == (requests(simulator), 0)
    checked(engine, simulator)
