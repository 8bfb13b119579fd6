"""An inbox of one thread: things are handed over one by one, and taken in groups.

Waking a thread for each thing would cost more than most things do, because it has to wait for the
interpreter lock of a busy event loop each time. So the first of a group waits a moment for others;
what is urgent cuts that short.
"""

import queue
import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """`put` from any thread, `take` from one."""

    def __init__(self, gather_s: float, at_most: int) -> None:
        """A group gathers for `gather_s` seconds and holds at most `at_most` things."""
        self._gather_s, self._at_most = gather_s, at_most
        self._things: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._closed = threading.Event()

    def put(self, thing: T, *, urgent: bool = False) -> None:
        """Hands a thing over; returns at once."""
        self._things.put(thing)
        if urgent:
            self._hurry.set()

    def close(self) -> None:
        """Lets the taker end, once it has taken everything; nothing waits for others any more."""
        self._closed.set()
        self._things.put(None)
        self._hurry.set()

    def take(self) -> list[T]:
        """Waits for the next group, in the order of arrival; empty when closed and all is taken."""
        group = list[T]()
        while not group:
            if self._closed.is_set() and self._things.empty():
                return []
            thing = self._things.get()
            if not self._closed.is_set():
                self._hurry.wait(self._gather_s)
                self._hurry.clear()
            while thing is not None:
                group.append(thing)
                if len(group) >= self._at_most:
                    break
                try:
                    thing = self._things.get_nowait()
                except queue.Empty:
                    break
        return group
