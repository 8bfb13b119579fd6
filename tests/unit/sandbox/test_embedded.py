"""An embedded server that was killed is started again, at the same address."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest
import redis

from tests.support.waiting import eventually
from worker.sandbox.children import started_at
from worker.sandbox.embedded import EmbeddedServer
from worker.sandbox.postgres import Postgres, start_postgres
from worker.sandbox.redis import Redis, free_port, start_redis


def asks_postgres(url: str) -> None:
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def asks_redis(url: str) -> None:
    client = redis.Redis.from_url(url)
    assert client.ping()
    client.close()


def in_directory(folder: Path) -> list[str]:
    """Processes of a server that end a little later than it does."""
    return [process.name for process in Path("/proc").glob("[0-9]*") if cwd(process) == folder]


def cwd(process: Path) -> Path | None:
    try:
        return (process / "cwd").resolve(strict=True)
    except OSError:
        return None


def of_postgres(folder: Path) -> Postgres:
    return start_postgres(folder / "postgres", durable=False)


def of_redis(folder: Path, port: int) -> Redis:
    return start_redis(folder / "redis", fake_port=port)


@pytest.mark.parametrize(
    ("name", "start", "ask"),
    [
        ("Postgres", of_postgres, asks_postgres),
        ("Redis", partial(of_redis, port=free_port()), asks_redis),
    ],
)
def test_a_server_that_ended_is_started_again_where_it_was(
    name: str,
    start: Callable[[Path], Postgres | Redis],
    ask: Callable[[str], None],
    tmp_path: Path,
) -> None:
    server = EmbeddedServer(name, partial(start, tmp_path))
    try:
        url, pid = server.server.url, server.server.pid
        assert server.revive() is None
        # and what it is locked by is not where everybody may write
        assert (
            name == "Redis" or stat.S_IMODE((tmp_path / ".postgres.lock").stat().st_mode) == 0o600
        )
        # when
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: started_at(pid) is None)
        eventually(lambda: not in_directory(tmp_path / "postgres"))
        # then
        assert server.revive() == f"{name} had ended, and was started again."
        assert server.server.url == url
        ask(url)
        assert server.revive() is None
        # and what it is locked by is not where everybody may write
        assert (
            name == "Redis" or stat.S_IMODE((tmp_path / ".postgres.lock").stat().st_mode) == 0o600
        )
    finally:
        server.stop()


def test_page_images_are_packed_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    # given
    first = start_postgres(tmp_path / "postgres", durable=False)
    try:
        with psycopg.connect(first.url, autocommit=True) as connection:
            packed = connection.execute("SHOW wal_compression").fetchone()
            connection.execute("ALTER SYSTEM SET wal_compression = off")
        # when
        again = start_postgres(tmp_path / "postgres", durable=False)
        # then
        with psycopg.connect(again.url) as connection:
            assert packed == ("pglz",)
            assert connection.execute(WRITTEN).fetchall() == [("off",)]
    finally:
        first.stop()


def test_a_process_that_removes_its_data_leaves_nothing_behind_at_its_end(tmp_path: Path) -> None:
    # when
    subprocess.run([sys.executable, "-c", STARTED_AND_REMOVED, tmp_path / "home"], check=True)
    # then
    assert list(tmp_path.iterdir()) == []


STARTED_AND_REMOVED = """
import shutil, sys
from pathlib import Path
from worker.sandbox.postgres import start_postgres

server = start_postgres(Path(sys.argv[1]) / "postgres", durable=False)
server.stop()
shutil.rmtree(sys.argv[1])
"""
WRITTEN = "SELECT setting FROM pg_file_settings WHERE name = 'wal_compression' ORDER BY seqno"
