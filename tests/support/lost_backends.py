"""Postgres backends that end at one chosen point: before a statement, before a COMMIT, or when
the COMMIT is done and nobody has heard of it."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
from sqlalchemy import Engine, event, text

END = text("SELECT pg_terminate_backend(:pid, 5000)")


class LostBackend:
    """Ends the backend of `engine` at the `point`-th place of what `thread` sends to it, counted
    from 1. A statement is one place, a COMMIT two: before it, and after it with its reply lost."""

    def __init__(self, engine: Engine, by: Engine, *, point: int, thread: str) -> None:
        """`by` is another engine on the same server, which ends the backend."""
        self._engine, self._by = engine, by
        self._left, self._thread = point, thread
        self.at: str | None = None
        """Where it ended; None where the story has no such place."""

    def _meets(self) -> bool:
        if threading.current_thread().name != self._thread:
            return False
        self._left -= 1
        return self._left == 0

    def before(self, _: Any, cursor: psycopg.Cursor[Any], statement: str, *__: Any) -> None:
        """A listener for `before_cursor_execute`."""
        if self._meets():
            self._end(cursor.connection, " ".join(statement.split())[:60])

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Counts from here on."""
        commit = self._engine.dialect.do_commit

        def committed(connection: Any) -> None:
            mine = connection.dbapi_connection
            if self._meets():
                self._end(mine, "before COMMIT")
            commit(connection)
            if self._meets():
                self._end(mine, "after COMMIT")
                mine.execute("SELECT 'a reply that does not come'")

        event.listen(self._engine, "before_cursor_execute", self.before)
        self._engine.dialect.do_commit = committed  # type: ignore[method-assign]
        try:
            yield
        finally:
            event.remove(self._engine, "before_cursor_execute", self.before)
            del self._engine.dialect.do_commit

    def _end(self, connection: psycopg.Connection[Any], where: str) -> None:
        self.at = where
        with self._by.connect() as other:
            ended = other.execute(END, {"pid": connection.info.backend_pid}).scalar_one()
        assert ended, "the backend is gone"
