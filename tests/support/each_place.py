"""Postgres backends that end at every place of a story, each once, while the story goes on."""

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from tests.support.lost_backends import END
from worker.errors import RungError
from worker.store.engine import is_outage

REPLIES = ("after COMMIT",)
PLACES = ("at", "before COMMIT", *REPLIES)


class EachPlace:
    """Ends the backend of `engine` at each place that it has not ended at before: before a
    statement, before the COMMIT that follows a statement, and after it with its reply lost."""

    def __init__(self, engine: Engine, by: Engine, places: Collection[str] = PLACES) -> None:
        """`by` is another engine on the same server, which ends the backends."""
        self._engine, self._by, self._places = engine, by, places
        self._last, self._known = threading.local(), set[tuple[str, str]]()
        self.ended = list[str]()
        """Where backends ended, in order."""

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Ends backends until the end of the block."""
        commit = self._engine.dialect.do_commit

        def committed(connection: Any) -> None:
            mine, last = connection.dbapi_connection, getattr(self._last, "words", "")
            self._meet("before COMMIT", last, mine)
            commit(connection)
            if self._meet("after COMMIT", last, mine):
                mine.execute("SELECT 'a reply that does not come'")

        event.listen(self._engine, "before_cursor_execute", self._before)
        self._engine.dialect.do_commit = committed  # type: ignore[method-assign]
        try:
            yield
        finally:
            event.remove(self._engine, "before_cursor_execute", self._before)
            del self._engine.dialect.do_commit

    def _before(self, _: Any, cursor: psycopg.Cursor[Any], statement: str, *__: Any) -> None:
        self._last.words = " ".join(statement.split())[:80]
        self._meet("at", self._last.words, cursor.connection)

    def _meet(self, what: str, words: str, connection: psycopg.Connection[Any]) -> bool:
        if what not in self._places or (what, words) in self._known:
            return False
        self._known.add((what, words))
        self.ended.append(f"{what} {words}")
        with self._by.connect() as other:
            ended = other.execute(END, {"pid": connection.info.backend_pid}).scalar_one()
        assert ended, "the backend is gone"
        return True

    def until_done(self, step: Callable[[], object], *, at_most: int = 100) -> None:
        """Does a step again and again, as who meets an outage does, until it comes to its end with
        no backend ended meanwhile."""
        for _ in range(at_most):
            before = len(self.ended)
            with self.watching():
                try:
                    step()
                except DBAPIError as error:
                    if not is_outage(error):
                        raise
                except RungError as error:
                    if error.exit_code != 5:
                        raise
            if len(self.ended) == before:
                return
        raise AssertionError(f"a backend ended each time: {self.ended[-3:]}")
