"""What one worker process knows of each queue's health, told to Postgres in groups.

`note` is called for every attempt and only counts; `tell` writes at most once a second, or at once
when there was trouble or the breaker is being probed.
"""

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from models.vocabulary import Breaker
from worker.domain.breaker import BreakerRule, Pulse, pulse_of
from worker.domain.reports import AttemptReport
from worker.store.queue.breakers import tell

log = logging.getLogger(__name__)
TELL_EVERY_S = 1.0


class Health:
    """Counts by queue since they were last told. Threads may share one."""

    def __init__(
        self, engine: Engine, rule: BreakerRule, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine, self._rule, self._clock = engine, rule, clock
        self._lock = threading.Lock()
        self._pulses: dict[str, Pulse] = {}
        self._standing: dict[str, Breaker] = {}
        self._next_tell = 0.0

    def note(self, queue: str, report: AttemptReport) -> None:
        """Counts the calls of an attempt."""
        pulse = pulse_of(report.calls)
        if pulse.good or pulse.troubled:
            self._add({queue: pulse})

    def tell(self) -> None:
        """Tells what was counted, when it is time. Never raises: what cannot be told now is told
        with the next."""
        with self._lock:
            urgent = any(
                pulse.troubled or self._standing.get(queue, Breaker.CLOSED) is not Breaker.CLOSED
                for queue, pulse in self._pulses.items()
            )
            if not self._pulses or not (urgent or self._clock() >= self._next_tell):
                return
            pulses, self._pulses = self._pulses, {}
            self._next_tell = self._clock() + TELL_EVERY_S
        try:
            standing = tell(self._engine, pulses, self._rule)
        except DBAPIError as error:
            log.warning("health not told", extra={"error": type(error).__name__})
            self._add(pulses)
            return
        for queue, state in standing.items():
            if state is Breaker.OPEN and self._standing.get(queue) is not Breaker.OPEN:
                log.error("breaker open", extra={"queue": queue, "last": pulses[queue].last})
        self._standing |= standing

    def _add(self, pulses: dict[str, Pulse]) -> None:
        with self._lock:
            for queue, pulse in pulses.items():
                self._pulses[queue] = self._pulses.get(queue, Pulse()) + pulse
