"""Sends notices to a webhook: JSON without message text, from a thread of its own.

Promise: nobody hears of an event twice because of us. A notice counts as sent before it leaves;
only where it certainly did not arrive (no connection, or a status that says so) is it tried again,
three times in all. A webhook that does not answer costs this thread its time and nothing else.
By urllib, which tells these cases apart (docs/decisions/0016).
"""

import http.client
import json
import logging
import threading
import urllib.error
import urllib.request
from typing import Any

from sqlalchemy import Engine, Row

from worker.lanes.routine import Routine
from worker.store.queue import notices

log = logging.getLogger(__name__)
TIMEOUT_S = 5.0
LOOK_EVERY_S = 2.0
TRIES = 3
AGAIN_AFTER_S = 20.0
"""After the first failure; twice as long after the second."""
NOT_NOW = frozenset({408, 425, 429, 500, 502, 503, 504})


class Notifier:
    """One for a worker process; does nothing without an address, which may hold a secret and so
    is never logged."""

    def __init__(self, engine: Engine, url: str | None, *, again_s: float = AGAIN_AFTER_S) -> None:
        self._engine, self._url, self._again_s = engine, url, again_s
        self._stopping = threading.Event()
        self._routine = Routine("notifier", self._go_on, lambda _: self.send_all())

    def start(self) -> None:
        """Starts the thread, if there is an address."""
        if self._url is not None:
            self._routine.start()

    def stop(self) -> None:
        """Ends the thread; what is not sent is sent by another worker, or at the next start."""
        self._stopping.set()
        self._routine.join(TIMEOUT_S + 1)

    def _go_on(self) -> bool:
        return not self._stopping.wait(LOOK_EVERY_S)

    def send_all(self) -> int:
        """Sends what is to be sent now. Returns how many arrived. Raises database errors."""
        sent = 0
        while not self._stopping.is_set() and (notice := notices.take(self._engine)) is not None:
            sent += self._send(notice)
        return sent

    def _send(self, notice: Row[Any]) -> bool:
        try:
            self._post(document_of(notice))
        except urllib.error.HTTPError as error:
            with error:
                self._failed(notice, f"HTTP {error.code}", retry=error.code in NOT_NOW)
            return False
        except urllib.error.URLError as error:
            # No connection, or not the whole request was taken.
            self._failed(notice, type(error.reason).__name__, retry=True)
            return False
        except (OSError, http.client.HTTPException) as error:
            # Sent, and then nothing, or half an answer: it may have arrived.
            self._failed(notice, type(error).__name__, retry=False)
            return False
        log.info("notified", extra={"kind": notice.kind, "target": notice.target})
        return True

    def _post(self, document: dict[str, Any]) -> None:
        assert self._url is not None, "nothing is sent without an address"
        request = urllib.request.Request(  # noqa: S310 - http and https only, by the settings
            self._url,
            json.dumps(document, default=str).encode(),
            {"content-type": "application/json", "user-agent": "rung"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310 - as above
            pass

    def _failed(self, notice: Row[Any], error: str, *, retry: bool) -> None:
        again = self._again_s * 2 ** (notice.tries - 1) if retry and notice.tries < TRIES else None
        told = {"kind": notice.kind, "target": notice.target, "error": error}
        log.warning("notice not sent", extra={**told, "again_in_s": again})
        notices.failed(self._engine, notice.id, error, again)


def document_of(notice: Row[Any]) -> dict[str, Any]:
    """What is posted. `text` is what chat programs show; `id` lets a receiver tell repeats."""
    return {
        "id": notice.id,
        "kind": notice.kind,
        "target": notice.target,
        "text": f"Rung: {notice.words}",
        "detail": notice.detail,
        "at": notice.at.isoformat(),
    }
