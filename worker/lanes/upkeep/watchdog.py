"""Watchdog: ends a worker that consumes nothing although work is waiting for it.

The failure that it answers: on a half-open link Celery's consumer waits for Redis for good, and the
process looks healthy. Its housekeeping still beats, and nobody else notices.

Evidence is counted only while this process holds no chunk: jobs of its queues were dispatched a
while ago, nobody has claimed them, and they are not in another live worker's hand either. When
that adds up to `timing.watchdog_s` without one chunk from Celery, the process says so in
`workers`, in the audit and in its log, and ends, for its supervisor to start it again. It holds
nothing then, so nothing is lost; ending one that was well costs a start-up.

A step of another routine that hangs (the batch lane's, on a connection that is half open) ends the
process too: its calls in flight are rescued, and another worker takes the step over.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from sqlalchemy import Engine

from worker.domain.wording import span
from worker.lanes.realtime.in_hand import InHand
from worker.store.queue import presence

log = logging.getLogger(__name__)
EXIT_STATUS = 70
OVERDUE_S = 10.0
"""A dispatched job that nobody has claimed for so long counts as waiting."""
HANGING_AFTER_S = 300.0
"""A step that has said nothing for so long waits for what does not come: each statement has its
time, and each request to Claude too."""
LOOKS = 12
"""How often it looks within `timing.watchdog_s`."""


def end_process(status: int) -> NoReturn:
    """At once, as nothing is held; a stuck consumer could not be stopped in order."""
    logging.shutdown()
    os._exit(status)


class Watchdog:
    """Looks, from the housekeeping thread. `clock` is monotonic seconds."""

    def __init__(
        self,
        engine: Engine,
        worker_id: str,
        queues: Sequence[str],
        in_hand: InHand,
        after_s: float,
        *,
        hanging: Callable[[float], Mapping[str, float]] = lambda _: {},
        end: Callable[[int], object] = end_process,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._worker_id, self._queues = engine, worker_id, list(queues)
        self._in_hand, self._after_s = in_hand, after_s
        self._hanging, self._end, self._clock = hanging, end, clock
        self._seen = 0
        self._starved_s = 0.0
        self._looked_at = clock()

    def look(self) -> None:
        """Counts another moment of evidence, or none. Raises database errors."""
        if hanging := self._hanging(HANGING_AFTER_S):
            told = ", ".join(f"{step} for {span(seconds)}" for step, seconds in hanging.items())
            self._end_with(f"a step of its own hung: {told}")
        now = self._clock()
        if now - self._looked_at < self._after_s / LOOKS:
            return
        # A process that was frozen has no right to judge the time that it slept through.
        step, self._looked_at = min(now - self._looked_at, 2 * self._after_s / LOOKS), now
        if self._in_hand.brought != self._seen or self._in_hand.jobs():
            self._seen, self._starved_s = self._in_hand.brought, 0.0
            return
        overdue = min(OVERDUE_S, self._after_s / 4)
        waiting = presence.unclaimed(self._engine, self._worker_id, self._queues, overdue)
        if not waiting:
            return
        self._starved_s += step
        if self._starved_s >= self._after_s:
            self._give_up(waiting)

    def _give_up(self, waiting: Mapping[str, int]) -> None:
        told = ", ".join(f"{jobs} in {queue}" for queue, jobs in waiting.items())
        self._end_with(f"it consumed nothing for {self._after_s:g} s while jobs waited: {told}")

    def _end_with(self, words: str) -> None:
        log.critical("watchdog ends this worker", extra={"worker": self._worker_id, "why": words})
        presence.note(self._engine, self._worker_id, words)
        self._end(EXIT_STATUS)
