"""Makespan of a night against the size of its slices.

The lane, its SQL and its decisions are the real ones; the simulated Claude answers. Only time is
made up: a batch takes `START_S`, a share of `SPREAD_MEDIAN_S` drawn from a log-normal distribution,
and the time for its requests at `RATE_S` a second, and the clock jumps to the next batch that ends.
Nobody outside Anthropic knows how long batches take; theirs say that most end within an hour, and
100,000 requests the most. So two guesses bound it: batches run *beside* each other, each at that
rate, or all of an account's batches share it and run *in turn*. Read the ratios, not the minutes.

Each message stands for `STANDS_FOR`, so that a night of 10,000 is seen often enough to trust.
"""

import random
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

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
from worker.sections import BatchSettings
from worker.services import SIMULATOR_KEY
from worker.store.intake import add_in
from worker.store.runs import NewRun, close_intake, create_run

START_S, SPREAD_MEDIAN_S, SPREAD_SIGMA, RATE_S = 120.0, 480.0, 0.8, 25.0
NIGHT = 10_000
SHARES = (1.0, 0.25, 0.1, 0.05, 0.02)
"""Sizes of a slice, as shares of the night."""
NEVER = 1e9
TARGET = 0.8
Guess = Literal["beside", "in turn"]
GUESSES: tuple[Guess, ...] = ("beside", "in turn")


@dataclass(frozen=True, slots=True)
class Night:
    """One run of the lane; seconds of made-up time."""

    batches: int
    makespan_s: float
    half_s: float
    """Until half of the messages had ended."""
    at_once: int
    """Most batches that were at Claude at the same time."""


@dataclass(slots=True)
class Claude:
    """When batches end. Draws come from the seed alone, so that sizes meet the same luck."""

    guess: Guess
    stands_for: int
    chance: random.Random
    free_s: float = 0.0
    """In turn: when the requests taken so far are done."""
    ends: dict[str, float] = field(default_factory=dict)

    def takes(self, key: str, requests: int, clock: float) -> None:
        """A batch came in."""
        work_s = requests * self.stands_for / RATE_S
        if self.guess == "in turn":
            self.free_s = max(self.free_s, clock) + work_s
            done_s = self.free_s
        else:
            done_s = clock + work_s
        spread_s = SPREAD_MEDIAN_S * self.chance.lognormvariate(0.0, SPREAD_SIGMA)
        self.ends[key] = done_s + START_S + spread_s


def run(*, quick: bool = False) -> Finding:
    """The default's makespan ÷ that of one slice a wave, and the table behind it."""
    messages, seeds = (150, 1) if quick else (300, 3)
    default = BatchSettings().slice / NIGHT
    facts: dict[str, object] = {"night": NIGHT, "of": messages, "seeds": seeds, "simulated": True}
    figures = []
    with lane_house() as (environ, state):
        for guess in GUESSES:
            ratios = dict[float, list[float]]()
            for share in SHARES:
                size = max(round(messages * share), 1)
                nights = [
                    one_night(environ, state, messages, size, guess, seed) for seed in range(seeds)
                ]
                if share == 1.0:
                    whole = nights
                ratios[share] = [
                    night.makespan_s / one.makespan_s
                    for night, one in zip(nights, whole, strict=True)
                ]
                facts[f"{guess}, slices of {round(NIGHT * share)}"] = _words(nights, whole)
            name = f"makespan of slices of {round(NIGHT * default)} ÷ one slice a wave, {guess}"
            figures.append(Figure(name, statistics.mean(ratios[default]), TARGET, at_most=True))
    return Finding("slices", tuple(figures), facts)


def _words(nights: list[Night], whole: list[Night]) -> str:
    pairs = list(zip(nights, whole, strict=True))
    ratios = [night.makespan_s / one.makespan_s for night, one in pairs]
    half = statistics.mean(night.half_s / one.half_s for night, one in pairs)
    batches = statistics.mean(night.batches for night in nights)
    minutes = statistics.mean(night.makespan_s for night in nights) / 60
    at_once = max(night.at_once for night in nights)
    return (
        f"{statistics.mean(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), half done at"
        f" {half:.2f}, {minutes:.0f} min, {batches:.0f} batches, {at_once} at once"
    )


def one_night(
    environ: dict[str, str], state: State, messages: int, size: int, guess: Guess, seed: int
) -> Night:
    """Works a backlog off in slices of `size`."""
    claude = Claude(guess, NIGHT // messages, random.Random(seed))
    clock, half_s, at_once, seen = 0.0, 0.0, 0, len(state.batches)
    with lane_of(environ, messages, size) as (runtime, lane):
        while True:
            lane.step()
            open_jobs = _count(runtime)
            if not half_s and open_jobs <= messages / 2:
                half_s = clock
            if not open_jobs:
                return Night(len(claude.ends), clock, half_s, at_once)
            for key, batch in list(state.batches.items())[seen:]:
                claude.takes(key, len(batch.requests), clock)
            seen = len(state.batches)
            at_claude = [key for key in claude.ends if state.batches[key].ended is None]
            at_once = max(at_once, len(at_claude))
            if at_claude:
                following = min(at_claude, key=claude.ends.__getitem__)
                clock = max(clock, claude.ends[following])
                state.batches[following].ready_at = 0.0
                _pass_time(runtime, following)


def _pass_time(runtime: Runtime, batch: str) -> None:
    with runtime.engine.begin() as connection:
        connection.execute(DUE)
        connection.execute(LOOK, {"batch": batch})


@contextmanager
def lane_house() -> Iterator[tuple[dict[str, str], State]]:
    """A database, and a simulator whose batches end when they are told to."""
    state = State(latency_scale=NEVER)
    with database() as environ, running(state) as url:
        environ |= {
            "ANTHROPIC_API_KEY": SIMULATOR_KEY,
            "ANTHROPIC_BASE_URL": url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "RUNG_BATCH__GATHER_S": "0",
            "RUNG_CANARY__ENABLED": "false",
        }
        yield environ, state


@contextmanager
def lane_of(
    environ: dict[str, str], messages: int, size: int
) -> Iterator[tuple[Runtime, BatchLane]]:
    """A lane with nothing but this backlog to work off."""
    runtime = Runtime(load_settings({**environ, "RUNG_BATCH__SLICE": str(size)}))
    runtime.start()
    lane = BatchLane(runtime)
    try:
        _hand_in(runtime, messages)
        yield runtime, lane
    finally:
        lane.close()
        runtime.stop()


def _hand_in(runtime: Runtime, messages: int) -> None:
    source = backlog()
    with runtime.engine.begin() as connection:
        connection.execute(CLEAR)
        made = create_run(
            connection, NewRun("night", policy_named(runtime.settings), lane=Lane.BATCH)
        )
        add_in(connection, made, [next(source) for _ in range(messages)], None, False, 0)
        close_intake(connection, made, 0, 0)


def _count(runtime: Runtime) -> int:
    with runtime.engine.connect() as connection:
        return int(connection.execute(OPEN).scalar_one())


OPEN = text("SELECT count(*) FROM jobs WHERE finished_at IS NULL")
DUE = text("UPDATE jobs SET available_at = now() WHERE available_at > now()")
LOOK = text("UPDATE message_batches SET next_poll_at = now() WHERE external_id = :batch")
CLEAR = text("TRUNCATE runs, messages, jobs, message_batches CASCADE")
