"""The parts that teams have, started for one test each: PostgreSQL, pgbouncer, Redis, Sentinel.

Each listens on a loopback port of its own, keeps its files in a directory of its own, and is ended
by its pid. A part that this machine lacks skips the test, by name.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from tests.support.places import ROOT
from tests.support.waiting import eventually
from worker.sandbox.children import end
from worker.sandbox.redis import free_port

RELEASES = (f"/usr/lib/postgresql/{number}/bin" for number in range(19, 12, -1))
TOOLS, FETCHED = ROOT / ".tools", ("valkey-server", "valkey-tls", "docker-compose")
PLACES = ("/usr/sbin", "/usr/local/sbin", *(f"{TOOLS}/{name}" for name in FETCHED), *RELEASES)
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


@contextlib.contextmanager
def their_directory() -> Iterator[Path]:
    """A directory of the server's user. Not below pytest's own: every session of pytest closes
    those to others again."""
    with tempfile.TemporaryDirectory(prefix="rung-part-", ignore_cleanup_errors=True) as name:
        path = Path(name)
        if os.getuid() == 0:
            owner = pwd.getpwnam(SERVER_USER)
            os.chown(path, owner.pw_uid, owner.pw_gid)
        yield path


@contextlib.contextmanager
def running(command: list[str], log: Path, **how: object) -> Iterator[subprocess.Popen[bytes]]:
    """A server, ended with the block."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, **how)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        end(process, within_s=20)


@contextlib.contextmanager
def postgres(root: Path, *settings: str, release: int | None = None) -> Iterator[str]:
    """A PostgreSQL with an empty database `rung`; its superuser's address. Debian's, or that of a
    release, which skips the test where it is not here. Its log is in `root`."""
    root.mkdir(parents=True, exist_ok=True)
    with their_directory() as home:
        binaries = _binaries_of(release, home) if release else Path(program("initdb")).parent
        made = [*_as_server(), str(binaries / "initdb"), "-D", str(home / "data")]
        done = subprocess.run(
            [*made, "-U", SERVER_USER, "-A", "trust", "-N"], capture_output=True, text=True, cwd="/"
        )
        assert done.returncode == 0, done.stderr
        with _serving(home, root / "postgres.log", settings, binaries) as server:
            url = f"{server}/postgres"
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CREATE DATABASE rung")
            yield f"{server}/rung"


def _binaries_of(release: int, home: Path) -> Path:
    """A copy that the server's user may read, wherever the checkout is."""
    place = TOOLS / "postgres" / str(release)
    if not (place / "bin/postgres").exists():
        pytest.skip(f"PostgreSQL {release} is not here: tests/support/get_servers.sh fetches it")
    shutil.copytree(place, home / "postgres", symlinks=True)
    return home / "postgres/bin"


@contextlib.contextmanager
def _serving(
    home: Path, log: Path, settings: Sequence[str] = (), binaries: Path | None = None
) -> Iterator[str]:
    """A running server over `home`; its address without a database."""
    port = free_port()
    quick = ("fsync=off", "listen_addresses=127.0.0.1", f"unix_socket_directories={home}")
    options = [word for one in (*quick, *settings) for word in ("-c", one)]
    binary = str(binaries / "postgres") if binaries else program("postgres")
    command = [*_as_server(), binary, "-D", str(home / "data"), "-p", str(port)]
    server = f"postgresql://{SERVER_USER}@127.0.0.1:{port}"
    with running([*command, *options], log, cwd="/"):
        eventually(lambda: _connects(f"{server}/postgres"))
        yield server


@contextlib.contextmanager
def standby(root: Path, of: str) -> Iterator[str]:
    """A streaming standby of a PostgreSQL; its address."""
    port = psycopg.conninfo.conninfo_to_dict(of)["port"]
    with their_directory() as home:
        copy = [*_as_server(), program("pg_basebackup"), "-h", "127.0.0.1", "-p", str(port)]
        copy += ["-U", SERVER_USER, "-D", str(home / "data"), "-R", "-X", "stream", "-c", "fast"]
        done = subprocess.run(copy, capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stderr
        with _serving(home, root / "standby.log") as server:
            yield f"{server}/rung"


def promote(url: str) -> None:
    """Makes a standby the primary."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_promote()").fetchone()
    assert row == (True,)


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextlib.contextmanager
def pgbouncer(root: Path, behind: str, *lines: str) -> Iterator[str]:
    """In transaction mode before a PostgreSQL, with few server connections; its address."""
    binary, port = program("pgbouncer"), free_port()
    server = psycopg.conninfo.conninfo_to_dict(behind)
    with their_directory() as folder:
        (folder / "pgbouncer.ini").write_text(
            "[databases]\n"
            f"rung = host=127.0.0.1 port={server['port']} dbname=rung user={SERVER_USER}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\ndefault_pool_size = 12\n"
            "max_client_conn = 200\n" + "\n".join(lines) + "\n"
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
