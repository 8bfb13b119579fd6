"""The desk: where a worker process asks its look-ups, a whole chunk of messages at once.

Foreign code is not trusted with the loop that calls Claude, nor with that of its neighbour: each
look-up has a thread and a loop of its own. One that never comes back costs that thread; whoever
asks waits for its bound and no longer, and then for nothing until it is free again.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from worker.config.embedders import own_embedders
from worker.config.lookups import LookupSettings, lookup_names, own_lookups
from worker.config.retrievers import own_retrievers
from worker.config.settings import Settings
from worker.domain.context import LookedUp
from worker.domain.looked_up import (
    NOT_CONFIGURED,
    LookupMessage,
)
from worker.lookups.counter import LookupCounter
from worker.lookups.kinds import as_lookup, as_vectors
from worker.lookups.loop_counter import LoopCounter
from worker.lookups.query_counter import QueryCounter

log = logging.getLogger(__name__)
RETIRED_S = 120.0
"""Longer than any look-up may take: then those that were asked before a change are let go."""
RETRIEVER = "retriever:"
"""Before the name of a retriever, which is asked as look-ups are."""
RETRIEVING = LookupSettings(match=(), on_failure="without", max_bytes=20_000)
"""Words find passages as well, so nobody waits for it."""
EMBEDDING = RETRIEVING.model_copy(update={"max_bytes": 200_000})


class LookupDesk:
    """All look-ups of a process. Their threads start with the first question."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigurationError for a function that cannot be loaded."""
        self._counters = _counters(settings)
        self._retired: list[tuple[float, LookupCounter]] = []
        self._lock = threading.Lock()
        self._failed: dict[str, tuple[str, str]] = {}
        self._worked: set[str] = set()

    def ask(
        self, names: Sequence[str], messages: Sequence[LookupMessage]
    ) -> list[tuple[LookedUp, ...]]:
        """What every look-up of `names` found, for each message; never raises."""
        asked = [(name, self._begin(name, messages)) for name in names]
        columns = [collect() if collect else _unknown(name, messages) for name, collect in asked]
        for name, column in zip(names, columns, strict=True):
            self.note(name, column)
        return list(zip(*columns, strict=True))

    def change(self, settings: Settings) -> None:
        """Asks by these from now on. Who is being asked just now may still answer. Raises
        ConfigurationError, and then nothing has changed."""
        old, self._counters = self._counters, _counters(settings)
        now = time.monotonic()
        for at, counter in self._retired:
            if now - at > RETIRED_S:
                counter.stop()
        kept = [one for one in self._retired if now - one[0] <= RETIRED_S]
        self._retired = [*kept, *((now, counter) for counter in old.values())]

    def news(self) -> tuple[dict[str, tuple[str, str]], set[str]]:
        """What came of the look-ups that were asked since the last time: why those that failed did
        and what follows, and those that brought something."""
        with self._lock:
            found = self._failed, self._worked
            self._failed, self._worked = {}, set()
        return found

    def note(self, name: str, column: Sequence[LookedUp]) -> None:
        """What came of a look-up, for people to see."""
        failures = Counter(found.failed for found in column if found.failed is not None)
        with self._lock:
            if failures:
                self._failed[name] = failures.most_common(1)[0][0], self.on_failure(name)
            if failures.total() < len(column):
                self._worked.add(name)
        for why, count in failures.items():
            told = {"lookup": name, "why": why, "messages": count}
            log.warning("a look-up brought nothing", extra=told)

    def on_failure(self, name: str) -> str:
        """What follows where a look-up brought nothing: `wait`, `without` or `person`."""
        return self._counters[name].settings.on_failure if name in self._counters else "wait"

    def stop(self) -> None:
        """Ends the threads that are free."""
        for counter in (*self._counters.values(), *(one for _, one in self._retired)):
            counter.stop()

    def _begin(
        self, name: str, messages: Sequence[LookupMessage]
    ) -> Callable[[], list[LookedUp]] | None:
        counter = self._counters.get(name)
        return counter.begin(messages) if counter is not None else None


def _counters(settings: Settings) -> dict[str, "LookupCounter"]:
    own = own_lookups(settings.lookups)
    found = dict[str, LookupCounter]()
    for name in lookup_names(settings.lookups):
        its = settings.lookups.get(name, LookupSettings())
        queries = its.query is not None
        found[name] = QueryCounter(name, its) if queries else LoopCounter(name, its, own.get(name))
    for name, function in own_retrievers(settings.retrievers).items():
        called = RETRIEVER + name
        found[called] = LoopCounter(called, RETRIEVING, as_lookup(function))
    for name, embed in own_embedders(settings.embedders).items():
        called = RETRIEVER + name
        found[called] = LoopCounter(called, EMBEDDING, as_vectors(embed))
    return found


def _unknown(name: str, messages: Sequence[LookupMessage]) -> list[LookedUp]:
    return [LookedUp(name=name, failed=NOT_CONFIGURED)] * len(messages)
