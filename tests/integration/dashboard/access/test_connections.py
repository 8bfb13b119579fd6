"""Half a request, or a head without end, costs the dashboard next to nothing."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.support.web import browsing, dashboard
from tests.support.works import settings_for
from worker.config.settings import Settings
from worker.dashboard.access.connections import MAX_WAITING

SHORT_S = 0.3


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, "http://127.0.0.1:1")


def connected(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), 10)


@contextlib.contextmanager
def half_sent(url: str, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(connected(url)) for _ in range(count)]
        for wire in wires:
            with contextlib.suppress(OSError):
                wire.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        yield wires


def is_closed(wire: socket.socket) -> bool:
    """Waits for the other side to close; the socket's own timeout fails the test."""
    try:
        return wire.recv(65_536) == b""
    except ConnectionResetError:
        return True


def test_half_a_request_is_not_waited_for_long(settings: Settings) -> None:
    with (
        dashboard(settings, head_s=SHORT_S) as url,
        half_sent(url, 1) as (wire,),
        connected(url) as silent,
    ):
        assert is_closed(wire)
        assert is_closed(silent)


def test_a_second_request_on_a_connection_is_not_waited_for_either(settings: Settings) -> None:
    whole = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with dashboard(settings, head_s=SHORT_S) as url, connected(url) as wire:
        wire.sendall(whole)
        assert b"200" in wire.recv(65_536)
        wire.sendall(b"GET /healthz HTTP/1.1\r\n")
        while not is_closed(wire):
            pass


def test_more_half_requests_than_are_kept_keep_nobody_out(settings: Settings) -> None:
    with dashboard(settings) as url, half_sent(url, MAX_WAITING + 20) as wires:
        with browsing(url) as client:
            answered = client.get("/healthz").status_code
        assert is_closed(wires[0])
    assert answered == 200


def test_a_head_has_an_end(settings: Settings) -> None:
    with dashboard(settings) as url, connected(url) as wire:
        with contextlib.suppress(OSError):
            wire.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 200_000)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = wire.recv(65_536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
