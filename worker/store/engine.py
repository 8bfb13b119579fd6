"""Connections to Postgres: short waits, no transaction left open, errors as sentences."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from worker.errors import ConfigurationError, Unreachable

IDLE_IN_TRANSACTION = "30s"
"""A transaction held open across a call is a bug; Postgres ends it."""
LOCK_TIMEOUT = "20s"
KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A half-open connection (host gone, NAT forgot) is noticed in about 25 s, not in two hours."""


def make_engine(
    url: str, *, pool_size: int = 5, connect_s: float = 5, name: str = "rung"
) -> Engine:
    """An engine over psycopg 3. `postgres://` and `postgresql://` URLs both work."""
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    except Exception:
        raise ConfigurationError(
            "DATABASE_URL is not a database URL.",
            mend="DATABASE_URL=postgresql://user:password@host:5432/dbname",
        ) from None
    if parsed.get_backend_name() != "postgresql":
        raise ConfigurationError(
            f"DATABASE_URL is for {parsed.get_backend_name()}; Rung keeps its record in Postgres.",
            mend="DATABASE_URL=postgresql://user:password@host:5432/dbname",
        )
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=2,
        pool_timeout=30,
        pool_pre_ping=False,
        # An error's words name no parameter: one may be what a customer wrote.
        hide_parameters=True,
        connect_args={
            "connect_timeout": max(2, round(connect_s)),
            "application_name": name,
            **KEEPALIVE,
            "options": f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION}"
            f" -c lock_timeout={LOCK_TIMEOUT} -c timezone=UTC",
        },
    )


@contextmanager
def reaching_postgres(engine: Engine) -> Iterator[None]:
    """Turns a lost or refused connection into Unreachable, for people's commands."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        if not is_outage(error):
            raise
        where = engine.url.render_as_string(hide_password=True)
        words = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        raise Unreachable(
            f"Postgres does not answer at {where}: {words}",
            mend="start Postgres there, or correct DATABASE_URL",
        ) from None


def is_outage(error: DBAPIError) -> bool:
    """Whether the server was away, shutting down or unwilling, rather than the SQL wrong."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error.orig, psycopg.OperationalError | psycopg.InterfaceError)
    return bool(state.startswith(("08", "53", "57", "55", "40", "25")))


def ping(connection: Connection) -> str:
    """The server's version."""
    return str(connection.execute(text("SHOW server_version")).scalar_one())


def takes_writes(connection: Connection) -> bool:
    """False on a standby, and where transactions are read-only by default."""
    return bool(connection.execute(text("SHOW transaction_read_only")).scalar() == "off")
