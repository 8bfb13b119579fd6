"""The parts that teams have, started for one test each: PostgreSQL, pgbouncer, Redis, Sentinel.

Each listens on a loopback port of its own, keeps its files below the test's directory, and is ended
by its pid. A part that this machine lacks skips the test, by name.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.waiting import eventually
from worker.sandbox.redis import free_port

RELEASES = (f"/usr/lib/postgresql/{number}/bin" for number in range(19, 12, -1))
PLACES = ("/usr/sbin", "/usr/local/sbin", *RELEASES)
SERVER_USER = "postgres"


def program(name: str) -> str:
    """Where it is. Skips the test where it is not."""
    found = shutil.which(name) or shutil.which(name, path=":".join(PLACES))
    if found is None:
        pytest.skip(f"{name} is not installed: tests/support/get_servers.sh installs it as root")
    return found


def _as_server() -> list[str]:
    """PostgreSQL and pgbouncer refuse to be run by root."""
    return ["runuser", "-u", SERVER_USER, "--"] if os.getuid() == 0 else []


def theirs(path: Path) -> Path:
    """A directory that the server's user may write to."""
    path.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        # pytest's own directories above it are closed to others.
        for parent in path.parents:
            if parent.stat().st_uid == 0 and parent != parent.parent and "pytest" in str(parent):
                parent.chmod(parent.stat().st_mode | 0o011)
        owner = pwd.getpwnam(SERVER_USER)
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return path


@contextlib.contextmanager
def running(command: list[str], log: Path, **how: object) -> Iterator[subprocess.Popen[bytes]]:
    """A server, ended with the block."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, **how)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def postgres(root: Path, *settings: str) -> Iterator[str]:
    """Debian's PostgreSQL with an empty database `rung`; its superuser's address."""
    initdb, server = program("initdb"), program("postgres")
    data, port = theirs(root / "pg") / "data", free_port()
    made = [*_as_server(), initdb, "-D", str(data), "-U", SERVER_USER, "-A", "trust", "-N"]
    subprocess.run(made, check=True, capture_output=True, cwd="/")
    quick = ("fsync=off", "listen_addresses=127.0.0.1", f"unix_socket_directories={data.parent}")
    options = [word for one in (*quick, *settings) for word in ("-c", one)]
    command = [*_as_server(), server, "-D", str(data), "-p", str(port), *options]
    url = f"postgresql://{SERVER_USER}@127.0.0.1:{port}/rung"
    with running(command, root / "postgres.log", cwd="/"):
        eventually(lambda: _connects(url.replace("/rung", "/postgres")))
        with psycopg.connect(url.replace("/rung", "/postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE rung")
        yield url


@contextlib.contextmanager
def standby(root: Path, of: str) -> Iterator[tuple[str, Path]]:
    """A streaming standby of a PostgreSQL: its address, and its data directory."""
    data, port = theirs(root / "standby") / "data", free_port()
    primary = psycopg.conninfo.conninfo_to_dict(of)
    copy = [*_as_server(), program("pg_basebackup"), "-h", "127.0.0.1", "-p", str(primary["port"])]
    copy += ["-U", SERVER_USER, "-D", str(data), "-R", "-X", "stream", "-c", "fast"]
    subprocess.run(copy, check=True, capture_output=True, cwd="/")
    quick = ("fsync=off", "listen_addresses=127.0.0.1", f"unix_socket_directories={data.parent}")
    options = [word for one in quick for word in ("-c", one)]
    command = [*_as_server(), program("postgres"), "-D", str(data), "-p", str(port), *options]
    url = f"postgresql://{SERVER_USER}@127.0.0.1:{port}/rung"
    with running(command, root / "standby.log", cwd="/"):
        eventually(lambda: _connects(url))
        yield url, data


def promote(data: Path) -> None:
    """Makes a standby the primary."""
    command = [*_as_server(), program("pg_ctl"), "promote", "-D", str(data), "-w"]
    subprocess.run(command, check=True, capture_output=True, cwd="/")


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextlib.contextmanager
def pgbouncer(root: Path, behind: str, *lines: str) -> Iterator[str]:
    """In transaction mode before a PostgreSQL, with few server connections; its address."""
    binary = program("pgbouncer")
    folder, port = theirs(root / "bouncer"), free_port()
    server = psycopg.conninfo.conninfo_to_dict(behind)
    (folder / "pgbouncer.ini").write_text(
        "[databases]\n"
        f"rung = host=127.0.0.1 port={server['port']} dbname=rung user={SERVER_USER}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 12\nmax_client_conn = 200\n"
        + "\n".join(lines)
        + "\n"
    )
    command = [*_as_server(), binary, str(folder / "pgbouncer.ini")]
    url = f"postgresql://{SERVER_USER}@127.0.0.1:{port}/rung"
    with running(command, root / "pgbouncer.log", cwd="/"):
        eventually(lambda: _connects(url))
        yield url


@contextlib.contextmanager
def redis_server(root: Path, config: str, name: str = "redis-server") -> Iterator[Path]:
    """A Redis, a Valkey or a Sentinel with this configuration; the directory of its files."""
    binary = program(name)
    root.mkdir(parents=True, exist_ok=True)
    (root / "server.conf").write_text(f"dir {root}\nsave ''\n{config}\n".replace("''", '""'))
    with running([binary, str(root / "server.conf")], root / "server.log"):
        yield root
