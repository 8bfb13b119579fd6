"""Real Postgres and Redis for a test run: started once, by whoever comes first, ended by pid."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from sqlalchemy.pool import NullPool

from worker.sandbox.postgres import start_postgres
from worker.sandbox.redis import Redis, free_port, start_redis

TEMPLATE = "rung_template"
_started: list[Redis] = []
"""Held, because a `Popen` that is collected while its process runs is a warning."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they listen, and whom to end."""

    root: str
    postgres_url: str
    postgres_pid: int
    redis_url: str
    redis_pid: int

    def database(self, name: str) -> str:
        """The URL of a database on the server."""
        head, _, tail = self.postgres_url.partition("/rung?")
        return f"{head}/{name}?{tail}"

    def stop(self) -> None:
        """Ends both, by pid."""
        for redis in _started:
            redis.stop()
        for pid, how in (
            (self.redis_pid, signal.SIGKILL),
            (self.postgres_pid, signal.SIGQUIT),
        ):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
                _wait_gone(pid)


def start(root: Path) -> Servers:
    """Starts both, and migrates the template database that tests are cloned from."""
    postgres = start_postgres(root / "pg", durable=False)
    redis = start_redis(root / "redis", free_port())
    _started.append(redis)
    servers = Servers(str(root), postgres.url, postgres.pid, redis.url, redis.process.pid)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    from sqlalchemy import create_engine

    from worker.store.schema import upgrade

    url = servers.database(TEMPLATE).replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, poolclass=NullPool)
    upgrade(engine)
    engine.dispose()
    return servers


def shared(run_id: str) -> Servers:
    """The servers of this test run, started if nobody has."""
    root = Path(tempfile.gettempdir()) / f"rung-t-{run_id}"
    root.mkdir(mode=0o711, exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = root / "servers.json"
        if told.exists():
            return Servers(**json.loads(told.read_text()))
        servers = start(root)
        told.write_text(json.dumps(asdict(servers)))
        return servers


def end(run_id: str) -> None:
    """Ends the servers of this test run, by pid, and removes their data."""
    root = Path(tempfile.gettempdir()) / f"rung-t-{run_id}"
    told = root / "servers.json"
    if told.exists():
        Servers(**json.loads(told.read_text())).stop()
    shutil.rmtree(root, ignore_errors=True)


def _wait_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)


@contextlib.contextmanager
def cloned(servers: Servers, what: str) -> Iterator[str]:
    """A fresh database, migrated already, dropped afterwards. Processes of a suite share the
    servers, so that its name is more than `what`."""
    name = _name(what)
    _clone(servers, name)
    try:
        yield servers.database(name)
    finally:
        _drop(servers, name)


@contextlib.contextmanager
def database_of_its_own(name: str) -> Iterator[str]:
    """A migrated database on servers that nobody else uses, and that end with it."""
    with tempfile.TemporaryDirectory(prefix="rung-b-") as root:
        # Postgres, started by root, runs as somebody else.
        Path(root).chmod(0o711)
        servers = start(Path(root))
        try:
            with cloned(servers, name) as url:
                yield url
        finally:
            servers.stop()


class Stock:
    """Fresh databases, the next of which is made while a test runs on the one before."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._thread = ThreadPoolExecutor(1, "databases")
        self._next: Future[str] | None = None
        self._dropped = list[Future[None]]()

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """As `cloned`; it is dropped some time afterwards."""
        name = (self._next or self._order()).result()
        self._next = self._order()
        try:
            yield self._servers.database(name)
        finally:
            self._dropped.append(self._thread.submit(_drop, self._servers, name))

    def close(self) -> None:
        """Drops what is left. Raises what went wrong with any of them."""
        if self._next is not None:
            self._dropped.append(self._thread.submit(_drop, self._servers, self._next.result()))
        self._thread.shutdown()
        for dropped in self._dropped:
            dropped.result()

    def _order(self) -> "Future[str]":
        return self._thread.submit(_clone, self._servers, _name("t"))


def _name(what: str) -> str:
    return f"{what}_{uuid.uuid4().hex[:12]}"


def _clone(servers: Servers, name: str) -> str:
    with psycopg.connect(servers.postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    return name


def _drop(servers: Servers, name: str) -> None:
    with psycopg.connect(servers.postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
