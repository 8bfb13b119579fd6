"""Connections that end at a time, however slowly the other side speaks.

A timeout of the standard library's clients bounds each wait for a byte, not the whole: who sends
one every few seconds would hold a thread for hours. At the bound the connection is shut down, and
whoever reads it finds its end.
"""

import contextlib
import http.client
import smtplib
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

Opened = Callable[..., socket.socket]
"""As `socket.create_connection`."""


class TimeBound:
    """A block of at most so many seconds; every connection made through it ends with them."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._watched: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_over = False
        """Whether the time ran out."""

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for wire in self._watched:
                wire.close()
            self._watched.clear()

    def watch(self, wire: socket.socket) -> None:
        """Ends this connection with the rest. TLS takes its socket over, so a copy is kept."""
        with self._lock:
            self._watched.append(wire.dup())
        if self.is_over:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            for wire in self._watched:
                with contextlib.suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)


class _Http(http.client.HTTPConnection):
    """Watched as soon as it stands; by `opened`, where it is not to be opened as any other."""

    bound: TimeBound
    opened: Opened | None = None

    def connect(self) -> None:
        """Raises OSError."""
        if self.opened is not None:
            self._create_connection = self.opened
        super().connect()
        self.bound.watch(self.sock)


class _Https(http.client.HTTPSConnection, _Http):
    """Its plain connection is watched, so that the handshake is bounded as well."""


class HttpWithin(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """urllib's ways to http: and https:, within a bound."""

    def __init__(self, bound: TimeBound, opened: Opened | None = None) -> None:
        super().__init__()
        self._bound, self._opened = bound, opened

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Raises URLError, OSError, HTTPException."""
        return self.do_open(self._made_by(_Http), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Raises URLError, OSError, HTTPException."""
        return self.do_open(self._made_by(_Https), req)

    def _made_by(self, kind: type[_Http]) -> Any:
        def made(host: str, **how: Any) -> _Http:
            connection = kind(host, **how)
            connection.bound, connection.opened = self._bound, self._opened
            return connection

        return made


class Smtp(smtplib.SMTP):
    """To a mail server, within a bound. With `tls` it speaks TLS from the first byte."""

    def __init__(
        self, host: str, port: int, *, bound: TimeBound, tls: ssl.SSLContext | None, **how: Any
    ) -> None:
        self._bound, self._tls = bound, tls
        super().__init__(host, port, **how)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._bound.watch(made)
        return made if self._tls is None else self._tls.wrap_socket(made, server_hostname=host)
