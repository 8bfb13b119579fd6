"""Groups of attempts that were sent together: a task's thread waits until each is recorded."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress


class Groups:
    """The groups that are under way. Threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = set[Future[None]]()

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, size: int) -> tuple[Future[None], Callable[[], None]]:
        """What a thread waits for, and what is to be called for each attempt once it is recorded.
        An empty group is done."""
        group: Future[None] = Future()
        if not size:
            group.set_result(None)
        left = itertools.count(size - 1, -1)
        with self._lock:
            self._open |= {group} if size else set()

        def recorded() -> None:
            if next(left) == 0:
                self._end(group)

        return group, recorded

    def let_go(self) -> None:
        """Nobody waits any longer, whatever is under way."""
        for group in list(self._open):
            self._end(group)

    def _end(self, group: Future[None]) -> None:
        with self._lock:
            self._open.discard(group)
        with suppress(InvalidStateError):
            group.set_result(None)
