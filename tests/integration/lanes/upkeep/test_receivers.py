"""Receivers of answers and of notices that mean no good, or are ill: each takes no more than its
time, and leads nowhere else."""

import asyncio
import contextlib
import datetime as dt
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from tests.integration.lanes.upkeep.test_deliver import NAME, answered, states
from tests.integration.lanes.upkeep.test_notify import noted
from tests.support.works import settings_for
from worker.config.doors import DeliverSettings, NotifySettings
from worker.config.settings import Settings
from worker.lanes.upkeep.couriers import Courier, MailCourier, Undelivered, WebhookCourier
from worker.lanes.upkeep.deliverer import MOST_ANSWER, Deliverer, _read_some
from worker.sandbox.simulator.state import State
from worker.store.queue import deliveries, notices


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


def test_of_what_a_receiver_says_no_more_is_read_than_a_little() -> None:
    said = list[int]()

    async def without_end() -> AsyncIterator[bytes]:
        for piece in range(99):
            said.append(piece)
            yield b"x" * 1_000

    asyncio.run(_read_some(httpx2.Response(200, content=without_end())))
    assert len(said) == MOST_ANSWER // 1_000 + 1


SHAKING_HANDS = b"\x16\x03\x03\x3f\x00"
"""The head of a record of TLS, of 16,128 bytes."""


def courier_to(url: str, scheme: str) -> Courier:
    """One whose notices may take half a second each."""
    if scheme.startswith("http"):
        address = url.replace("http", scheme, 1)
        return WebhookCourier(NotifySettings.model_validate({"url": address}), longest_s=0.5)
    port = int(url.rpartition(":")[2].strip("/"))
    mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": scheme}
    whom = {"email_to": ["ops@example.com"], "email_from": "rung@example.com"}
    return MailCourier(NotifySettings.model_validate(mail | whom), longest_s=0.5)


@pytest.mark.parametrize(
    ("scheme", "words", "drip", "retry"),
    [
        # It was sent, so it may have arrived.
        ("http", b"HTTP/1.1 20", b"0", False),
        ("http", b"HTTP/1.1 100 Continue\r\n", b"a: b\r\n", False),
        # It never came to that.
        ("https", SHAKING_HANDS, b"a", True),
        ("none", b"220-", b"a", True),
        ("none", b"220-mail", b"\r\n220-mail", True),
        ("tls", SHAKING_HANDS, b"a", True),
    ],
)
def test_a_notice_takes_no_more_than_its_time(
    scheme: str, words: bytes, drip: bytes, retry: bool, engine: Engine
) -> None:
    # given a receiver that says one byte after another, each of them soon
    noted(engine)
    with speaking(words, drip) as url:
        courier = courier_to(url, scheme)
        notice = notices.take(engine, courier.way, dt.datetime.now(dt.UTC))
        assert notice is not None
        # when
        with pytest.raises(Undelivered) as told:
            courier.send(notice)
    # then
    if courier.way is notices.Way.WEBHOOK:
        assert (str(told.value), told.value.retry) == ("TimeoutError", retry)


def test_a_receiver_that_says_yes_and_more_has_said_yes(engine: Engine) -> None:
    noted(engine)
    with speaking(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n") as url:
        courier = courier_to(url, "http")
        notice = notices.take(engine, courier.way, dt.datetime.now(dt.UTC))
        assert notice is not None
        courier.send(notice)


@pytest.mark.parametrize("allow", [False, True])
def test_a_name_that_leads_within_is_told_nothing_unless_that_is_meant(
    allow: bool, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a receiver on this machine, and a name that leads here since a moment
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _, *rest, **more: resolve("127.0.0.1", *rest, **more)
    )
    with speaking(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") as url:
        named = url.replace("127.0.0.1", "helpdesk.example")
        target = DeliverSettings(url=SecretStr(named), simulated=True, allow_private=allow)
        deliveries.announce(engine, {NAME: True})
        answered(engine, settings, ["one"])
        # when
        Deliverer(engine, {NAME: target}).deliver_due()
    # then
    refused = "leads to 127.0.0.1, which is no public address, and allow_private is not set"
    then = ("delivered", 1, None) if allow else ("waiting", 1, refused)
    assert states(engine) == [(1, *then)]
    # when it is a notice
    noted(engine)
    with speaking(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") as url:
        named = url.replace("127.0.0.1", "chat.example")
        courier = WebhookCourier(
            NotifySettings.model_validate({"url": named, "allow_private": allow})
        )
        notice = notices.take(engine, courier.way, dt.datetime.now(dt.UTC))
        assert notice is not None
        with contextlib.nullcontext() if allow else pytest.raises(Undelivered) as told:
            courier.send(notice)
    assert allow or (str(told.value), told.value.retry) == (refused, True)
