"""A house to measure in: embedded Postgres and Redis, the Claude simulator, one Celery worker.

Everything is started for one benchmark, on data of its own, and ended with it. The worker is the
real one (`celery -A worker.app worker`), and dispatches to itself as it does in production. The
record is durable, so commits cost what they cost.
"""

import itertools
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.processes import cpu_s, tree_cpu_s
from benchmarks.services import ENDS_WITHIN_S, LOOK_EVERY_S, READY_WITHIN_S, servers
from models.vocabulary import Lane
from worker.config.loading import load_settings
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.intake import Record
from worker.sandbox.children import end
from worker.sandbox.home import prepare
from worker.sandbox.supervisor import worker_command
from worker.store.engine import make_engine
from worker.store.new_runs import NewRun, create_run
from worker.store.queue.copy_rows import packed_rows
from worker.store.queue.intake import add_in
from worker.store.queue.presence import live_queues
from worker.store.queue.run_intake import close_intake
from worker.store.runs import RunRef
from worker.store.schema import upgrade

BACKLOG = Path(__file__).parents[1] / "examples" / "backlog.jsonl"
STAGED_ROWS = 1_000
NO_LIMIT = 1_000_000_000
"""Tokens a minute that nobody reaches: the rate limiter works, and never says no."""


@dataclass(frozen=True, slots=True)
class House:
    """What runs."""

    home: Path
    environ: Mapping[str, str]
    settings: Settings
    engine: Engine
    worker_pids: Sequence[int]
    postgres_pid: int
    redis_pid: int

    @property
    def simulator_url(self) -> str:
        """Where the simulated Claude listens."""
        return self.environ["ANTHROPIC_BASE_URL"]

    def worker_cpu_s(self) -> float:
        """CPU seconds of the worker processes since they started."""
        return sum(map(cpu_s, self.worker_pids))

    def services_cpu_s(self) -> dict[str, float]:
        """CPU seconds of Postgres, with its backends, and of Redis, since they started."""
        return {"postgres": tree_cpu_s(self.postgres_pid), "redis": cpu_s(self.redis_pid)}

    def hand_in(
        self,
        name: str,
        count: int,
        *,
        first: int = 0,
        policy: str | None = None,
        channels: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        lane: Lane = Lane.REALTIME,
    ) -> RunRef:
        """A run of `count` messages from the sample backlog. Beyond its end the backlog is
        repeated with another word in each text, so that no label is remembered from before.
        `channels` stand in turn instead of the messages' own; `metadata` is that of each row."""
        records: Iterator[Record] = itertools.islice(backlog(), first, first + count)
        if channels:
            turns = itertools.cycle(channels)
            records = (replace(record, channel=next(turns)) for record in records)
        if metadata is not None:
            records = (replace(record, metadata=metadata) for record in records)
        with self.engine.begin() as connection:
            run = create_run(
                connection, NewRun(name=name, policy=policy_named(self.settings, policy), lane=lane)
            )
            while block := list(itertools.islice(records, STAGED_ROWS)):
                add_in(connection, run, packed_rows(block, name), False, 0)
            close_intake(connection, run, 0, 0)
        return run

    def wal_bytes(self) -> int:
        """Bytes that Postgres has written to its log since it was made."""
        with self.engine.connect() as connection:
            return int(connection.execute(WAL).scalar_one())

    def wait_for(self, run: RunRef, *, within_s: float) -> None:
        """Waits until every job of the run is in a terminal state. Raises TimeoutError."""
        deadline = time.monotonic() + within_s
        while True:
            # Committed, so that its plan is kept: looking is not what is measured.
            with self.engine.begin() as connection:
                left = connection.execute(OPEN_JOBS, {"run": run.id}).scalar_one()
            if not left:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{left} jobs still open after {within_s:.0f} s")
            time.sleep(LOOK_EVERY_S)


def backlog() -> Iterator[Record]:
    """The sample backlog over and over, each message under an id and with a text of its own."""
    with BACKLOG.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for number in itertools.count():
        row = rows[number % len(rows)]
        turn = number // len(rows)
        body = f"{row['body']} (case {turn})" if turn else row["body"]
        yield Record(
            line=number + 1,
            external_id=f"{turn}-{row['external_id']}",
            body=body,
            subject=row.get("subject"),
            channel=row.get("channel"),
            customer_id=row.get("customer_id"),
            language=row.get("language"),
        )


@contextmanager
def house(
    *,
    latency_scale: float,
    in_flight: Mapping[str, int],
    workers: int = 1,
    limits: Mapping[str, tuple[int, int, int]] | None = None,
    more: str = "",
    postgres_url: str | None = None,
) -> Iterator[House]:
    """Everything, running; of no `workers` the caller starts its own. `in_flight` gives each tier's
    calls in flight in each worker. `limits` (requests, input and output tokens a minute by tier)
    are configured and enforced; `more` is added to rung.toml. With `postgres_url` that Postgres is
    used, and left as it is afterwards."""
    with ExitStack() as stack:
        home = prepare(Path(tempfile.mkdtemp(prefix="rung-b-")))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        environ, postgres, redis = servers(stack, home, latency_scale, limits, postgres_url)
        (home / "rung.toml").write_text(_toml(in_flight, limits or {}) + more, "utf-8")
        settings = load_settings(environ, home)
        engine = make_engine(environ["DATABASE_URL"], pool_size=2, name="rung benchmark")
        stack.callback(engine.dispose)
        upgrade(engine)
        started = [
            start_worker(stack, home, environ, worker_command(f"bench{n}")) for n in range(workers)
        ]
        if started:
            queues = workers * (len(settings.tiers) + 1)
            until_ready(engine, started[0], queues, home / "worker.log")
        pids = [worker.pid for worker in started]
        yield House(home, environ, settings, engine, pids, postgres, redis.pid)


def start_worker(
    stack: ExitStack, home: Path, environ: Mapping[str, str], command: Sequence[str]
) -> subprocess.Popen[bytes]:
    """A worker, which ends with `stack`. It says what it has to say in the house's worker.log."""
    with (home / "worker.log").open("ab") as log:
        worker = subprocess.Popen(command, env=environ, cwd=home, stdout=log, stderr=log)
    stack.callback(end, worker, ENDS_WITHIN_S)
    return worker


def _toml(in_flight: Mapping[str, int], limits: Mapping[str, tuple[int, int, int]]) -> str:
    lines = list[str]()
    for tier, calls in in_flight.items():
        rpm, itpm, otpm = limits.get(tier, (NO_LIMIT,) * 3)
        lines += [f"[tiers.{tier}]", f'model = "claude-{tier}-5-5"', f"max_in_flight = {calls}"]
        lines += [f"rpm = {rpm}", f"itpm = {itpm}", f"otpm = {otpm}"]
    return "\n".join([*lines, ""])


def until_ready(engine: Engine, worker: subprocess.Popen[bytes], queues: int, log: Path) -> None:
    """Waits until so many queues are served, counted once for each worker. Raises RuntimeError."""
    deadline = time.monotonic() + READY_WITHIN_S
    while live_queues(engine) < queues:
        if worker.poll() is not None or time.monotonic() > deadline:
            said = log.read_text("utf-8", "replace")[-2_000:]
            raise RuntimeError(f"the worker did not start:\n{said}")
        time.sleep(LOOK_EVERY_S)


WAL = text("SELECT pg_current_wal_lsn() - '0/0'")
OPEN_JOBS = text("""
SELECT coalesce(sum(jobs), 0) FROM run_counts
WHERE run_id = :run AND state IN ('queued', 'routed', 'submitted')
""")
