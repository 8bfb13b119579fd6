"""A query's counter. Its driver waits, so it is asked in threads, and by no loop: each hand-over
costs a worker as much as several queries of SQLite do."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from worker.config.lookups import LookupSettings
from worker.domain.context import LookedUp
from worker.domain.looked_up import LookupMessage
from worker.lookups.counter import SLACK_S, LookupCounter, PendingLookup
from worker.store.own_queries import OwnQuery


class QueryCounter(LookupCounter):
    """A query, in as many threads as may ask at a time."""

    def __init__(self, name: str, settings: LookupSettings) -> None:
        super().__init__(name, settings)
        self._threads = ThreadPoolExecutor(settings.max_in_flight, f"look-up {name}")
        self._query: OwnQuery | None = None

    def stop(self) -> None:
        """Lets threads and connections go; those in use as soon as they are free."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._query is not None:
            self._query.close()

    def _begin(self, messages: Sequence[LookupMessage]) -> PendingLookup:
        began = Future[float]()
        future = self._threads.submit(self._ask, messages, began)
        bound_s = self.settings.timeout_s

        def wait() -> list[LookedUp]:
            # Waiting for a turn may take as long as the question.
            until = began.result(bound_s + SLACK_S) + bound_s + SLACK_S
            return future.result(max(until - time.monotonic(), 0))

        return PendingLookup(future, wait, began.done)

    def _freed(self) -> Future[None]:
        return self._threads.submit(lambda: None)

    def _made(self) -> OwnQuery:
        with self._lock:
            if self._query is None:
                settings = self.settings
                assert settings.database_url is not None, "a query has its database"
                assert settings.query is not None, "a database has its query"
                url = settings.database_url.get_secret_value()
                self._query = OwnQuery(url, settings.query, settings.timeout_s)
            return self._query

    def _ask(self, messages: Sequence[LookupMessage], began: Future[float]) -> list[LookedUp]:
        """In one of its threads. Messages of the same values are found the same."""
        began.set_result(time.monotonic())
        columns = self.settings.columns

        def key_of(one: LookupMessage) -> tuple[Any, ...]:
            return tuple(one.scalar(column) for column in columns)

        seen, brought = self._look(key_of, messages), list[Any]()
        if seen.missing:
            values = [dict(zip(columns, key, strict=True)) for key in seen.missing]
            brought = self._made().ask(values, self.settings.max_records)
        return self._told(seen, brought, messages)
