"""Postgres's CPU for every page, the API, `/metrics` and the commands that read, at two sizes.

`python -m benchmarks.growth --jobs 10000000 --keep DIR` fills two records on a Postgres of its own
(ten million took 14 GB and eight minutes), asks a real dashboard over each for one page after the
other, then what is counted when asked for, then each command, and prints what Postgres's own count
of its CPU says (`log_statement_stats`): on a busy machine the clock says little. Of a command it is
also printed what its own process took, and how much memory at its most. `--keep` leaves server and
records for the next time. `--only` asks what has these words in its name, and `--statements` says
which statements took the time.
"""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import httpx2
import psycopg

from benchmarks.addresses import counts_of, pages_of
from benchmarks.command_meter import Taken, table, take
from benchmarks.command_words import Commands, changing, reading
from benchmarks.filled import fill
from benchmarks.filter_addresses import filters_of
from benchmarks.postgres_cpu import COUNTED, CpuLog
from benchmarks.screens import one_answer
from benchmarks.services import clean_environ
from benchmarks.viewers import NO_CLAUDE, client_of
from worker.sandbox.home import prepare
from worker.sandbox.postgres import start_postgres
from worker.sandbox.redis import start_redis
from worker.store.engine import make_engine
from worker.store.schema import upgrade

SMALL = 10_000
KEPT_S = 5.5
"""For a little less a dashboard keeps what it drew of a run."""
KINDS = ("pages", "counts", "filters", "commands", "changes", "all")
"""`filters` are many, and `changes` leave another record: both are asked by name alone."""
COMMAND_S = 1_800
LEAST_MS = 0.2
"""Below this the count is as coarse as what it counts."""
TAIL = 200
"""Characters of a statement that are shown."""
SETTINGS = (COUNTED, "max_parallel_workers_per_gather = 0")
"""A parallel worker's time is in nobody's statistics."""
ITS_STATEMENTS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()
"""
"""They would go on."""
Sides = tuple["Side", "Side"]
Pages = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Side:
    """A record of so many jobs, and what its statements' CPU is read from."""

    jobs: int
    url: str
    cpu: CpuLog
    environ: Mapping[str, str]
    client: httpx2.Client


@contextmanager
def sides(root: Path, large: int) -> Iterator[Sides]:
    """Both records on one server, filled where they are not."""
    with ExitStack() as stack:
        home = prepare(root)
        postgres = start_postgres(home / "pg")
        redis = start_redis(home / "redis")
        stack.callback(redis.stop)
        found = []
        for jobs in (SMALL, large):
            url = _record(postgres.url, jobs)
            environ = {
                **clean_environ(),
                "DATABASE_URL": url,
                "RUNG_HOME": str(home),
                "REDIS_URL": redis.url,
                **NO_CLAUDE,
            }
            client = stack.enter_context(client_of(environ, home, timeout_s=300))
            found.append(Side(jobs, url, CpuLog(home / "pg" / "log"), environ, client))
        yield found[0], found[1]


def _record(server: str, jobs: int) -> str:
    """The address of a filled database with statistics of its own."""
    name = f"jobs_{jobs}"
    url = server.replace("/rung?", f"/{name}?")
    with psycopg.connect(server, autocommit=True) as connection:
        there = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", (name,)
        ).fetchone()
        if not there:
            connection.execute(f"CREATE DATABASE {name}".encode())
    engine = make_engine(url, pool_size=1)
    upgrade(engine)
    engine.dispose()
    if not there:
        fill(url, jobs)
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in SETTINGS:
            connection.execute(f"ALTER DATABASE {name} SET {setting}".encode())
    return url


def asked(
    both: Sides, pages: Sequence[Pages], rounds: int, only: Sequence[str]
) -> dict[str, list[float]]:
    """Median milliseconds of Postgres for each page, of the small record and of the large one."""
    small, large = both
    times: dict[str, list[list[float]]] = {}
    of_small, of_large = pages
    for number in range(rounds + 1):
        began = time.monotonic()
        for name, paths in of_large.items():
            if not _meant(name, only):
                continue
            for place, (side, these) in enumerate(((small, of_small[name]), (large, paths))):
                side.cpu.begin()
                one_answer(side.client, these[number % len(these)])
                spent = side.cpu.spent_ms()
                # The first round warms up what a dashboard loads once.
                if number:
                    times.setdefault(name, [[], []])[place].append(spent)
                else:
                    side.cpu.by_statement.clear()
        time.sleep(max(KEPT_S - (time.monotonic() - began), 0))
    return {name: [statistics.median(side) for side in pair] for name, pair in times.items()}


def _meant(name: str, only: Sequence[str]) -> bool:
    return not only or any(words in name for words in only)


def commanded(both: Sides, commands: Commands, only: Sequence[str]) -> dict[str, list[Taken]]:
    """What each command took, at either size, each run once."""
    found: dict[str, list[Taken]] = {}
    for name, words in commands.items():
        if _meant(name, only):
            found[name] = [_command(side, words) for side in both]
            click.echo(f"{name}: {found[name][1]}", err=True)
    return found


def _command(side: Side, words: Sequence[str]) -> Taken:
    side.cpu.begin()
    taken = take(words, side.environ, COMMAND_S)
    if taken.failed:
        with psycopg.connect(side.url, autocommit=True) as connection:
            connection.execute(ITS_STATEMENTS)
    return replace(taken, postgres_s=side.cpu.spent_ms() / 1_000)


def said(found: Mapping[str, Sequence[float]], both: Sides) -> Iterator[str]:
    """A table, the worst first."""
    yield f"| what | ms at {both[0].jobs:,} | ms at {both[1].jobs:,} | ÷ |"
    yield "| --- | ---: | ---: | ---: |"
    ratios = {name: max(many, LEAST_MS) / max(few, LEAST_MS) for name, (few, many) in found.items()}
    for name in sorted(ratios, key=lambda name: -ratios[name]):
        few, many = found[name]
        yield f"| `{name}` | {few:.1f} | {many:.1f} | {ratios[name]:.2f} |"


@click.command()
@click.option("--jobs", type=click.IntRange(SMALL), default=1_000_000, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="Directory of server and records.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--only", multiple=True, help="What has one of these words in its name.")
@click.option("--what", type=click.Choice(KINDS), default="all")
@click.option("--statements", is_flag=True, help="The dearest at the large size.")
def main(
    jobs: int, keep: Path | None, rounds: int, only: tuple[str, ...], what: str, *, statements: bool
) -> None:
    """Pages and commands at a size of your choice, beside 10,000."""
    with ExitStack() as stack:
        root = keep or Path(stack.enter_context(TemporaryDirectory(prefix="rung-b-")))
        both = stack.enter_context(sides(root, jobs))
        if keep is None:
            stack.callback(start_postgres(root / "pg").stop)
        found: dict[str, list[float]] = {}
        if what in ("pages", "all"):
            found |= asked(both, [pages_of(side.jobs) for side in both], rounds, only)
        if what in ("counts", "all"):
            found |= asked(both, [counts_of()] * 2, rounds, only)
        if what == "filters":
            found |= asked(both, [filters_of()] * 2, rounds, only)
        if found:
            click.echo("\n".join(said(found, both)))
        files = stack.enter_context(TemporaryDirectory(prefix="rung-b-"))
        for kinds, commands in ((("commands", "all"), reading), (("changes",), changing)):
            if what in kinds:
                taken = commanded(both, commands(Path(files)), only)
                click.echo("\n".join(table(taken, [side.jobs for side in both])))
        if statements:
            for side in both:
                click.echo(f"\n{side.jobs:,}:")
                for text, spent in side.cpu.dearest(12):
                    click.echo(f"{spent:10.1f} ms  {text[:TAIL]} … {text[-TAIL:]}")


if __name__ == "__main__":
    main()
