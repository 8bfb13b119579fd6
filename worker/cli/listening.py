"""Sockets that listen before the address is named, so that nobody else can come to have it."""

import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from worker.errors import RungError

BACKLOG = 2_048
"""Connections that the kernel keeps until somebody takes them; uvicorn's own."""
MISSING = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
LOOPBACK = "127.0.0.1"


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen at every address of `host` that this machine has, at one port: the server
    is given them, so that the address that is named is its own from then on. Port 0 takes any that
    is free. Raises RungError."""
    with ExitStack() as bound:
        try:
            listeners = list[socket.socket]()
            for family, place in _places(host, port):
                with _unless_missing(listeners):
                    at = (place[0], _port(listeners) or port, *place[2:])
                    listeners.append(bound.enter_context(_listening(family, at)))
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise RungError(
                f"The dashboard cannot listen at {_shown(host)}:{port}: {why}.",
                mend="--port PORT with another one, or dashboard.port in rung.toml",
            ) from None
        bound.pop_all()
    return listeners


@contextmanager
def listening(wanted: int) -> Iterator[socket.socket]:
    """Listens at `wanted` on loopback, or at any other port where somebody has it, for a server
    that is still to be started and is handed the socket: who connects before it is there waits
    until it is. The socket is closed with the block. Raises RungError."""
    try:
        (listener,) = listen(LOOPBACK, wanted)
    except RungError:
        (listener,) = listen(LOOPBACK, 0)
    with listener:
        yield listener


def handed_over(fd: int) -> list[socket.socket]:
    """The socket that listens already, of the process that started this one. Raises RungError."""
    try:
        return [socket.socket(fileno=fd)]
    except OSError:
        raise RungError(f"--fd {fd} is no socket of this process.", mend="--port PORT") from None


def _places(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    """Its addresses, those of IPv4 first: a machine may know a name by IPv6 and not have that."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    places = dict.fromkeys((family, address) for family, _, _, _, address in found)
    return sorted(places, key=lambda one: one[0] != socket.AF_INET)


@contextmanager
def _unless_missing(listeners: Sequence[socket.socket]) -> Iterator[None]:
    """An address that this machine does not have is left out where it has another."""
    try:
        yield
    except OSError as error:
        if not listeners or error.errno not in MISSING:
            raise


def _listening(family: int, place: tuple[Any, ...]) -> socket.socket:
    """Named as TCP: of any other, asyncio leaves Nagle's algorithm on, and answers wait for it."""
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def address_of(host: str, listeners: Sequence[socket.socket]) -> str:
    """`http://HOST:PORT` of what listens."""
    return f"http://{_shown(host)}:{_port(listeners)}"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _port(listeners: Sequence[socket.socket]) -> int:
    """The port that they share; 0 while there are none."""
    return int(listeners[0].getsockname()[1]) if listeners else 0
