"""Queries of one's own, of a database of one's own: read only, and within their time."""

import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from sqlalchemy import Connection, Engine, TextClause, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError
from sqlalchemy.pool import QueuePool

from worker.store.engine import OVERFLOW, dispose_for_good, make_engine

CONNECTIONS = 3
"""At most, in each worker process, for one look-up."""
_ENDED = re.compile(r"\s*;\s*(?:--[^\n]*\s*|/\*.*?\*/\s*)*\Z", re.DOTALL)
"""The end of a statement, which cannot stand in the middle of another."""
UNREADABLE = (DataError, psycopg.DataError, OverflowError)
STEPS_BETWEEN_LOOKS = 10_000
"""Of SQLite's machine, between two looks at the clock."""


class OwnQuery:
    """A query with `:columns`, asked once for each set of values."""

    def __init__(self, url: str, query: str, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        file = _file(url)
        self._path = Path(file) if file is not None else None
        self._engine = _engine(url, file, timeout_s)
        self._written = str(text(query).compile(dialect=self._engine.dialect))
        self._query = _ENDED.sub("", query)
        self._reads: tuple[int, ...] | None = None

    def ask(
        self, values: Sequence[Mapping[str, Any]], most: int
    ) -> list[list[dict[str, Any]] | Exception]:
        """The rows for each set of values, `most` and one at the most, in one transaction; an
        exception where these values cannot be bound, or what was found not be read (a word where
        the table has numbers), which is nobody else's. Raises whatever else the database says."""
        self._mind_file()
        with self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                self._watch(driver)
                # Else the file is locked and looked over for each: four times the work of a query.
                driver.execute("BEGIN")
            found = [self._asked(connection, driver, bound, most + 1) for bound in values]
            connection.rollback()
        return found

    def _asked(
        self, connection: Connection, driver: Any, bound: Mapping[str, Any], most: int
    ) -> list[dict[str, Any]] | Exception:
        try:
            if isinstance(driver, sqlite3.Connection):
                return _rows(driver, self._written, bound, most)
            rows = connection.execute(self._at_most(most), dict(bound)).mappings()
            return [dict(row) for row in rows]
        except UNREADABLE as error:
            connection.rollback()
            return error

    def _at_most(self, rows: int) -> TextClause:
        """Postgres's driver reads a whole result before it gives the first row of it, and a plan
        for a few rows is another than one for all."""
        return text(f"SELECT * FROM (\n{self._query}\n) AS rung LIMIT {rows}")  # noqa: S608 - the configuration's own SQL

    def columns(self, bound: Sequence[str]) -> list[str]:
        """The names of what it brings, asked with no value in `bound`. Raises as `ask` does."""
        values = dict.fromkeys(bound)
        with self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                self._watch(driver)
                with closing(driver.execute(self._written, values)) as cursor:
                    return [column[0] for column in cursor.description or ()]
            names = list(connection.execute(self._at_most(0), values).keys())
            connection.rollback()
        return names

    def close(self) -> None:
        """Lets the connections go; those in use as soon as they come back."""
        dispose_for_good(self._engine)

    def _mind_file(self) -> None:
        """Connections are kept, and a file that another has taken the place of is read anew."""
        if self._path is None:
            return
        try:
            seen = self._path.stat()
            now = seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns
        except OSError:
            now = None
        if now != self._reads:
            self._engine.dispose()
            self._reads = now

    def _watch(self, connection: sqlite3.Connection) -> None:
        """SQLite has no statement timeout: its machine looks at the clock itself."""
        until = time.monotonic() + self._timeout_s
        late = lambda: int(time.monotonic() > until)  # noqa: E731 - SQLite asks for a function
        connection.set_progress_handler(late, STEPS_BETWEEN_LOOKS)


def _rows(
    connection: sqlite3.Connection, query: str, bound: Mapping[str, Any], most: int
) -> list[dict[str, Any]]:
    """By the driver alone: SQLite answers in a few microseconds."""
    with closing(connection.execute(query, bound)) as cursor:
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(most)]


class _AnyDate(DateLoader):
    """`infinity`, and days that Python's calendar does not have, as Postgres writes them."""

    def load(self, data: Buffer) -> Any:
        """A date, or text."""
        return _or_text(super().load, data)


class _AnyTimestamp(TimestampLoader):
    """The same of a time."""

    def load(self, data: Buffer) -> Any:
        """A time, or text."""
        return _or_text(super().load, data)


class _AnyTimestamptz(TimestamptzLoader):
    """The same of a time with its zone."""

    def load(self, data: Buffer) -> Any:
        """A time, or text."""
        return _or_text(super().load, data)


def _or_text(load: Callable[[Buffer], Any], data: Buffer) -> Any:
    try:
        return load(data)
    except psycopg.DataError:
        return bytes(data).decode()


def _read_any_day(connection: Any, _record: Any) -> None:
    """One such day would keep a customer's messages until their deadline."""
    for name, loader in (
        ("date", _AnyDate),
        ("timestamp", _AnyTimestamp),
        ("timestamptz", _AnyTimestamptz),
    ):
        connection.adapters.register_loader(name, loader)


def _file(url: str) -> str | None:
    """The file of a SQLite database; None for Postgres."""
    return make_url(url).database or "" if url.startswith("sqlite:") else None


def _engine(url: str, file: str | None, timeout_s: float) -> Engine:
    if file is not None:

        def connect() -> sqlite3.Connection:
            uri = f"file:{file}?mode=ro"
            return sqlite3.connect(uri, uri=True, timeout=timeout_s, check_same_thread=False)

        pool = {"poolclass": QueuePool, "pool_size": CONNECTIONS, "max_overflow": -1}
        return create_engine("sqlite://", creator=connect, paramstyle="named", **pool)
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
    event.listen(engine, "connect", _read_any_day)
    return engine
