"""`make soak MINUTES=n SEED=n`: random faults against a house at work, then every promise checked.

One worker, the witness, is spared: its memory over the messages that it helped with shows a leak.
Exits 1 when a promise was broken. Timing is that of the fault suite: a call's deadline is two
seconds, a lease four.
"""

import random
import resource
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import click

from tests.faults.broker import flush, pause
from tests.faults.claude import answers, checks, labels
from tests.faults.postgres import cancel_statements, terminate
from tests.support import servers as serving
from tests.support.house import House
from tests.support.household import CAPACITY, house
from tests.support.zygote import Child, Zygote

BATCH = 60
POLICIES = ("ladder", "escalate", "fallback", "route", "single:sonnet")
PAGE = resource.getpagesize()
WORKERS = 3
SETTLE_S = 300.0
Fault = Callable[["Soak"], None]


@dataclass(slots=True)
class Soak:
    """What is going on."""

    home: House
    witness: Child
    chance: random.Random
    faults: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[int, float]] = field(default_factory=list)
    """Messages that have ended, and the witness's resident megabytes then."""

    def victim(self) -> Child | None:
        """A living worker other than the witness."""
        others = [worker for worker in self.home.alive() if worker is not self.witness]
        return self.chance.choice(others) if others else None

    def look(self) -> None:
        """Notes the witness's memory; appoints another when it has ended by itself, as kombu does
        to a worker now and then whose connection to Redis is lost twice in a moment."""
        if self.witness.poll() is not None:
            self.faults["worker ended by itself"] += 1
            self.witness = self.home.at_work(self.home.start())
            self.memory.clear()
        ended = self.home.one("SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL")
        pages = int(Path(f"/proc/{self.witness.pid}/statm").read_text().split()[1])
        self.memory.append((ended, pages * PAGE / 1e6))


def kill(soak: Soak) -> None:
    if victim := soak.victim():
        soak.home.kill(victim)


def freeze(soak: Soak) -> None:
    if victim := soak.victim():
        with soak.home.frozen(victim):
            pause(soak.home, soak.chance.uniform(1, 6))


def redis_flushed(soak: Soak) -> None:
    flush(soak.home)
    soak.home.fault()


def connections_ended(soak: Soak) -> None:
    terminate(soak.home)
    soak.home.fault()


def statements_cancelled(soak: Soak) -> None:
    cancel_statements(soak.home)
    soak.home.fault()


def line(name: str, kind: str, **how: float) -> Fault:
    def fault(soak: Soak) -> None:
        with soak.home.toxic(name, kind, **how):
            pause(soak.home, soak.chance.uniform(0.3, 1.5))
        soak.home.lines[name].reset()

    return fault


def claude_in_a_mood(soak: Soak) -> None:
    do = soak.chance.choice(
        [
            {"status": 500},
            {"status": 529},
            {"status": 429, "headers": {"retry-after": "1"}},
            {"reset": True},
            {"cut": True},
            {"hang": True},
            {"garbage": True},
            {"empty": True},
            {"truncated": True},
            {"text": "no JSON"},
            {"refusal": "bio"},
        ]
    )
    which = soak.chance.choice([answers, labels, checks])
    number = soak.chance.randint(1, 10)
    soak.home.moods(which(do, first=number))
    pause(soak.home, 1)
    soak.home.moods()
    soak.home.fault()


FAULTS: dict[str, Fault] = {
    "worker killed": kill,
    "worker frozen": freeze,
    "redis flushed": redis_flushed,
    "connections to postgres ended": connections_ended,
    "statements cancelled": statements_cancelled,
    "postgres line reset": line("postgres", "reset"),
    "postgres slow": line("postgres", "delay", delay_s=0.1),
    "redis line a black hole": line("redis", "blackhole"),
    "redis line reset": line("redis", "reset"),
    "claude line reset": line("claude", "reset"),
    "claude mute": line("claude", "mute"),
    "claude in a mood": claude_in_a_mood,
}


def work(soak: Soak, until: float) -> None:
    """Keeps workers and a backlog there, and lets faults happen."""
    home = soak.home
    while time.monotonic() < until:
        for _ in range(WORKERS - len(home.alive())):
            home.start()
        if home.one("SELECT count(*) FROM jobs WHERE finished_at IS NULL") < BATCH:
            home.hand_in(BATCH, policy=soak.chance.choice(POLICIES))
        name = soak.chance.choice(list(FAULTS))
        FAULTS[name](soak)
        soak.faults[name] += 1
        # Nothing is due for hours because of a fault: backoff is cut as in `House.settle`.
        home.sql(
            "UPDATE jobs SET available_at = now() WHERE finished_at IS NULL"
            " AND lease_until IS NULL AND available_at > now() + interval '2 seconds'"
        )
        home.sql("UPDATE tiers SET breaker_until = now() WHERE breaker_until > now()")
        pause(home, soak.chance.uniform(0.2, 1.5))
        soak.look()


def report(soak: Soak, minutes: float, seed: int, broken: str | None) -> str:
    """In words and figures."""
    home = soak.home
    jobs, wasted = home.one("SELECT count(*) FROM jobs"), home.wasted()
    calls = home.one("SELECT count(*) FROM calls")
    injected = sum(soak.faults.values())
    half = len(soak.memory) // 2
    slope = slope_mb(soak.memory[half:])
    lines = [
        f"{minutes:g} minutes, seed {seed}: {jobs} messages, {calls} calls (simulated)",
        f"{injected} faults: " + ", ".join(f"{n} {name}" for name, n in soak.faults.most_common()),
        f"calls wasted: {wasted}, {wasted / max(injected, 1):.2f} a fault"
        f" (at most {CAPACITY} in flight in a worker)",
        f"the witness's memory: {soak.memory[0][1]:.0f} MB at first, {soak.memory[-1][1]:.0f} MB at"
        f" last, {slope:+.2f} MB a thousand messages over the second half",
        f"how jobs ended: {home.states()}",
        f"promises: {broken or 'all held'}",
    ]
    return "\n".join(lines)


def slope_mb(points: list[tuple[int, float]]) -> float:
    """Megabytes for each thousand messages, by least squares."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    shared = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return 1000 * shared / spread if spread else 0.0


@click.command()
@click.option("--minutes", type=click.FloatRange(0.1), default=10.0)
@click.option("--seed", type=int, default=0)
@click.pass_context
def main(ctx: click.Context, minutes: float, seed: int) -> None:
    """Random faults for a while, then every promise checked."""
    run_id, broken = uuid.uuid4().hex[:10], None
    with ExitStack() as stack:
        servers = serving.shared(run_id)
        stack.callback(serving.end, run_id)
        zygote = Zygote()
        stack.callback(zygote.stop)
        root = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "house"
        home = stack.enter_context(house(servers, root, zygote, seed=seed))
        soak = Soak(home, home.at_work(home.start()), random.Random(seed))
        work(soak, time.monotonic() + 60 * minutes)
        home.moods()
        try:
            home.settle(within_s=SETTLE_S)
            home.check()
        except AssertionError as error:
            broken = str(error)
        click.echo(report(soak, minutes, seed, broken))
    ctx.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
