"""Posts answers that may go out to their webhooks, several at a time, from a thread of its own.

At least once: a delivery counts as made when the receiver says so (2xx), and is tried again
otherwise, further and further apart, for a day. `webhook-id` stays the same over tries, so that a
receiver can drop repeats. Addresses may hold secrets and are never logged; nor is any text.
"""

import asyncio
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx2
from sqlalchemy import Engine

from rung.webhooks import signature
from worker.config.doors import DeliverSettings
from worker.domain.places import PlaceRefused
from worker.lanes.routine import Routine
from worker.outbound.requests import outbound_client
from worker.store.audit import RUNG
from worker.store.queue import deliveries
from worker.store.queue.deliveries import DueDelivery, ReadyAnswer
from worker.store.rows import as_document

log = logging.getLogger(__name__)
LOOK_EVERY_S = 2.0
AT_ONCE = 8
"""Posts under way at a time, in each worker process."""
FIRST_AGAIN_S, LONGEST_AGAIN_S, GROWTH = 5.0, 3_600.0, 3.0
GONE = 410
MOST_ANSWER = 64_000
"""Bytes that are read of what a receiver says: its status is what counts."""


@dataclass(frozen=True, slots=True)
class ReceiverSaid:
    """What a receiver said: a status, and when it is to be asked again."""

    status: int
    retry_after: str | None

    @property
    def is_success(self) -> bool:
        """Whether it took the answer."""
        return 200 <= self.status < 300


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
        self._tls = httpx2.create_ssl_context()
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

    def _go_on(self) -> bool:
        return not self._stopping.wait(LOOK_EVERY_S)

    def deliver_due(self) -> int:
        """Posts what is due. Returns how many were tried. Raises database errors."""
        return asyncio.run(self._deliver_due())

    async def _deliver_due(self) -> int:
        tried = 0
        async with AsyncExitStack() as stack:
            clients = {
                name: await stack.enter_async_context(self._client(target))
                for name, target in self._targets.items()
            }
            while not self._stopping.is_set() and (taken := self._take()):
                found = deliveries.contents(self._engine, [one.job_id for one in taken])
                pairs = [(one, found.get(one.job_id)) for one in taken]
                told = await asyncio.gather(
                    *(self._post(clients[one.target], one, answer) for one, answer in pairs)
                )
                for one, answer in zip(taken, told, strict=True):
                    self._record(one, answer)
                tried += len(taken)
        return tried

    def _client(self, target: DeliverSettings) -> httpx2.AsyncClient:
        url = target.url.get_secret_value()
        allow = target.allow_private
        return outbound_client(url, allow_private=allow, timeout=None, verify=self._tls)

    def _take(self) -> Sequence[DueDelivery]:
        return deliveries.take(self._engine, list(self._targets), AT_ONCE)

    def _record(self, taken: DueDelivery, told: ReceiverSaid | str | None) -> None:
        """What became of a delivery; words where nothing came back, None where nothing was sent."""
        if told is None:
            deliveries.withdrawn(self._engine, taken)
        elif isinstance(told, str):
            self._again(taken, told, None)
        elif told.is_success:
            deliveries.delivered(self._engine, taken)
        else:
            if told.status == GONE:
                deliveries.pause(self._engine, RUNG, taken.target, deliveries.GONE)
            self._again(taken, f"HTTP {told.status}", told.retry_after)

    async def _post(
        self, client: httpx2.AsyncClient, taken: DueDelivery, row: ReadyAnswer | None
    ) -> ReceiverSaid | str | None:
        """Within the target's time as a whole, however slowly its receiver speaks."""
        if row is None:
            return None
        target = self._targets[taken.target]
        body = json.dumps(document_of(row), default=str).encode()
        url, headers = target.url.get_secret_value(), self._headers(target, taken, row, body)
        told = None
        try:
            async with (
                asyncio.timeout(target.timeout_s),
                client.stream("POST", url, content=body, headers=headers) as answer,
            ):
                told = ReceiverSaid(answer.status_code, answer.headers.get("retry-after"))
                await _read_some(answer)
        except PlaceRefused as error:
            return str(error)
        except (httpx2.HTTPError, TimeoutError) as error:
            return told or type(error).__name__
        return told

    def _headers(
        self, target: DeliverSettings, taken: DueDelivery, row: ReadyAnswer, body: bytes
    ) -> dict[str, str]:
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
        return headers

    def _again(self, taken: DueDelivery, error: str, retry_after: str | None) -> None:
        seconds = wait_s(taken.tries, retry_after, random.random())
        dead = deliveries.failed(self._engine, taken, error, seconds)
        told = {"target": taken.target, "job": taken.job_id, "error": error, "dead": dead}
        log.warning("delivery failed", extra=told)


async def _read_some(answer: httpx2.Response) -> None:
    """The rest of a short answer, so that its connection can be used again."""
    size = 0
    async for piece in answer.aiter_raw():
        size += len(piece)
        if size > MOST_ANSWER:
            return


def wait_s(tries: int, retry_after: str | None, jitter: float) -> float:
    """Seconds until the next try: growing from 5 s to an hour, a fifth of it by chance, and not
    before the receiver asks for it (`retry-after` in whole seconds)."""
    grown = min(FIRST_AGAIN_S * GROWTH ** min(tries - 1, 10), LONGEST_AGAIN_S)
    asked = float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0
    return max(grown * (0.9 + 0.2 * jitter), min(asked, LONGEST_AGAIN_S))


def document_of(row: ReadyAnswer) -> dict[str, Any]:
    """What is posted. `data.send` is the reply; `data.simulated` says that nobody meant it."""
    data = as_document(row)
    data["confidence"] = float(row.confidence) if row.confidence is not None else None
    data["answered_at"] = row.answered_at.isoformat()
    return {"type": "answer.ready", "timestamp": row.answered_at.isoformat(), "data": data}
