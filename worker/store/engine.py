"""Connections to Postgres: short waits, no transaction left open, errors as sentences.

Poolers (pgbouncer in transaction mode, RDS Proxy, Supabase, Neon) give a server's session to
whoever has a transaction, so nothing of the session's may be relied on. Some refuse settings sent
at the start, some drop them. Whether they took effect is looked up on each new connection; where
they did not, settings go before each transaction and statements are not prepared.

Elsewhere psycopg prepares what a connection runs often, and Postgres keeps its plan. A ROLLBACK
makes it forget them all, so what a worker only reads it commits (`engine.begin()`). Plans are kept
for `PLANS_KEPT_S`: one of an empty table would serve until somebody analyzes it.
"""

import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from worker.config.addresses import database_url
from worker.config.settings import Settings
from worker.store.address import read_database
from worker.store.complaints import complaint_of, is_full, is_outage, was_stopped

__all__ = [
    "is_outage",
    "make_engine",
    "ping",
    "pooled",
    "reaching_postgres",
    "takes_writes",
    "wait_until_away",
    "was_stopped",
]
log = logging.getLogger(__name__)
SETTINGS = {
    # A transaction held open across a call is a bug; Postgres ends it.
    "idle_in_transaction_session_timeout": "30s",
    # Longer than that: what a process held that is frozen is free by then, and who waits gets it.
    "lock_timeout": "35s",
    # What is worked on lies in memory, or on a disk without moving parts: a row by its key costs
    # not much more than the next one.
    "random_page_cost": "1.1",
    "timezone": "UTC",
}
TELLING = {name: SETTINGS[name] for name in ("lock_timeout", "idle_in_transaction_session_timeout")}
"""By these a pooler is told; no server has them by itself."""
KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A half-open connection (host gone, NAT forgot) is noticed in about 25 s, not in two hours."""
PLANNED = "rung_planned"
"""Since when a connection has kept plans, on the monotonic clock: a key of its `info`."""
ONE_OPTION = re.compile(r"(?:-c\s*|--)([\w.]+)=((?:\\.|\S)*)")
"""`-c name=value` and `--name=value`, as libpq reads them: a backslash keeps a space."""
PLANS_KEPT_S = 10.0
OVERFLOW = 2
LOOK_S, LOOK_EVERY_S = 2.0, 0.5
"""For whether Postgres answers at all."""
WORKER_STATEMENT_S, SCREEN_STATEMENT_S = 60.0, 30.0
"""A statement that takes longer has a bad plan, or waits for what does not come. Exports and
migrations take as long as they need."""


def make_engine(
    url: str,
    *,
    pool_size: int = 5,
    connect_s: float = 5,
    name: str = "rung",
    statement_s: float | None = None,
    pre_ping: bool = False,
) -> Engine:
    """An engine over psycopg 3, of at most `pool_size + 2` connections, whose statements may take
    `statement_s` seconds each (None: as long as they need). With `pre_ping` a
    connection is tried before it is used. Raises ConfigurationError for an
    address that cannot be read."""
    address = read_database(url)
    own = address.query.get("options", "")
    options = _options(own if isinstance(own, str) else " ".join(own))
    if statement_s is not None:
        options.setdefault("statement_timeout", f"{statement_s * 1000:.0f}ms")
    mine = {"connect_timeout": max(2, round(connect_s)), "application_name": name, **KEEPALIVE}
    engine = create_engine(
        address.difference_update_query(["options"]),
        pool_size=pool_size,
        max_overflow=OVERFLOW,
        pool_timeout=30,
        pool_pre_ping=pre_ping,
        connect_args={key: value for key, value in mine.items() if key not in address.query},
        # An error's words name no parameter: one may be what a customer wrote.
        hide_parameters=True,
    )
    _Door(options).watch(engine)
    event.listen(engine, "handle_error", _say_stopped)
    return engine


class Meter:
    """A number that threads add to, and that is taken away now and then."""

    def __init__(self) -> None:
        self._lock, self._number = threading.Lock(), 0

    def add(self, number: int = 1) -> None:
        """Adds to it."""
        with self._lock:
            self._number += number

    def take(self) -> int:
        """What has come together since this was asked last."""
        with self._lock:
            found, self._number = self._number, 0
            return found


STOPPED = Meter()
"""Statements of this process that ran into their time."""


def _say_stopped(context: ExceptionContext) -> None:
    """Names a statement that ran into its time. Its text holds no value: those are bound."""
    error = context.sqlalchemy_exception
    if isinstance(error, DBAPIError) and was_stopped(error):
        STOPPED.add()
        log.error("statement stopped", extra={"sql": " ".join((context.statement or "").split())})


def worker_engine(settings: Settings) -> Engine:
    """A worker process's. Raises RungError when no database is named, or not in a way to read."""
    return make_engine(
        database_url(settings),
        pool_size=settings.database.connections - OVERFLOW,
        connect_s=settings.timing.connect_s,
        name="rung worker",
        statement_s=WORKER_STATEMENT_S,
    )


def _options(own: str) -> dict[str, str]:
    """Ours, and above them those of the address."""
    theirs = {name: re.sub(r"\\(.)", r"\1", value) for name, value in ONE_OPTION.findall(own)}
    return {**SETTINGS, **{name.replace("-", "_"): value for name, value in theirs.items()}}


class _Door:
    """How sessions are opened: with their settings, until a pooler is found in the way."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.options = dict(options)
        self.pooled = False
        quoted = (f"{k}={v}".replace("\\", "\\\\").replace(" ", "\\ ") for k, v in options.items())
        self._sent = " ".join(f"-c {one}" for one in quoted)
        self._set = "SELECT " + ", ".join(["set_config(%s, %s, true)"] * len(options))
        self._values = tuple(word for pair in options.items() for word in pair)

    def watch(self, engine: Engine) -> None:
        """Opens the engine's connections from now on."""
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "begin", self._begin)
        engine.update_execution_options(rung_door=self)

    def _connect(self, dialect: Any, _record: Any, args: Any, parameters: dict[str, Any]) -> Any:
        if not self.pooled:
            try:
                connection = dialect.connect(*args, **parameters, options=self._sent)
            except psycopg.OperationalError as error:
                if "startup parameter" not in str(error) and "options" not in str(error):
                    raise
            else:
                if self._heeded(connection):
                    return connection
                connection.close()
            self.pooled = True
            log.info("a pooler stands before postgres: settings go with each transaction")
        return dialect.connect(*args, **parameters, prepare_threshold=None)

    def _heeded(self, connection: psycopg.Connection[Any]) -> bool:
        """Whether a setting of ours is in force; where the address has its own, it is trusted."""
        for name, ours in TELLING.items():
            if self.options[name] == ours:
                found = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
                connection.rollback()
                return found == (ours,)
        return True

    def _begin(self, connection: Connection) -> None:
        if self.pooled:
            connection.exec_driver_sql(self._set, self._values)
            return
        now = time.monotonic()
        if now - connection.info.setdefault(PLANNED, now) > PLANS_KEPT_S:
            connection.info[PLANNED] = now
            connection.exec_driver_sql("DISCARD PLANS")


def pooled(connection: Connection) -> bool:
    """Whether a pooler stands between us and Postgres."""
    door: _Door = connection.get_execution_options()["rung_door"]
    return door.pooled


@contextmanager
def reaching_postgres(engine: Engine) -> Iterator[None]:
    """Turns what people can mend (a server away, a right or a role missing) into a RungError."""
    try:
        yield
    except DBAPIError as error:
        complaint = complaint_of(error, engine.url)
        if complaint is None:
            raise
        raise complaint from None


def ping(connection: Connection) -> str:
    """The server's version."""
    return str(connection.execute(text("SHOW server_version")).scalar_one())


def wait_until_away(url: str, seconds: float) -> None:
    """Returns once Postgres has not answered for so long. Each look is by a new connection, since
    one that is open already says nothing of a server that hangs. One that has no connection left
    for us is there: those that are open go on."""
    answered_at = time.monotonic()
    while time.monotonic() - answered_at < seconds:
        engine = make_engine(url, pool_size=1, connect_s=LOOK_S, name="rung last look")
        try:
            with engine.connect() as connection:
                ping(connection)
            answered_at = time.monotonic()
        except DBAPIError as error:
            if is_full(error):
                answered_at = time.monotonic()
        finally:
            engine.dispose()
        time.sleep(LOOK_EVERY_S)


def takes_writes(connection: Connection) -> bool:
    """False on a standby, and where transactions are read-only by default."""
    return bool(connection.execute(text("SHOW transaction_read_only")).scalar() == "off")
