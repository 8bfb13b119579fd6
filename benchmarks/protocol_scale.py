"""Dispatch, claim and record at a million jobs, over the same at ten thousand.

Two databases of one Postgres are filled (`grown`), and the store's own functions are timed on
both in turns, so that a slow moment of the machine meets both: dispatch of `GROUP` jobs, their
claims chunk by chunk, and one record of all their answers; then some rounds more, of which
Postgres's own count of its CPU is taken. A fifth of the jobs wait, so what is
ready grows with the table as well. Commits do not wait for the disk here: that would be the same at
any size, and would hide what grows.

`python -m benchmarks.protocol_scale --jobs 10000000` measures at ten million; it takes about
12 GB of disk.
"""

import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path

import click
import psycopg
from rich.console import Console
from sqlalchemy import Engine, text

from benchmarks.figures import Figure, Finding, show
from benchmarks.grown import fill
from benchmarks.postgres_cpu import COUNTED, CpuLog
from models.vocabulary import AttemptOutcome, CallState, Purpose
from worker.claude.planner import Planner
from worker.claude.prompts import load_prompts
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.domain.claimed import Claimed
from worker.domain.endings import Accepted
from worker.domain.pricing import Usage
from worker.domain.reports import AttemptReport, CallReport
from worker.sandbox.home import prepare
from worker.sandbox.postgres import start_postgres, url_for
from worker.store.engine import make_engine
from worker.store.queue.claim import Claims
from worker.store.queue.dispatch import OUTSTANDING_FACTOR, dispatch
from worker.store.queue.presence import Presence, beat
from worker.store.queue.record import record

TARGET = 1.5
SMALL, LARGE, QUICK_LARGE = 10_000, 1_000_000, 100_000
GROUP, CHUNK = 50, 25
ROUNDS, CPU_ROUNDS, WARM_UP = 22, 17, 6
"""Rounds on each database by the clock and by Postgres's count, and how many of each do not count.
All fit in the small one."""


def run(*, quick: bool = False, jobs: int | None = None) -> Finding:
    """Ratios of the medians, step by step."""
    large = jobs or (QUICK_LARGE if quick else LARGE)
    with databases((SMALL, large)) as (sites, fill_s):
        for number in range(ROUNDS):
            for site in sites if number % 2 else sites[::-1]:
                site.round(counts=number >= WARM_UP)
        for site in sites:
            site.count_cpu()
        for number in range(CPU_ROUNDS):
            for site in sites if number % 2 else sites[::-1]:
                site.round(counts=number >= WARM_UP)
    small, big = ({of: statistics.median(ms) for of, ms in site.spent.items()} for site in sites)
    figures = [
        Figure(f"{of} at {large:,} jobs ÷ at {SMALL:,}", big[of] / small[of], TARGET, True)
        for of in small
    ]
    facts: dict[str, object] = {f"{of} ms": f"{small[of]:.2f} → {big[of]:.2f}" for of in small}
    return Finding(
        "protocol_scale", tuple(figures), {"jobs a round": GROUP, "fill s": fill_s} | facts
    )


class Site:
    """One filled database, and a worker process's view of it."""

    def __init__(self, engine: Engine, settings: Settings, log: Path) -> None:
        prompts = load_prompts(settings.prompts.dir)
        self.engine = engine
        self.planner = Planner.of(settings, prompts)
        self.claims = Claims(
            engine,
            worker="bench",
            lease_s=settings.timing.lease_s,
            per_day_usd=Decimal(1_000_000),
            classifier=self.planner.classifier,
            canary=False,
        )
        self.log = log
        self.cpu: CpuLog | None = None
        self.spent: dict[str, list[float]] = defaultdict(list)
        """Milliseconds by step, of the clock and of Postgres's processor."""

    def count_cpu(self) -> None:
        """From here on rounds are counted by Postgres, and not by the clock."""
        with self.engine.begin() as connection:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
            connection.execute(text(f"ALTER DATABASE {name} SET {COUNTED}"))
        self.engine.dispose()
        self.cpu = CpuLog(self.log)

    def round(self, *, counts: bool) -> None:
        """Dispatches, claims and records one group."""
        beat(self.engine, Presence("bench", {"haiku": GROUP // OUTSTANDING_FACTOR}), {})
        with self._timed("dispatch", counts):
            chunks = dispatch(self.engine, chunk=CHUNK, redispatch_s=60)
        with self._timed("claim", counts):
            claimed = [
                one
                for chunk in chunks
                for one in self.claims.take(chunk.queue, chunk.ids, self.planner).granted
            ]
        reports = [answered(one) for one in claimed]
        if len(reports) != GROUP:
            raise RuntimeError(f"{len(reports)} jobs were claimed, not {GROUP}")
        with self._timed("record", counts):
            record(self.engine, reports)

    @contextmanager
    def _timed(self, step: str, counts: bool) -> Iterator[None]:
        if self.cpu is not None:
            self.cpu.begin()
        began = time.perf_counter()
        yield
        spent = 1000 * (time.perf_counter() - began)
        if self.cpu is not None:
            step, spent = f"{step}, CPU of Postgres,", self.cpu.spent_ms()
        if counts:
            self.spent[step].append(spent)


def answered(claimed: Claimed) -> AttemptReport:
    """One call, one accepted answer."""
    call = CallReport(
        purpose=Purpose.ANSWER,
        state=CallState.DONE,
        usage=Usage(input_tokens=200, output_tokens=100),
        cost=Decimal("0.0007"),
        latency_ms=900,
        stop_reason="end_turn",
        http_status=200,
        simulated=True,
        output="Thank you for writing to us. " * 5,
    )
    ending = Accepted("Thank you for writing to us. " * 5, {})
    one = claimed.candidate
    return AttemptReport(
        job_id=one.job_id,
        fence=one.fence,
        outcome=AttemptOutcome.ACCEPTED,
        ending=ending,
        calls=(call,),
        confidence=Decimal("0.9"),
    )


@contextmanager
def databases(sizes: Sequence[int]) -> Iterator[tuple[list[Site], float]]:
    """A site of each size on one server, and the seconds that filling the largest took."""
    with ExitStack() as stack:
        home = prepare(Path(tempfile.mkdtemp(prefix="rung-b-")))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        postgres = start_postgres(home / "pg", durable=False)
        stack.callback(postgres.stop)
        settings = load_settings({}, home)
        sites, took = list[Site](), 0.0
        for size in sizes:
            with psycopg.connect(postgres.url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE jobs_{size}")
            url = url_for(postgres.url, f"jobs_{size}")
            took = fill(url, settings, size)
            engine = make_engine(url, pool_size=1, name="rung benchmark")
            stack.callback(engine.dispose)
            sites.append(Site(engine, settings, home / "pg" / "log"))
        yield sites, took


@click.command()
@click.option("--jobs", default=LARGE, show_default=True, help="Jobs in the large database.")
def main(jobs: int) -> None:
    """Dispatch, claim and record, large ÷ small."""
    show(run(jobs=jobs), Console())


if __name__ == "__main__":
    main()
