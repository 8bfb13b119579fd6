"""What a house to measure in is made of: Postgres, Redis and the Claude simulator, of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from benchmarks.processes import parent_of
from worker.config.addresses import SIMULATOR_KEY
from worker.sandbox.children import end
from worker.sandbox.home import prepare
from worker.sandbox.postgres import start_postgres
from worker.sandbox.redis import Redis, start_redis
from worker.store.engine import make_engine
from worker.store.schema import upgrade

READY_WITHIN_S = 180.0
LOOK_EVERY_S = 0.05
ENDS_WITHIN_S = 20.0
"""A worker that is to end finishes its calls."""


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """Postgres alone, migrated: the environment for commands that only read."""
    with ExitStack() as stack:
        home = prepare(Path(tempfile.mkdtemp(prefix="rung-b-")))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        postgres = start_postgres(home / "pg")
        stack.callback(postgres.stop)
        engine = make_engine(postgres.url, pool_size=1)
        upgrade(engine)
        engine.dispose()
        yield {**clean_environ(), "DATABASE_URL": postgres.url, "RUNG_HOME": str(home)}


def servers(
    stack: ExitStack,
    home: Path,
    latency_scale: float,
    limits: Mapping[str, tuple[int, int, int]] | None,
    postgres_url: str | None = None,
) -> tuple[dict[str, str], int, Redis]:
    """The environment that names them; the process of Postgres, and Redis. `postgres_url` is of one
    that runs already."""
    if postgres_url is None:
        postgres = start_postgres(home / "pg")
        stack.callback(postgres.stop)
        postgres_url, pid = postgres.url, postgres.pid
    else:
        pid = parent_of(_backend(postgres_url))
    redis = start_redis(home / "redis")
    stack.callback(redis.stop)
    environ = {
        **clean_environ(),
        "DATABASE_URL": postgres_url,
        "REDIS_URL": redis.url,
        "RUNG_HOME": str(home),
        "ANTHROPIC_API_KEY": SIMULATOR_KEY,
        "ANTHROPIC_BASE_URL": stack.enter_context(_simulator(home, latency_scale, limits)),
        "PYTHONUNBUFFERED": "1",
    }
    return environ, pid, redis


def _backend(url: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.info.backend_pid


def clean_environ() -> dict[str, str]:
    """The caller's environment, without anything that configures Rung or the SDK."""
    ours = ("RUNG_", "ANTHROPIC_", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@contextmanager
def _simulator(
    home: Path, latency_scale: float, limits: Mapping[str, tuple[int, int, int]] | None
) -> Iterator[str]:
    address = home / "simulator.address"
    command = [sys.executable, "-m", "worker.sandbox.simulator"]
    if limits is None:
        command.append("--no-limits")
    for family, figures in (limits or {}).items():
        command += ["--limit", f"{family}={','.join(map(str, figures))}"]
    command += ["--latency-scale", str(latency_scale), "--address-file", str(address)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=clean_environ())
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while not (address.exists() and address.read_text("utf-8")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the simulator did not start")
            time.sleep(LOOK_EVERY_S)
        yield address.read_text("utf-8")
    finally:
        end(process, ENDS_WITHIN_S)
