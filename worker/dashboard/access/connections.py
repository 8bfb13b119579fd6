"""Connections that say nothing, or never come to an end of it, are closed.

uvicorn waits for ever for the rest of a request, so a few hundred half-sent ones would use up what
a process may open. Here a head has ten seconds and 64 kB, a body a minute for each next piece of
it, and of those that are still to say what they want only the newest few hundred stay.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S, BODY_S = 10.0, 60.0
MAX_HEAD = 64 * 1024
MAX_WAITING = 256


def bounded(head_s: float = HEAD_S, body_s: float = BODY_S) -> type[asyncio.Protocol]:
    """The protocol for one server: `uvicorn.Config(http=…, h11_max_incomplete_event_size=…)`."""

    class Bounded(_Bounded):
        waiting: dict["_Bounded", None] = {}  # noqa: RUF012 - shared by all connections of a server

    Bounded.head_s, Bounded.body_s = head_s, body_s
    return Bounded


class _Bounded(H11Protocol):
    """uvicorn's, with a clock for what is still to come."""

    waiting: dict["_Bounded", None]
    """Those whose request is not complete, oldest first."""
    head_s: float
    body_s: float
    timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a head."""
        super().connection_made(transport)
        self._wait(self.head_s)
        if len(self.waiting) > MAX_WAITING:
            next(iter(self.waiting)).give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A head must be complete within its time; a body need only go on."""
        super().data_received(data)
        state: Any = self.conn.their_state
        if state is h11.SEND_BODY:
            self._stop_waiting()
            self._wait(self.body_s)
        elif state is not h11.IDLE:
            self._stop_waiting()
        elif self.timer is None:
            self._wait(self.head_s)

    def give_up(self) -> None:
        """Closes the connection, unless it is us who do not read on."""
        self.timer = None
        if self.conn.their_state is h11.SEND_BODY and self.flow.read_paused:
            self._wait(self.body_s)
            return
        self._stop_waiting()
        self.transport.close()

    def _wait(self, seconds: float) -> None:
        self.waiting[self] = None
        self.timer = self.loop.call_later(seconds, self.give_up)

    def _stop_waiting(self) -> None:
        self.waiting.pop(self, None)
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
