"""Runs recorded for the forecast to be tried on, and how they were made.

    python -m benchmarks.recorded_runs [NAME…]

records them anew, with a real worker and a SIMULATED Claude, into `benchmarks/recorded/`: every few
seconds what the forecast would have been told, and when the run was done. Seconds throughout.
"""

import datetime as dt
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.house import House, backlog, house
from models.vocabulary import Lane
from worker.config.policies import policy_named
from worker.domain.completion import PaceSample, WorkLeft
from worker.store.actions.holds import pause_queue, resume_queue
from worker.store.audit import Actor
from worker.store.new_runs import NewRun, create_run
from worker.store.queue.copy_rows import packed_rows
from worker.store.queue.intake import add_in
from worker.store.queue.paces import EVERY_S
from worker.store.queue.run_intake import close_intake
from worker.store.reading.screens import counts_of, done_of, escalations_of
from worker.store.reading.standings import standing_of
from worker.store.reading.surrounding import surrounding_of
from worker.store.reading.work_left import work_left
from worker.store.runs import RunRef

EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
FOLDER = Path(__file__).parent / "recorded"
IN_FLIGHT = {"haiku": 12, "sonnet": 6, "opus": 3}
TURNAROUND_S = 15.0
PAUSED_S = 30.0
LATENCY_SCALE = 1.5
LONGEST_S = 600.0
RECORDER = Actor("recorder")
NO_LIMIT = (1_000_000, 1_000_000_000, 1_000_000_000)


@dataclass(frozen=True, slots=True)
class Moment:
    """What a forecast would have been told at `at` seconds: what is left, and the pace samples'
    newest; `held` while a queue was paused."""

    at: float
    left: WorkLeft
    sample: PaceSample
    held: bool


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One run, and when it was done."""

    name: str
    messages: int
    moments: tuple[Moment, ...]
    done_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShape:
    """How a run to be recorded goes."""

    messages: int = 300
    lane: Lane = Lane.REALTIME
    limits: bool = False
    more: str = "[canary]\nenabled = false\n"
    pauses: str | None = None
    """A queue that is paused when half of the messages are done."""


SHAPES = {
    "steady": RunShape(),
    "paused half-way": RunShape(pauses="haiku"),
    "rate-limited": RunShape(messages=200, limits=True),
    "batch": RunShape(
        lane=Lane.BATCH,
        more=f"[canary]\nenabled = false\n[batch]\nturnaround_s = {TURNAROUND_S}\nslice = 100\n",
    ),
    "slow start": RunShape(more="[canary]\nenabled = true\n"),
}


def load(name: str) -> RecordedRun:
    """A recording."""
    document = json.loads(_path(name).read_text("utf-8"))
    moments = tuple(_moment(one) for one in document["moments"])
    return RecordedRun(name, document["messages"], moments, document["done_at"])


def _path(name: str) -> Path:
    return FOLDER / f"{name.replace(' ', '-')}.json"


def _moment(one: dict[str, Any]) -> Moment:
    left = one["left"]
    climbed = {(low, high): jobs for low, high, jobs in left.pop("climbed")}
    return Moment(one["at"], WorkLeft(**left, climbed=climbed), sample(one), one["held"])


def sample(one: dict[str, Any]) -> PaceSample:
    """The newest pace sample of a moment."""
    return PaceSample(EPOCH + dt.timedelta(seconds=one["at"]), one["done"])


def record(name: str) -> dict[str, Any]:
    """Runs it, and writes down what is seen."""
    shape = SHAPES[name]
    limits = {"haiku": (240, *NO_LIMIT[1:]), "sonnet": NO_LIMIT, "opus": NO_LIMIT}
    made = house(
        latency_scale=LATENCY_SCALE,
        in_flight=IN_FLIGHT,
        limits=limits if shape.limits else None,
        more=shape.more,
    )
    with made as home:
        run = _hand_in(home, name, shape)
        began, moments, pause = time.monotonic(), list[dict[str, Any]](), _Pause(home, shape)
        while (at := time.monotonic() - began) < LONGEST_S:
            moment = _look(home, run, at)
            moment["held"] = pause.go_on(moment["ended"] / shape.messages, at)
            moments.append(moment)
            if moment["ended"] >= shape.messages:
                break
            time.sleep(EVERY_S / 2)
    return {"messages": shape.messages, "done_at": round(at, 1), "moments": moments}


class _Pause:
    """The pause of a shape, begun and ended in time."""

    def __init__(self, home: House, shape: RunShape) -> None:
        self._home, self._queue = home, shape.pauses
        self._until: float | None = None

    def go_on(self, share: float, at: float) -> bool:
        """Whether the queue is held at this moment."""
        if self._queue is None:
            return False
        if self._until is None and share >= 0.5:
            self._until = at + PAUSED_S
            pause_queue(self._home.engine, RECORDER, self._queue, "half of it is done")
        elif self._until is not None and at >= self._until:
            resume_queue(self._home.engine, RECORDER, self._queue)
            self._queue = None
            return False
        return self._until is not None


def _hand_in(home: House, name: str, shape: RunShape) -> RunRef:
    policy = policy_named(home.settings, "ladder")
    with home.engine.begin() as connection:
        run = create_run(
            connection, NewRun(name=name.replace(" ", "-"), policy=policy, lane=shape.lane)
        )
        records = [next_one for next_one, _ in zip(backlog(), range(shape.messages), strict=False)]
        add_in(connection, run, packed_rows(records, name), False, 0)
        close_intake(connection, run, 0, 0)
    return run


def _look(home: House, run: RunRef, at: float) -> dict[str, Any]:
    with home.engine.connect() as connection:
        around = replace(
            surrounding_of(connection, home.settings), assumed_turnaround_s=TURNAROUND_S
        )
        counts, steps = counts_of(connection, [run.id]), escalations_of(connection, [run.id])
        standing = standing_of(connection, run.id)
        done = done_of(connection, [run.id])[run.id]
        seen = work_left(connection, standing, around, counts, steps, done)
    # JSON has no pairs for keys.
    left = asdict(replace(seen, climbed={})) | {
        "climbed": [[*step, jobs] for step, jobs in seen.climbed.items()]
    }
    return {"at": round(at, 1), "left": left, "done": done, "ended": standing.ended}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(SHAPES)))
def main(names: tuple[str, ...]) -> None:
    """Records them anew."""
    talk: Callable[..., None] = Console(stderr=True).print
    FOLDER.mkdir(exist_ok=True)
    for name in names or SHAPES:
        document = record(name)
        _path(name).write_text(json.dumps(document, separators=(",", ":")) + "\n", "utf-8")
        talk(f"{name}: {document['messages']} messages in {document['done_at']:.0f} s")


if __name__ == "__main__":
    main()
