"""Deliveries: what Celery brought to this process. The watchdog goes by it."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Deliveries:
    """What Celery brought to this process and is not claimed yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chunks: dict[int, tuple[str, Sequence[int]]] = {}
        self.count = 0

    @contextmanager
    def holding(self, queue: str, pending: Sequence[int]) -> Iterator[None]:
        """A chunk is being worked on; `pending` shrinks as its jobs are claimed."""
        with self._lock:
            self.count += 1
            self._chunks[id(pending)] = queue, pending
        try:
            yield
        finally:
            with self._lock:
                del self._chunks[id(pending)]

    def in_hand(self) -> dict[str, int]:
        """Unclaimed jobs of chunks in hand, by queue; a queue of which all is claimed has 0."""
        with self._lock:
            jobs = Counter[str]()
            for queue, pending in self._chunks.values():
                jobs[queue] += len(pending)
            return dict(jobs)
