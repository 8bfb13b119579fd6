"""Makespan of a night against the size of its slices.

The lane, its SQL and its decisions are the real ones; the simulated Claude answers. Only time is
made up: each batch takes `START_S`, plus a share of `SPREAD_MEDIAN_S` drawn from a log-normal
distribution, plus `1 / RATE_S` seconds a request, and the clock jumps to the next batch that ends.
Nobody outside Anthropic knows how long batches take; theirs say that most end within an hour. Read
the ratios, not the minutes.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import text

from benchmarks.figures import Figure, Finding
from benchmarks.house import backlog, database
from models.vocabulary import Lane
from worker.batching import BatchLane
from worker.loading import load_settings
from worker.policies import policy_named
from worker.runtime import Runtime
from worker.sandbox.simulator.server import running
from worker.sandbox.simulator.state import State
from worker.services import SIMULATOR_KEY
from worker.store.intake import add_in
from worker.store.runs import NewRun, close_intake, create_run

START_S, SPREAD_MEDIAN_S, SPREAD_SIGMA, RATE_S = 120.0, 480.0, 0.8, 20.0
NEVER = 1e9
POLL_S = 30.0
SHARES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.025)
"""Sizes of a slice, as shares of the backlog."""
TARGET = 1.0


@dataclass(frozen=True, slots=True)
class Night:
    """One run of the lane; seconds of made-up time."""

    slice: int
    batches: int
    makespan_s: float
    half_s: float
    """Until half of the messages had ended."""
    at_once: int
    """Most batches that were at Claude at the same time."""


def run(*, quick: bool = False) -> Finding:
    """The ratio of the default's makespan to that of one slice, and the table behind it."""
    messages = 1_000 if quick else 4_000
    nights = [one_night(messages, round(messages * share), seed=1) for share in SHARES]
    whole = nights[0]
    best = min(nights, key=lambda night: night.makespan_s)
    facts: dict[str, object] = {"messages": messages, "simulated": True}
    for night in nights:
        facts[f"slice {night.slice}"] = (
            f"{night.makespan_s / whole.makespan_s:.2f} of one slice's makespan, half done at"
            f" {night.half_s / whole.half_s:.2f}, {night.batches} batches, {night.at_once} at once"
        )
    ratio = best.makespan_s / whole.makespan_s
    name = f"best makespan (slices of {best.slice}) ÷ one slice a wave"
    return Finding("slices", (Figure(name, ratio, TARGET, at_most=True),), facts)


def one_night(messages: int, size: int, seed: int) -> Night:
    """Works a backlog off in slices of `size`."""
    chance, clock, half_s, at_once = random.Random(seed), 0.0, 0.0, 0
    ends: dict[str, float] = {}
    with lane_of(messages, size) as (runtime, lane, state):
        while True:
            lane.step()
            open_jobs = _count(runtime, OPEN)
            if not half_s and open_jobs <= messages / 2:
                half_s = clock
            if not open_jobs:
                return Night(size, len(state.batches), clock, half_s, at_once)
            for key, batch in state.batches.items():
                if key not in ends:
                    ends[key] = clock + takes_s(chance, len(batch.requests))
            at_claude = [key for key in ends if state.batches[key].ended is None]
            at_once = max(at_once, len(at_claude))
            with runtime.engine.begin() as connection:
                connection.execute(DUE)
                connection.execute(LOOK)
            if at_claude:
                following = min(at_claude, key=ends.__getitem__)
                clock = max(clock, ends[following] + POLL_S / 2)
                state.batches[following].ready_at = 0.0


def takes_s(chance: random.Random, requests: int) -> float:
    """Made-up seconds from a create to its results."""
    spread = SPREAD_MEDIAN_S * chance.lognormvariate(0.0, SPREAD_SIGMA)
    return START_S + spread + requests / RATE_S


@contextmanager
def lane_of(messages: int, size: int) -> Iterator[tuple[Runtime, BatchLane, State]]:
    """A lane with a backlog, against a simulator whose batches end when they are told to."""
    state = State(latency_scale=NEVER)
    with database() as environ, running(state) as url:
        settings = load_settings(
            {
                **environ,
                "ANTHROPIC_API_KEY": SIMULATOR_KEY,
                "ANTHROPIC_BASE_URL": url,
                "REDIS_URL": "redis://127.0.0.1:1/0",
                "RUNG_BATCH__SLICE": str(size),
                "RUNG_BATCH__GATHER_S": "0",
                "RUNG_CANARY__ENABLED": "false",
            }
        )
        runtime = Runtime(settings)
        runtime.start()
        lane = BatchLane(runtime)
        try:
            _hand_in(runtime, messages)
            yield runtime, lane, state
        finally:
            lane.close()
            runtime.stop()


def _hand_in(runtime: Runtime, messages: int) -> None:
    source = backlog()
    with runtime.engine.begin() as connection:
        made = create_run(
            connection, NewRun("night", policy_named(runtime.settings), lane=Lane.BATCH)
        )
        add_in(connection, made, [next(source) for _ in range(messages)], None, False, 0)
        close_intake(connection, made, 0, 0)


def _count(runtime: Runtime, statement: object) -> int:
    with runtime.engine.connect() as connection:
        return int(connection.execute(statement).scalar_one())  # type: ignore[call-overload]


OPEN = text("SELECT count(*) FROM jobs WHERE finished_at IS NULL")
DUE = text("UPDATE jobs SET available_at = now() WHERE available_at > now()")
LOOK = text("UPDATE message_batches SET next_poll_at = now() WHERE recorded_at IS NULL")
