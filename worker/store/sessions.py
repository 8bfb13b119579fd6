"""How a session with Postgres is set, and poolers between.

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
import time
from collections.abc import Callable, Mapping
from typing import Any, LiteralString

import psycopg
from sqlalchemy import URL, Connection, Engine, event

from worker.store.products import require_postgresql

log = logging.getLogger(__name__)
SETTINGS = {
    # A transaction held open across a call is a bug; Postgres ends it.
    "idle_in_transaction_session_timeout": "30s",
    # Longer than that: what a process held that is frozen is free by then, and who waits gets it.
    "lock_timeout": "35s",
    # What is worked on lies in memory, or on a disk without moving parts: a row by its key costs
    # not much more than the next one.
    "random_page_cost": "1.1",
    # Compiled is what looks dear, and that grows with what is believed of a table: beside 1,500,000
    # jobs each dispatch was compiled for 48 ms, and ran for 0.4.
    "jit": "off",
    # Connections that rest are ours to end.
    "idle_session_timeout": "0",
    "timezone": "UTC",
    # How values are written, whatever a server, a database or a role sets for its other programs:
    # psycopg reads no interval of another style, and no time of another zone's.
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "extra_float_digits": "1",
}
TELLING = {name: SETTINGS[name] for name in ("lock_timeout", "idle_in_transaction_session_timeout")}
"""By these a pooler is told; no server has them by itself."""
SEEN: LiteralString = """SELECT version(), current_setting(%s),
    current_setting('synchronous_commit'), current_setting('transaction_timeout', true)"""
"""Who answers, whether ours is in force, and what is taken back only where somebody set it: the
first may be stricter than we would ask, and servers before 17 do not know the second."""
PLANNED = "rung_planned"
"""Since when a connection has kept plans, on the monotonic clock: a key of its `info`."""
PLANS_KEPT_S = 10.0
AT_ONCE: Mapping[str, Any] = {"stream_results": False, "yield_per": None}
"""Not as rows that are read through a cursor, however the connection reads the rest."""
ONE_OPTION = re.compile(r"(?:-c\s*|--)([\w.-]+)=((?:\\.|\S)*)")
"""`-c name=value` and `--name=value`, as libpq reads them: a backslash keeps a space."""


def options_of(address: URL, statement_s: float | None) -> dict[str, str]:
    """Ours, and above them those of the address. `statement_s` None: as long as they need, be a
    role's own bound what it may."""
    most = f"{(statement_s or 0) * 1000:.0f}ms"
    found = ONE_OPTION.findall(_written(address))
    theirs = {name: re.sub(r"\\(.)", r"\1", value) for name, value in found}
    ours = {**SETTINGS, "statement_timeout": most}
    return ours | {name.replace("-", "_").lower(): value for name, value in theirs.items()}


def others_of(address: URL) -> str:
    """What its options hold beside settings, for the server or a door before it: clouds' poolers
    are told there whose database it is (`endpoint=…`, `project=…`)."""
    return " ".join(ONE_OPTION.sub("", _written(address)).split())


def _written(address: URL) -> str:
    own = address.query.get("options", "")
    return own if isinstance(own, str) else " ".join(own)


def _amended(durable: str, most: str | None) -> dict[str, str]:
    """A promise is kept when it is on the disk; and what is given no time is cut off."""
    amended = {"synchronous_commit": "on"} if durable == "off" else {}
    return amended if most in (None, "0") else {**amended, "transaction_timeout": "0"}


def _setting(options: Mapping[str, str], *, for_good: bool) -> tuple[str, tuple[str, ...]]:
    """The statement that sets them, of the session or of a transaction, and its values."""
    one = f"set_config(%s, %s, {str(not for_good).lower()})"
    values = tuple(word for pair in options.items() for word in pair)
    return "SELECT " + ", ".join([one] * len(options)), values


def _asked(connection: psycopg.Connection[Any], setting: str) -> Any:
    """What SEEN says, of PostgreSQL. Raises ConfigurationError where something else answers, which
    may not know what is asked of its settings. Whatever is raised, the connection is closed."""
    try:
        try:
            product, *seen = connection.execute(SEEN, [setting]).fetchone() or ("",)
        except psycopg.DatabaseError:
            for row in () if connection.broken else connection.execute("SELECT version()"):
                require_postgresql(row[0])
            raise
        require_postgresql(product)
    except BaseException:
        connection.close()
        raise
    return seen


class SessionDoor:
    """How sessions are opened: with their settings, until a pooler is found in the way."""

    def __init__(
        self,
        options: Mapping[str, str],
        others: str = "",
        connect: Callable[..., psycopg.Connection[Any]] = psycopg.connect,
    ) -> None:
        self.pooled = False
        self._open = connect
        self._others = {"options": others} if others else {}
        self._take(options)

    def _take(self, options: Mapping[str, str]) -> None:
        self.options = dict(options)
        quoted = (f"{k}={v}".replace("\\", "\\\\").replace(" ", "\\ ") for k, v in options.items())
        self._sent = " ".join([*self._others.values(), *(f"-c {one}" for one in quoted)])
        self._set = _setting(self.options, for_good=False)

    def watch(self, engine: Engine) -> None:
        """Opens the engine's connections from now on."""
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "begin", self._begin)
        engine.update_execution_options(rung_door=self)

    def _connect(self, _dialect: Any, _record: Any, args: Any, parameters: dict[str, Any]) -> Any:
        if not self.pooled:
            try:
                connection = self._open(*args, **parameters, options=self._sent)
            except psycopg.OperationalError as error:
                if "startup parameter" not in str(error) and "options" not in str(error):
                    raise
            else:
                if self._heeded(connection):
                    return connection
                connection.close()
            self.pooled = True
            log.info("a pooler stands before postgres: settings go with each transaction")
        given = {**parameters, **self._others}
        connection = self._open(*args, **given, prepare_threshold=None)
        self._heeded(connection)
        return connection

    def _heeded(self, connection: psycopg.Connection[Any]) -> bool:
        """Whether a setting of ours is in force; where the address has its own, it is trusted. What
        must be taken back here goes with our settings from now on."""
        told = next((name for name in TELLING if self.options[name] == TELLING[name]), None)
        connection.set_autocommit(True)
        setting, *others = _asked(connection, told or "lock_timeout")
        heeded = told is None or setting == TELLING[told]
        amended = {k: v for k, v in _amended(*others).items() if k not in self.options}
        if amended:
            self._take(self.options | amended)
            if heeded:
                connection.execute(*_setting(amended, for_good=True))
        connection.set_autocommit(False)
        return heeded

    def _begin(self, connection: Connection) -> None:
        if self.pooled:
            connection.exec_driver_sql(*self._set, AT_ONCE)
            return
        now = time.monotonic()
        if now - connection.info.setdefault(PLANNED, now) > PLANS_KEPT_S:
            connection.info[PLANNED] = now
            connection.exec_driver_sql("DISCARD PLANS", None, AT_ONCE)
