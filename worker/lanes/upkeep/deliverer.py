"""Posts answers that may go out to their webhooks, from threads of their own.

At least once: a delivery counts as made when the receiver says so (2xx), and is tried again
otherwise, further and further apart, for a day. `webhook-id` stays the same over tries, so that a
receiver can drop repeats. Addresses may hold secrets and are never logged; nor is any text.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
from sqlalchemy import Engine, Row

from rung.webhooks import signature
from worker.config.doors import DeliverSettings
from worker.lanes.routine import Routine
from worker.store.queue import deliveries
from worker.store.queue.deliveries import RUNG, DueDelivery

log = logging.getLogger(__name__)
LOOK_EVERY_S = 2.0
AT_ONCE = 8
"""Posts under way at a time, in each worker process."""
FIRST_AGAIN_S, LONGEST_AGAIN_S, GROWTH = 5.0, 3_600.0, 3.0
GONE = 410


class Deliverer:
    """One for a worker process; does nothing without targets."""

    def __init__(
        self,
        engine: Engine,
        targets: Mapping[str, DeliverSettings],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives Unix seconds."""
        self._engine, self._targets, self._clock = engine, targets, clock
        self._client = httpx2.Client(follow_redirects=False)
        self._stopping = threading.Event()
        self._routine = Routine("deliveries", self._go_on, lambda _: self.deliver_due())

    def start(self) -> None:
        """Says which targets there are, and starts the thread if there is one."""
        deliveries.announce(
            self._engine, {name: target.simulated for name, target in self._targets.items()}
        )
        if self._targets:
            self._routine.start()

    def stop(self) -> None:
        """Ends the thread; what was not posted is posted by another worker, or later."""
        self._stopping.set()
        self._routine.join(10)
        self._client.close()

    def _go_on(self) -> bool:
        return not self._stopping.wait(LOOK_EVERY_S)

    def deliver_due(self) -> int:
        """Posts what is due. Returns how many were tried. Raises database errors."""
        tried = 0
        with ThreadPoolExecutor(AT_ONCE, "delivery") as threads:
            while not self._stopping.is_set() and (taken := self._take()):
                found = deliveries.contents(self._engine, [one.job_id for one in taken])
                rows = [found.get(one.job_id) for one in taken]
                list(threads.map(self._deliver, taken, rows))
                tried += len(taken)
        return tried

    def _take(self) -> Sequence[DueDelivery]:
        return deliveries.take(self._engine, list(self._targets), AT_ONCE)

    def _deliver(self, taken: DueDelivery, row: Row[Any] | None) -> None:
        if row is None:
            deliveries.withdrawn(self._engine, taken)
            return
        target = self._targets[taken.target]
        try:
            answer = self._post(target, taken, row)
        except httpx2.HTTPError as error:
            self._again(taken, type(error).__name__, None)
            return
        if answer.is_success:
            deliveries.delivered(self._engine, taken)
            return
        if answer.status_code == GONE:
            deliveries.pause(self._engine, RUNG, taken.target, deliveries.GONE)
        self._again(taken, f"HTTP {answer.status_code}", answer.headers.get("retry-after"))

    def _post(self, target: DeliverSettings, taken: DueDelivery, row: Row[Any]) -> httpx2.Response:
        body = json.dumps(document_of(row), default=str).encode()
        webhook_id, timestamp = f"{row.job}.{taken.revision}", int(self._clock())
        headers = {
            "content-type": "application/json",
            "user-agent": "rung",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "idempotency-key": str(row.job),
        }
        if target.secret is not None:
            secret = target.secret.get_secret_value()
            headers["webhook-signature"] = signature(secret, webhook_id, timestamp, body)
        url = target.url.get_secret_value()
        return self._client.post(url, content=body, headers=headers, timeout=target.timeout_s)

    def _again(self, taken: DueDelivery, error: str, retry_after: str | None) -> None:
        seconds = wait_s(taken.tries, retry_after, random.random())
        dead = deliveries.failed(self._engine, taken, error, seconds)
        told = {"target": taken.target, "job": taken.job_id, "error": error, "dead": dead}
        log.warning("delivery failed", extra=told)


def wait_s(tries: int, retry_after: str | None, jitter: float) -> float:
    """Seconds until the next try: growing from 5 s to an hour, a fifth of it by chance, and not
    before the receiver asks for it (`retry-after` in whole seconds)."""
    grown = min(FIRST_AGAIN_S * GROWTH ** min(tries - 1, 10), LONGEST_AGAIN_S)
    asked = float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0
    return max(grown * (0.9 + 0.2 * jitter), min(asked, LONGEST_AGAIN_S))


def document_of(row: Row[Any]) -> dict[str, Any]:
    """What is posted. `data.send` is the reply; `data.simulated` says that nobody meant it."""
    data = dict(row._mapping)
    data["confidence"] = float(row.confidence) if row.confidence is not None else None
    data["answered_at"] = row.answered_at.isoformat()
    return {"type": "answer.ready", "timestamp": row.answered_at.isoformat(), "data": data}
