"""How fast things go: counters read every few seconds and kept for two minutes, in memory.

Nothing is counted in Postgres for this: a rate is the difference of two readings of counters that
are kept anyway. A dashboard that has just started knows no rate yet, and says so.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from worker.store.reading.screens import Key, done_counters

WINDOW_S = 60.0
KEEP_S = 150.0
ENOUGH_S = 4.0
"""Two readings nearer than this say nothing about a rate."""


@dataclass(frozen=True, slots=True)
class CounterReading:
    """Counters at a moment (seconds of a monotonic clock)."""

    at: float
    done: Mapping[Key, int]


class Throughput:
    """Readings of the last minutes. Threads may share one."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._clock = engine, clock
        self._readings: deque[CounterReading] = deque()
        self._lock = threading.Lock()

    def read(self) -> None:
        """Takes a reading."""
        with self._engine.begin() as connection:
            done = done_counters(connection)
        self.add(done)

    def add(self, done: Mapping[Key, int]) -> None:
        """Keeps a reading, and forgets old ones."""
        now = self._clock()
        with self._lock:
            self._readings.append(CounterReading(now, done))
            while now - self._readings[0].at > KEEP_S:
                self._readings.popleft()

    def a_minute(self, queue: str) -> float | None:
        """How many were done a minute, over the last minute: in a queue, or `ended`. None before
        there are two readings."""
        with self._lock:
            if len(self._readings) < 2:
                return None
            newest = self._readings[-1]
            oldest = next(r for r in self._readings if newest.at - r.at <= WINDOW_S)
        if newest.at - oldest.at < ENOUGH_S:
            return None
        done = sum(
            max(count - oldest.done.get(key, 0), 0)
            for key, count in newest.done.items()
            if key[1] == queue
        )
        return done * 60 / (newest.at - oldest.at)
