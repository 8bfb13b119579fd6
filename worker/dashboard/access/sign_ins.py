"""How often somebody may try to sign in."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_S = 300.0
FOR_ONE_NAME_FROM_ONE_ADDRESS = 5
FROM_ONE_ADDRESS = 20
FOR_ONE_NAME = 100
"""Many addresses at one name; high, or strangers could keep a user out."""
REMEMBERED = 20_000


class Attempts:
    """Failed attempts of the last minutes, in bounded memory. Threads may share one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, name: str, address: str) -> float:
        """Seconds until another attempt is allowed; 0 when it is now."""
        with self._lock:
            return max(self._left(key, limit) for key, limit in _keys(name, address))

    def failed(self, name: str, address: str) -> None:
        """Counts a failure. Attempts are counted before the password is looked at, so many at
        once do not slip through."""
        with self._lock:
            now = self._clock()
            for key, limit in _keys(name, address):
                times = self._failed.setdefault(key, deque(maxlen=limit))
                times.append(now)
                self._failed.move_to_end(key)
            while len(self._failed) > REMEMBERED:
                self._failed.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forgets this person's failures from here."""
        with self._lock:
            self._failed.pop((name, address), None)

    def _left(self, key: tuple[str, str], limit: int) -> float:
        times = self._failed.get(key)
        if times is None or len(times) < limit:
            return 0
        return max(times[0] + WINDOW_S - self._clock(), 0)


def _keys(name: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return (
        ((name, address), FOR_ONE_NAME_FROM_ONE_ADDRESS),
        (("", address), FROM_ONE_ADDRESS),
        ((name, ""), FOR_ONE_NAME),
    )
