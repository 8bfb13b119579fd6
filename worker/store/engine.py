"""Connections to Postgres: short waits, no transaction left open, errors as sentences."""

import datetime as dt
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from worker.config.addresses import database_url
from worker.config.settings import Settings
from worker.store.address import read_database
from worker.store.complaints import Acting, complaint_of, is_full, is_outage, was_stopped
from worker.store.reach import ServerReach
from worker.store.sessions import SessionDoor, options_of, others_of

__all__ = [
    "acting_through",
    "at_one_moment",
    "away_since",
    "dispose_for_good",
    "is_outage",
    "make_engine",
    "ping",
    "pooled",
    "reaching_postgres",
    "server_encoding",
    "takes_writes",
    "wait_until_away",
    "was_stopped",
]
log = logging.getLogger(__name__)
KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A half-open connection (host gone, NAT forgot) is noticed in about 25 s, not in two hours."""
OVERFLOW = 2
LOOK_S, LOOK_EVERY_S = 2.0, 0.5
"""For whether Postgres answers at all."""
SCREEN_WITHIN_S, COMMAND_WITHIN_S = 3.0, 15.0
"""So long a server may answer nothing at all: to who waits before a screen, and to a command that
may have brought much behind it."""
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
    within_s: float | None = None,
) -> Engine:
    """An engine over psycopg 3, of at most `pool_size + 2` connections, whose statements may take
    `statement_s` seconds each (None: as long as they need). With `pre_ping` a
    connection is tried before it is used. A server that answers nothing for `within_s` seconds is
    given up (None: it is waited for). Raises ConfigurationError for an address that cannot be
    read."""
    address = read_database(url)
    mine = {
        "connect_timeout": max(2, round(connect_s)),
        "application_name": name,
        **KEEPALIVE,
    }
    given = {key: value for key, value in mine.items() if key not in address.query}
    engine = create_engine(
        address.difference_update_query(["options", "client_encoding"]),
        pool_size=pool_size,
        max_overflow=OVERFLOW,
        pool_timeout=30,
        pool_pre_ping=pre_ping,
        connect_args=given | {"client_encoding": "utf8"},
        # An error's words name no parameter: one may be what a customer wrote.
        hide_parameters=True,
        # Claims rely on it: where a role's default is stricter, they would fail one another.
        isolation_level="READ COMMITTED",
    )
    reach = ServerReach(within_s, statement_s) if within_s is not None else None
    connect = psycopg.connect if reach is None else reach.connect
    door = SessionDoor(options_of(address, statement_s), others_of(address), connect)
    door.watch(engine)
    if reach is not None:
        reach.pooled = lambda: door.pooled
    engine.update_execution_options(rung_reach=reach)
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


@contextmanager
def at_one_moment(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads, and whose statements all see the record as it was at the first
    of them: figures that are shown together add up."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection:
        yield connection


def dispose_for_good(engine: Engine) -> None:
    """Closes an engine's connections; those that other threads hold as soon as they come back, for
    a pool that was disposed of would keep them open."""
    event.listen(engine, "checkin", lambda driver, _record: driver.close())
    engine.dispose()


def away_since(engine: Engine) -> dt.datetime | None:
    """Since when Postgres has not answered; None while it does, or where nobody looks."""
    reach: ServerReach | None = engine.get_execution_options().get("rung_reach")
    return reach.since if reach is not None else None


def pooled(connection: Connection) -> bool:
    """Whether a pooler stands between us and Postgres."""
    door: SessionDoor = connection.get_execution_options()["rung_door"]
    return door.pooled


@contextmanager
def reaching_postgres(engine: Engine) -> Iterator[None]:
    """Turns what people can mend (a server away, a right or a role missing) into a RungError."""
    try:
        yield
    except DBAPIError as error:
        complaint = complaint_of(error, engine.url, lambda: acting_through(engine))
        if complaint is None:
            raise
        raise complaint from None


def acting_through(engine: Engine) -> Acting | None:
    """As whom an engine's sessions work; None where it cannot be asked."""
    try:
        with engine.connect() as connection:
            role, schema = connection.execute(ACTING).one()
    except DBAPIError:
        return None
    return Acting(role=role, schema=schema or "public")


ACTING = text("SELECT current_user::text, current_schema()::text")


def ping(connection: Connection) -> str:
    """The server's version."""
    return str(connection.execute(text("SHOW server_version")).scalar_one())


def server_encoding(connection: Connection) -> str | None:
    """In which the database keeps words, as the server said at the start; None where it did not."""
    driver = connection.connection.driver_connection
    return driver.info.parameter_status("server_encoding") if driver is not None else None


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
