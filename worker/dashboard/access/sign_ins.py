"""How often somebody may try to sign in.

Who guesses at a name from one place is stopped after five, even if the sixth guess is right. What
many do together, at one name or from one address, only makes everybody beyond the limit wait their
turn: a right password is not locked out by strangers. A browser in which a person has signed in
before is a place of its own.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_S = 300.0
FOR_ONE_NAME_FROM_ONE_PLACE = 5
FROM_ONE_PLACE = 20
FOR_ONE_NAME = 100
REMEMBERED = 20_000


class Guesses:
    """Failed sign-ins of the last minutes, in bounded memory. Threads may share one. A place is an
    address, or a browser that is known."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, name: str, place: str) -> float:
        """Seconds until this name may be tried again from there; 0 when it may now."""
        with self._lock:
            return self._left((name, place), FOR_ONE_NAME_FROM_ONE_PLACE)

    def crowded(self, name: str, place: str) -> bool:
        """Whether so much fails at this name, or from there, that one waits one's turn."""
        with self._lock:
            at_place = self._left(("", place), FROM_ONE_PLACE)
            return max(at_place, self._left((name, ""), FOR_ONE_NAME)) > 0

    def failed(self, name: str, place: str) -> None:
        """Counts a failure. They are counted before the password is looked at, so many at once do
        not slip through."""
        limits = (
            ((name, place), FOR_ONE_NAME_FROM_ONE_PLACE),
            (("", place), FROM_ONE_PLACE),
            ((name, ""), FOR_ONE_NAME),
        )
        with self._lock:
            now = self._clock()
            for key, limit in limits:
                times = self._failed.setdefault(key, deque(maxlen=limit))
                times.append(now)
                self._failed.move_to_end(key)
            while len(self._failed) > REMEMBERED:
                self._failed.popitem(last=False)

    def succeeded(self, name: str, place: str) -> None:
        """Forgets this person's failures from there."""
        with self._lock:
            self._failed.pop((name, place), None)

    def _left(self, key: tuple[str, str], limit: int) -> float:
        times = self._failed.get(key)
        if times is None or len(times) < limit:
            return 0
        return max(times[0] + WINDOW_S - self._clock(), 0)
