"""When each step of a worker's routines last came round, so that one that does not is noticed.

A step that is stopped, fails, or hangs keeps the others from nothing; this is how anybody hears of
it. Housekeeping writes what came round into Postgres, where screens and alerts look; a step that
hangs in this process ends the process (worker/lanes/upkeep/watchdog.py).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Rounds:
    """Of one process, from any of its threads. `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._every: dict[str, float] = {}
        self._round: set[str] = set()
        self._running: dict[str, float] = {}

    def expect(self, step: str, every_s: float) -> None:
        """This step comes round every so many seconds; it counts from now."""
        with self._lock:
            self._every[step] = every_s
            self._round.add(step)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Around one turn of a step: it has come round when the block ends without an error."""
        with self._lock:
            self._running[name] = self._clock()
        try:
            yield
        finally:
            with self._lock:
                del self._running[name]
        self.came_round(name)

    def came_round(self, step: str) -> None:
        """A long step says that it goes on."""
        with self._lock:
            self._round.add(step)
            if step in self._running:
                self._running[step] = self._clock()

    def news(self) -> dict[str, float]:
        """What came round since this was asked last, and how often it should, in seconds."""
        with self._lock:
            found, self._round = self._round, set()
            return {step: self._every.get(step, 0.0) for step in found}

    def hanging(self, after_s: float) -> dict[str, float]:
        """Steps under way that have said nothing for so long, and for how long."""
        now = self._clock()
        with self._lock:
            waited = {step: now - since for step, since in self._running.items()}
        return {step: seconds for step, seconds in waited.items() if seconds >= after_s}
