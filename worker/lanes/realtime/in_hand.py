"""What Celery brought to this process and is not claimed yet. The watchdog goes by it."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class InHand:
    """Chunks that tasks are working through. Threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chunks: dict[int, tuple[str, Sequence[int]]] = {}
        self.brought = 0
        """Chunks that ever came."""

    @contextmanager
    def holding(self, queue: str, pending: Sequence[int]) -> Iterator[None]:
        """A chunk is being worked on; `pending` shrinks as its jobs are claimed."""
        with self._lock:
            self.brought += 1
            self._chunks[id(pending)] = queue, pending
        try:
            yield
        finally:
            with self._lock:
                del self._chunks[id(pending)]

    def jobs(self) -> dict[str, int]:
        """Unclaimed jobs of chunks in hand, by queue; a queue of which all is claimed has 0."""
        with self._lock:
            jobs = Counter[str]()
            for queue, pending in self._chunks.values():
                jobs[queue] += len(pending)
            return dict(jobs)
