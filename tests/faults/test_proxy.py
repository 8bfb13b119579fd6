"""The proxy does to bytes what it says."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.proxy import Proxy, proxied


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy to a server that echoes in capitals."""
    listener = socket.create_server(("127.0.0.1", 0))
    done: list[threading.Thread] = []

    def echo(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1024):
                connection.sendall(data.upper())

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                thread = threading.Thread(target=echo, args=(connection,), daemon=True)
                done.append(thread)
                thread.start()

    threading.Thread(target=serve, daemon=True).start()
    with proxied(listener.getsockname()) as made:
        yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in done:
        thread.join(5)


def ask(proxy: Proxy, words: bytes = b"hello", wait_s: float = 0.2) -> bytes | None:
    """The reply; None when nothing comes in time."""
    with socket.create_connection(("127.0.0.1", proxy.port), wait_s) as connection:
        return say(connection, words)


def say(connection: socket.socket, words: bytes = b"hello") -> bytes | None:
    connection.sendall(words)
    try:
        return connection.recv(1024)
    except TimeoutError:
        return None


def test_bytes_pass(proxy: Proxy) -> None:
    assert ask(proxy) == b"HELLO"
    assert proxy.injected == 0


@pytest.mark.parametrize("toxic", ["blackhole", "mute"])
def test_bytes_are_swallowed_until_they_pass_again(proxy: Proxy, toxic: str) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), 0.2) as connection:
        proxy.set(toxic)  # type: ignore[arg-type]
        assert say(connection) is None
        proxy.set("pass")
        assert say(connection) == b"HELLO"
    assert proxy.injected >= 1


def test_an_open_connection_is_reset(proxy: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), 2) as connection:
        assert say(connection) == b"HELLO"
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            say(connection)
    assert ask(proxy) == b"HELLO"


@pytest.mark.parametrize("toxic", ["refuse", "reset"])
def test_new_connections_are_refused(proxy: Proxy, toxic: str) -> None:
    proxy.set(toxic)  # type: ignore[arg-type]
    with pytest.raises(OSError, match=r"."):
        assert ask(proxy, wait_s=2) == b"never"
    proxy.set("pass")
    assert ask(proxy) == b"HELLO"


def test_a_reply_is_cut_after_so_many_bytes(proxy: Proxy) -> None:
    proxy.set("cut", cut_after=2)
    with socket.create_connection(("127.0.0.1", proxy.port), 2) as connection:
        assert say(connection) == b"HE"
        assert connection.recv(10) == b""


def test_bytes_are_late(proxy: Proxy) -> None:
    proxy.set("delay", delay_s=0.1)
    started = time.monotonic()
    assert ask(proxy, wait_s=2) == b"HELLO"
    assert time.monotonic() - started >= 0.2
