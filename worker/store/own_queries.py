"""Queries of one's own, of a database of one's own: read only, and within their time."""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from worker.store.engine import OVERFLOW, make_engine

CONNECTIONS = 3
"""At most, in each worker process, for one look-up."""
STEPS_BETWEEN_LOOKS = 10_000
"""Of SQLite's machine, between two looks at the clock."""


class OwnQuery:
    """A query with `:columns`, asked once for each set of values."""

    def __init__(self, url: str, query: str, timeout_s: float) -> None:
        self._query, self._timeout_s = text(query), timeout_s
        self._engine = _engine(url, timeout_s)

    def ask(self, values: Sequence[Mapping[str, Any]], most: int) -> list[list[dict[str, Any]]]:
        """The rows for each set of values, `most` and one at the most, in one transaction. Raises
        whatever the database says."""
        found = []
        with self._engine.connect() as connection:
            self._watch(connection.connection.driver_connection)
            for bound in values:
                rows = connection.execute(self._query, dict(bound)).mappings().fetchmany(most + 1)
                found.append([dict(row) for row in rows])
            connection.rollback()
        return found

    def close(self) -> None:
        """Lets the connections go."""
        self._engine.dispose()

    def _watch(self, connection: object) -> None:
        """SQLite has no statement timeout: its machine looks at the clock itself."""
        if isinstance(connection, sqlite3.Connection):
            until = time.monotonic() + self._timeout_s
            late = lambda: int(time.monotonic() > until)  # noqa: E731 - SQLite asks for a function
            connection.set_progress_handler(late, STEPS_BETWEEN_LOOKS)


def _engine(url: str, timeout_s: float) -> Engine:
    if url.startswith("sqlite:"):
        path = make_url(url).database or ""

        def connect() -> sqlite3.Connection:
            uri = f"file:{path}?mode=ro"
            return sqlite3.connect(uri, uri=True, timeout=timeout_s, check_same_thread=False)

        return create_engine("sqlite://", creator=connect, poolclass=NullPool)
    # As Rung's own database is reached: poolers, several hosts and `?options=` are understood.
    engine = make_engine(
        url,
        pool_size=CONNECTIONS - OVERFLOW,
        connect_s=timeout_s,
        name="rung look-up",
        statement_s=timeout_s,
        pre_ping=True,
    )
    engine.update_execution_options(postgresql_readonly=True)
    return engine
