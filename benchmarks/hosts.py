"""One run, worked off by workers on three hosts: its wall time, and what each part of it took.

The hosts are network namespaces, each with a cable to this machine, where Postgres, Redis and the
simulated Claude are. Two of them label and answer at the lowest tier, the third serves those above.
Every byte passes a TCP forwarder of the benchmark's own, as it would pass a network card, and what
the forwarders take is a part of its own. All of them share this machine's processors, so the wall
time is that of one machine; memory, disk and CPU are what three would have. Needs root.

A worker's memory is compared with what it was after the first 10,000 messages, so fewer than that
are refused.
"""

import itertools
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click
import orjson
from rich.console import Console
from sqlalchemy import text

from benchmarks.figures import Figure, Finding, as_markdown, show
from benchmarks.house import House, backlog, house, start_worker, until_ready
from benchmarks.intake import enqueued
from benchmarks.processes import cpu_s, machine
from tests.support.hosts import Host, host, why_none
from tests.support.proxy import proxied

QUEUES = ("routing,haiku", "routing,haiku", "sonnet,opus")
IN_FLIGHT = {"haiku": 64, "sonnet": 64, "opus": 64}
LATENCY_SCALE = 0.1
POLICY = "ladder"
QUICK, JOBS = 15_000, 100_000
SETTLED = 10_000
"""Messages after which a worker has met everything once: its memory is compared with that."""
LOOK_EVERY_S = 2.0
WITHIN_S = 6 * 3600.0
MB = 1024 * 1024
PAGE = resource.getpagesize()


@dataclass(slots=True)
class Memory:
    """Resident bytes of each worker: after `SETTLED` messages, and at most since."""

    settled: list[int] = field(default_factory=list)
    most: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)

    def look(self, pids: Sequence[int], ended: int) -> None:
        """Once every few seconds, with the messages that have ended so far."""
        now = [resident(pid) for pid in pids]
        if ended >= SETTLED:
            self.settled = self.settled or now
            self.most = [max(pair) for pair in zip(self.most or now, now, strict=True)]
        self.last = now

    @property
    def growth(self) -> float:
        """Of the worker that grew most: its memory at the end ÷ after its first messages."""
        return max(end / start for end, start in zip(self.last, self.settled, strict=True))

    @property
    def facts(self) -> dict[str, list[int]]:
        """Megabytes of each worker."""
        moments = {"after the first messages": self.settled, "at the end": self.last}
        moments["at most"] = self.most
        return {f"memory {when}, MB": [n // MB for n in each] for when, each in moments.items()}


def run(*, quick: bool = False, jobs: int | None = None, policy: str = POLICY) -> Finding:
    """Wall seconds, CPU milliseconds a message, megabytes. Raises RuntimeError where no namespaces
    may be made."""
    if why := why_none():
        raise RuntimeError(f"no hosts of their own: {why}")
    count = jobs or (QUICK if quick else JOBS)
    if count <= SETTLED:
        raise ValueError(f"give more than {SETTLED} messages: nothing could be compared")
    with house(latency_scale=LATENCY_SCALE, in_flight=IN_FLIGHT, workers=0) as home:
        size, wal, busy = _one(home, SIZE), home.wal_bytes(), machine()
        intake = enqueued(home.environ, written(home, count), count, "--policy", policy)
        taken_in, began = home.services_cpu_s(), time.monotonic()
        with at_work(home) as pids:
            memory = _worked_off(home, pids, count)
            wall, took = time.monotonic() - began, _cpu(home, pids)
        for service, spent in taken_in.items():
            took[service] -= spent
        facts = {
            "messages": count,
            "policy": policy,
            "results": _one(home, RESULTS),
            "calls in the ledger": _one(home, CALLS),
            "intake, wall s": intake.wall_s,
            "intake, CPU ms a message": 1000 * intake.cpu_s / count,
            "intake, Postgres CPU ms a message": 1000 * taken_in["postgres"] / count,
            "the run, wall s": wall,
            "messages/s": count / wall,
            **{f"{part}, CPU ms a message": 1000 * spent / count for part, spent in took.items()},
            "database, bytes a message": (_one(home, SIZE) - size) / count,
            "its log, bytes a message": (home.wal_bytes() - wal) / count,
            "machine busy": machine().busy_share_since(busy),
            "simulated": True,
        }
    growth = Figure(
        f"memory of a worker after {count:,} messages ÷ after {SETTLED:,}",
        memory.growth,
        1.05,
        True,
    )
    return Finding("hosts", (growth,), {**facts, **memory.facts})


def written(home: House, count: int) -> Path:
    """A file with so many messages."""
    path = home.home / "backlog.jsonl"
    with path.open("wb") as lines:
        for record in itertools.islice(backlog(), count):
            row: dict[str, str | None] = {"external_id": record.external_id, "body": record.body}
            row |= {"subject": record.subject, "customer_id": record.customer_id}
            lines.write(orjson.dumps(row | {"language": record.language}) + b"\n")
    return path


def _worked_off(home: House, pids: Sequence[int], count: int) -> Memory:
    memory, began = Memory(), time.monotonic()
    while (ended := _one(home, ENDED)) < count:
        if time.monotonic() - began > WITHIN_S:
            raise TimeoutError(f"{count - ended} jobs still open after {WITHIN_S:.0f} s")
        memory.look(pids, ended)
        time.sleep(LOOK_EVERY_S)
    memory.look(pids, ended)
    return memory


@contextmanager
def at_work(home: House) -> Iterator[list[int]]:
    """The workers, each on a host of its own: their processes."""
    with ExitStack() as stack:
        own = {line: stack.enter_context(proxied(there)) for line, there in _targets(home).items()}
        pids = list[int]()
        for number, queues in enumerate(QUEUES, 1):
            place = stack.enter_context(host(own))
            command = ["ip", "netns", "exec", place.name, sys.executable, "-m", "rung", "worker"]
            command += ["-n", f"host{number}@%h", "-Q", queues]
            started = start_worker(stack, home.home, _environ(home, place), command)
            served = sum(len(these.split(",")) for these in QUEUES[:number])
            until_ready(home.engine, started, served, home.home / "worker.log")
            pids.append(started.pid)
        yield pids


def _targets(home: House) -> dict[str, tuple[str, int] | str]:
    postgres = parse_qs(urlsplit(home.environ["DATABASE_URL"]).query)["host"][0]
    return {
        "claude": ("127.0.0.1", urlsplit(home.simulator_url).port or 0),
        "redis": urlsplit(home.environ["REDIS_URL"]).path,
        "postgres": f"{postgres}/.s.PGSQL.5432",
    }


def _environ(home: House, place: Host) -> dict[str, str]:
    """The house's, with every address that of a line of this host."""
    at = {name: f"{place.gateway}:{line.port}" for name, line in place.lines.items()}
    database = urlsplit(home.environ["DATABASE_URL"])
    return {
        **home.environ,
        "DATABASE_URL": f"postgresql://{database.username}@{at['postgres']}{database.path}",
        "REDIS_URL": f"redis://{at['redis']}/0",
        "ANTHROPIC_BASE_URL": f"http://{at['claude']}",
    }


def _cpu(home: House, pids: Sequence[int]) -> dict[str, float]:
    workers = {f"host {number}": cpu_s(pid) for number, pid in enumerate(pids, 1)}
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {**workers, **home.services_cpu_s(), "cables": own.ru_utime + own.ru_stime}


def resident(pid: int) -> int:
    """Bytes of memory that a process holds. Raises OSError when it has ended."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * PAGE


def _one(home: House, question: str) -> int:
    with home.engine.connect() as connection:
        return int(connection.execute(text(question)).scalar_one())


ENDED = """
SELECT coalesce(sum(jobs), 0) FROM run_counts WHERE state NOT IN ('queued', 'routed', 'submitted')
"""
SIZE = "SELECT pg_database_size(current_database())"
RESULTS = "SELECT count(*) FROM results"
CALLS = "SELECT count(*) FROM calls"


@click.command()
@click.option("--jobs", default=JOBS, show_default=True, help="Messages in the run.")
@click.option("--policy", default=POLICY, show_default=True, help="Of the run.")
def main(jobs: int, policy: str) -> None:
    """The figures of one run, as Markdown."""
    before = machine()
    finding = run(jobs=jobs, policy=policy)
    show(finding, Console(stderr=True))
    click.echo(as_markdown([finding], before))


if __name__ == "__main__":
    main()
