"""Sends notices by webhook and mail, without message text, from a thread of its own.

Promise: nobody hears of an event twice because of us. A notice counts as sent before it leaves;
only where it certainly did not arrive (no connection, or a status that says so) is it tried again,
three times in all; what was taken while Postgres went away, and nobody heard of it, is given back.
A receiver that does not answer costs this thread its time and nothing else.
"""

import datetime as dt
import logging
import threading
from collections.abc import Sequence

from sqlalchemy import Engine

from worker.lanes.routine import Routine
from worker.lanes.upkeep.couriers import LONGEST_S, Courier, Undelivered
from worker.store.queue import notices
from worker.store.queue.notices import TakenNotice, Way

log = logging.getLogger(__name__)
LOOK_EVERY_S = 2.0
TRIES = 3
AGAIN_AFTER_S = 20.0
"""After the first failure; twice as long after the second."""


class Notifier:
    """One for a worker process; does nothing without couriers."""

    def __init__(
        self, engine: Engine, couriers: Sequence[Courier], *, again_s: float = AGAIN_AFTER_S
    ) -> None:
        self._engine, self._couriers, self._again_s = engine, couriers, again_s
        self._stopping = threading.Event()
        self._unheard = dict[Way, dt.datetime]()
        """When a notice was asked for, where no answer has come."""
        self._routine = Routine("notifier", self._go_on, lambda _: self.send_all())

    def start(self) -> None:
        """Starts the thread, if there is a way out."""
        if self._couriers:
            self._routine.start()

    def stop(self) -> None:
        """Ends the thread; what is not sent is sent by another worker, or at the next start."""
        self._stopping.set()
        self._routine.join(LONGEST_S + 1)

    def _go_on(self) -> bool:
        return not self._stopping.wait(LOOK_EVERY_S)

    def send_all(self) -> int:
        """Sends what is to be sent now. Returns how many arrived. Raises database errors."""
        return sum(self._send_by(courier) for courier in self._couriers)

    def _send_by(self, courier: Courier) -> int:
        sent = 0
        if (asked := self._unheard.get(courier.way)) is not None:
            notices.give_back(self._engine, courier.way, asked)
        while not self._stopping.is_set():
            self._unheard[courier.way] = asked = dt.datetime.now(dt.UTC)
            notice = notices.take(self._engine, courier.way, asked)
            del self._unheard[courier.way]
            if notice is None:
                break
            sent += courier.wants(notice) and self._send(courier, notice)
        return sent

    def _send(self, courier: Courier, notice: TakenNotice) -> bool:
        told = {"way": courier.way, "kind": notice.kind, "target": notice.target}
        try:
            courier.send(notice)
        except Undelivered as error:
            retry = error.retry and notice.tries < TRIES
            again = self._again_s * 2 ** (notice.tries - 1) if retry else None
            log.warning("notice not sent", extra={**told, "error": str(error), "again_in_s": again})
            notices.failed(self._engine, courier.way, notice.id, str(error), again)
            return False
        log.info("notified", extra=told)
        return True
