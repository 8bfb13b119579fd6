"""Receivers of answers that mean no good, or are ill: each takes no more than its time, and leads
nowhere else."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from tests.integration.lanes.upkeep.test_deliver import NAME, answered, states
from tests.support.works import settings_for
from worker.config.doors import DeliverSettings
from worker.config.settings import Settings
from worker.lanes.upkeep.deliverer import Deliverer
from worker.sandbox.simulator.state import State
from worker.store.queue import deliveries


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


@contextlib.contextmanager
def speaking(words: bytes, drip: bytes = b"") -> Iterator[str]:
    """The address of a receiver that says these words, then drips, and never comes to its end."""
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(words)
            while not over.wait(0.02):
                connection.sendall(drip)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        over.set()
        thread.join(5)


@pytest.mark.parametrize(
    ("words", "drip", "state"),
    [
        # What it says takes no time that others wait for, however slowly it goes on to say it.
        (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n", ("waiting", 1, "TimeoutError")),
        # Its status is what counts, and what comes after is not waited for without end.
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 50_000, ("delivered", 1, None)),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"", ("delivered", 1, None)),
        # And nobody is led to where only a worker may go.
        (
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            b"",
            ("waiting", 1, "HTTP 302"),
        ),
    ],
)
def test_a_receiver_takes_no_more_than_its_time(
    words: bytes, drip: bytes, state: tuple[Any, ...], engine: Engine, settings: Settings
) -> None:
    with speaking(words, drip) as url:
        target = DeliverSettings(url=SecretStr(url), simulated=True, timeout_s=0.5)
        deliveries.announce(engine, {NAME: True})
        deliverer = Deliverer(engine, {NAME: target})
        answered(engine, settings, ["one"])
        assert deliverer.deliver_due() == 1
        deliverer.stop()
    assert states(engine) == [(1, *state)]
