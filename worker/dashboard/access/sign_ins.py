"""How often somebody may try to sign in.

Nobody with the right password is locked out. Who guesses at a name from one place is slowed after
five: each further look at a password takes longer, up to a quarter of a minute, one at a time, and
a right one is let in. What many do together, at one name or from one address, makes everybody
beyond the limit wait their turn. A browser in which a person has signed in before is a place of its
own.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_S = 300.0
FOR_ONE_NAME_FROM_ONE_PLACE = 5
SLOWEST_AFTER = 10
FIRST_REST_S, LONGEST_REST_S = 1.0, 15.0
FROM_ONE_PLACE = 20
FOR_ONE_NAME = 100
REMEMBERED = 20_000


class Guesses:
    """Failed sign-ins of the last minutes, in bounded memory. Threads may share one. A place is an
    address, or a browser that is known."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._resting = set[tuple[str, str]]()
        self._lock = threading.Lock()

    def rest_s(self, name: str, place: str) -> float:
        """Seconds that a look at a password for this name from there is held back; 0 when it may
        be at once."""
        with self._lock:
            times = self._failed.get((name, place), ())
            recent = sum(at > self._clock() - WINDOW_S for at in times)
        beyond = recent - FOR_ONE_NAME_FROM_ONE_PLACE
        return min(FIRST_REST_S * 2.0**beyond, LONGEST_REST_S) if beyond >= 0 else 0.0

    def enter(self, name: str, place: str) -> bool:
        """Whether nobody else's look at this name from there is being held back just now; to be
        followed by `leave`."""
        with self._lock:
            if (name, place) in self._resting:
                return False
            self._resting.add((name, place))
            return True

    def leave(self, name: str, place: str) -> None:
        """The look is over."""
        with self._lock:
            self._resting.discard((name, place))

    def crowded(self, name: str, place: str) -> bool:
        """Whether so much fails at this name, or from there, that one waits one's turn."""
        with self._lock:
            at_place = self._left(("", place), FROM_ONE_PLACE)
            return max(at_place, self._left((name, ""), FOR_ONE_NAME)) > 0

    def failed(self, name: str, place: str) -> None:
        """Counts a failure. They are counted before the password is looked at, so many at once do
        not slip through."""
        limits = (
            ((name, place), SLOWEST_AFTER),
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
