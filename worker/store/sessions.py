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
from collections.abc import Mapping
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, event

log = logging.getLogger(__name__)
SETTINGS = {
    # A transaction held open across a call is a bug; Postgres ends it.
    "idle_in_transaction_session_timeout": "30s",
    # Longer than that: what a process held that is frozen is free by then, and who waits gets it.
    "lock_timeout": "35s",
    # What is worked on lies in memory, or on a disk without moving parts: a row by its key costs
    # not much more than the next one.
    "random_page_cost": "1.1",
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
    own = address.query.get("options", "")
    own = own if isinstance(own, str) else " ".join(own)
    most = f"{(statement_s or 0) * 1000:.0f}ms"
    theirs = {name: re.sub(r"\\(.)", r"\1", value) for name, value in ONE_OPTION.findall(own)}
    ours = {**SETTINGS, "statement_timeout": most}
    return ours | {name.replace("-", "_"): value for name, value in theirs.items()}


class SessionDoor:
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
            connection.exec_driver_sql(self._set, self._values, AT_ONCE)
            return
        now = time.monotonic()
        if now - connection.info.setdefault(PLANNED, now) > PLANS_KEPT_S:
            connection.info[PLANNED] = now
            connection.exec_driver_sql("DISCARD PLANS", None, AT_ONCE)
