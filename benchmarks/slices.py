"""Makespan of a night against the size of its slices: `python -m benchmarks slices`.

The table is arithmetic over `NIGHTS` made-up nights of 10,000 messages for each guess about how
long batches take (`night_model`). Beside it, the real lane with its SQL and its decisions works off
a few nights against the simulated Claude, each message standing for many, with the same made-up
times: that the lane really overlaps its waves is seen there.
"""

import random
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import text

from benchmarks.figures import Figure, Finding
from benchmarks.house import backlog
from benchmarks.night_model import GUESSES, NIGHT, Claude, Guess, Night, imagine
from benchmarks.services import database
from models.vocabulary import Lane
from worker.config.addresses import SIMULATOR_KEY
from worker.config.loading import load_settings
from worker.config.policies import policy_named
from worker.config.sections import BatchSettings
from worker.lanes.batch.lane import BatchLane
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator.server import running
from worker.sandbox.simulator.state import State
from worker.store.new_runs import NewRun, create_run
from worker.store.queue.copy_rows import packed_rows
from worker.store.queue.intake import add_in
from worker.store.queue.run_intake import close_intake

NIGHTS = 200
SIZES = (10_000, 5_000, 2_500, 1_000, 500, 250)
TARGETS: dict[Guess, float] = {"own luck": 1.35, "one luck": 0.85, "in turn": 0.95}
NEVER = 1e9


def run(*, quick: bool = False) -> Finding:
    """The default's makespan ÷ that of one slice a wave, and the table behind it."""
    default = BatchSettings().slice
    facts: dict[str, object] = {"night": NIGHT, "nights": NIGHTS, "simulated": True}
    figures = []
    for guess in GUESSES:
        whole = [imagine(NIGHT, guess, seed) for seed in range(NIGHTS)]
        for size in sorted({*SIZES, default}, reverse=True):
            nights = [imagine(size, guess, seed) for seed in range(NIGHTS)]
            facts[f"{guess}, slices of {size:,}"] = _words(nights, whole)
            if size == default:
                name = f"makespan of slices of {size:,} ÷ one slice a wave, {guess}"
                ratio = statistics.mean(_ratios(nights, whole))
                figures.append(Figure(name, ratio, TARGETS[guess], at_most=True))
    figures.append(_lane_figure(default, messages=100 if quick else 300))
    return Finding("slices", tuple(figures), facts)


def _lane_figure(default: int, messages: int) -> Figure:
    with lane_house() as (environ, state):
        size = round(messages * default / NIGHT)
        small = one_night(environ, state, messages, size, "one luck", 1)
        whole = one_night(environ, state, messages, messages, "one luck", 1)
    ratio = small.makespan_s / whole.makespan_s
    return Figure("the same of the real lane, one luck", ratio, TARGETS["one luck"], at_most=True)


def _ratios(nights: Sequence[Night], whole: Sequence[Night]) -> list[float]:
    pairs = zip(nights, whole, strict=True)
    return sorted(night.makespan_s / one.makespan_s for night, one in pairs)


def _words(nights: Sequence[Night], whole: Sequence[Night]) -> str:
    ratios, tenth = _ratios(nights, whole), len(nights) // 10
    half = statistics.mean(a.half_s / b.half_s for a, b in zip(nights, whole, strict=True))
    minutes = statistics.mean(night.makespan_s for night in nights) / 60
    return (
        f"{statistics.mean(ratios):.2f} ({ratios[tenth]:.2f} to {ratios[-tenth - 1]:.2f}), half"
        f" done at {half:.2f}, {minutes:.0f} min, {nights[0].batches} batches"
    )


def one_night(
    environ: dict[str, str], state: State, messages: int, size: int, guess: Guess, seed: int
) -> Night:
    """Works a backlog off in slices of `size`, by the real lane; the clock jumps to whatever ends
    next."""
    claude, ends = Claude(guess, random.Random(seed), NIGHT / messages), dict[str, float]()
    clock, half_s, at_once, seen = 0.0, 0.0, 0, len(state.batches)
    with lane_of(environ, messages, size) as (runtime, lane):
        while True:
            lane.step()
            open_jobs = _count(runtime)
            if not half_s and open_jobs <= messages / 2:
                half_s = clock
            if not open_jobs:
                return Night(len(ends), clock, half_s, at_once)
            for key, batch in list(state.batches.items())[seen:]:
                ends[key] = claude.ends_at(len(batch.requests), clock)
            seen = len(state.batches)
            at_claude = [key for key in ends if state.batches[key].ended is None]
            at_once = max(at_once, len(at_claude))
            following = min(at_claude, key=ends.__getitem__, default=None)
            if following is not None:
                clock = max(clock, ends[following])
                state.batches[following].ready_at = 0.0
            _pass_time(runtime, following)


def _pass_time(runtime: Runtime, batch: str | None) -> None:
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
            connection, NewRun(name="night", policy=policy_named(runtime.settings), lane=Lane.BATCH)
        )
        add_in(
            connection, made, packed_rows([next(source) for _ in range(messages)], None), False, 0
        )
        close_intake(connection, made, 0, 0)


def _count(runtime: Runtime) -> int:
    with runtime.engine.connect() as connection:
        return int(connection.execute(OPEN).scalar_one())


OPEN = text("SELECT count(*) FROM jobs WHERE finished_at IS NULL")
DUE = text("UPDATE jobs SET available_at = now() WHERE available_at > now()")
LOOK = text("""
UPDATE message_batches SET next_poll_at = CASE WHEN external_id = :batch OR state <> 'submitted'
  THEN now() ELSE now() + interval '1 day' END WHERE recorded_at IS NULL
""")
CLEAR = text("TRUNCATE runs, messages, jobs, message_batches, classifications CASCADE")
