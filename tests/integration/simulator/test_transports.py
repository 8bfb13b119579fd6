"""Our own HTTP client says to Claude what the SDK says, byte for byte.

An SDK whose requests change shows here, before a worker meets it.
"""

import asyncio
import contextlib
import socket
from dataclasses import replace
from typing import Any

import anthropic
import pytest
from opentelemetry import trace

from tests.support.both_ways import (
    ANSWER,
    AS_JSON,
    ASK,
    ASKS,
    OK,
    SAID,
    USER,
    at,
    claude,
    heard,
    run,
)
from tests.support.wire import answering, http
from worker.claude import client
from worker.claude.client import Claude
from worker.claude.transports import LeanTransport, SdkTransport
from worker.domain.answers import Troubled
from worker.domain.trouble import Meaning


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize("path", ["", "/gateway/anthropic", "/with/slash/?"])
def test_every_byte_of_a_request_is_the_sdks(name: str, path: str) -> None:
    async def scenario() -> None:
        async with answering(OK) as server:
            await heard(server.url + path.rstrip("?"), ASKS[name])
            sdk, lean = server.requests
            assert lean.decode() == sdk.decode()

    run(scenario)


def test_headers_of_the_operators_own_go_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-team: support\nx-more: a=1")

    async def scenario() -> None:
        async with answering(OK) as server:
            await heard(server.url, ASK)
            sdk, lean = server.requests
            assert b"x-team: support" in lean
            assert lean == sdk

    run(scenario)


def test_one_client_writes_each_request_as_the_sdk_would() -> None:
    """Forms are shared by requests that are alike, and by no others."""

    async def scenario() -> None:
        async with answering(OK) as server:
            sdk, lean = claude(server.url, lean=False), claude(server.url, lean=True)
            asks = [replace(ask, key=f"{n}-1-x") for n, ask in enumerate([*ASKS.values()] * 3)]
            for ask in asks:
                # Equal, and not the same: planners may make prompts and schemas anew.
                await sdk.ask(ask)
                await lean.ask(replace(ask, system=[*ask.system], schema={**ask.schema}))
            assert server.requests[1::2] == server.requests[::2]
            assert len(set(server.requests)) == len(asks)
            await sdk.close()
            await lean.close()

    run(scenario)


def test_the_sdk_writes_once_for_a_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with answering(OK) as server:
            made = claude(server.url, lean=True)
            await made.ask(ASK)
            # Whatever the client would write now differs; what it wrote is used.
            monkeypatch.setattr(made.transport._client, "api_key", "another")  # type: ignore[attr-defined]
            for n in range(3):
                again = replace(ASK, key=f"{n}-1-answer", system=ANSWER.system())
                await made.ask(replace(again, messages=[{**USER, "content": f"Nr. {n}"}]))
            assert [b"Bearer sk-test" in request for request in server.requests] == [True] * 4
            await made.close()

    run(scenario)


@pytest.mark.parametrize("lean", [True, False])
def test_a_call_that_is_given_up_closes_its_connection(lean: bool) -> None:
    async def scenario() -> None:
        async with answering(None) as server:
            made = claude(server.url, lean=lean)
            call = asyncio.create_task(made.ask(ASK))
            await server.asked.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await asyncio.wait_for(server.left.wait(), 5)
            await made.close()

    run(scenario)


def test_connections_are_kept_for_the_next_call() -> None:
    async def scenario() -> None:
        async with answering(http("200 OK", SAID, AS_JSON)) as server:
            made = claude(server.url, lean=True)
            for _ in range(3):
                await made.ask(ASK)
            assert not server.left.is_set()
            await made.close()
            await asyncio.wait_for(server.left.wait(), 5)

    run(scenario)


@pytest.mark.parametrize(
    ("environment", "transport"),
    [
        ({}, LeanTransport),
        ({"HTTP_PROXY": "http://127.0.0.1:9"}, SdkTransport),
        ({"ALL_PROXY": "http://127.0.0.1:9"}, SdkTransport),
        ({"HTTPS_PROXY": "http://127.0.0.1:9"}, LeanTransport),
        ({"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}, LeanTransport),
    ],
)
def test_what_goes_through_a_proxy_is_the_sdks(
    environment: dict[str, str], transport: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert isinstance(claude("http://127.0.0.1:1", lean=True).transport, transport)


@pytest.mark.parametrize("collected", [True, False])
def test_what_a_tracer_collects_is_the_sdks(
    collected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = trace.NoOpTracerProvider() if collected else trace.ProxyTracerProvider()
    monkeypatch.setattr(client.trace, "get_tracer_provider", lambda: provider)
    transport = claude("http://127.0.0.1:1", lean=True).transport
    assert isinstance(transport, SdkTransport if collected else LeanTransport)
    if isinstance(transport, SdkTransport):
        assert transport.client.open_telemetry["traces"]["enabled"] is True


def test_no_cookies_are_kept() -> None:
    """Not for want of being set: a gateway's balancer sets one with each answer."""

    async def scenario() -> None:
        async with answering(http("200 OK", SAID, AS_JSON, "set-cookie: a=b; Path=/")) as server:
            made = claude(f"http://localhost:{server.port}", lean=True)
            for _ in range(2):
                await made.ask(ASK)
            await made.close()
            assert [b"cookie:" in sent.lower() for sent in server.requests] == [False] * 2

    run(scenario)


@pytest.mark.parametrize("lean", [True, False])
def test_a_host_that_takes_no_connection_is_given_up_in_time(lean: bool) -> None:
    async def scenario() -> None:
        with contextlib.ExitStack() as stack:
            full = stack.enter_context(socket.socket())
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for _ in range(4):  # More than its queue holds: nobody accepts them.
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            address = f"http://127.0.0.1:{full.getsockname()[1]}"
            made = Claude(at(address), connect_s=0.3, deadline_s=20, lean=lean)
            got = await made.ask(ASK)
            await made.close()
        assert isinstance(got, Troubled)
        assert got.trouble.meaning is Meaning.NOT_SENT
        assert (got.latency_ms or 0) < 10_000

    run(scenario)


def test_an_idle_connection_is_given_up_before_gateways_do() -> None:
    async def scenario() -> None:
        made = claude("http://127.0.0.1:1", lean=True)
        assert isinstance(made.transport, LeanTransport)
        connector: Any = made.transport._session().connector
        sdk = anthropic.DEFAULT_CONNECTION_LIMITS
        assert connector._keepalive_timeout < (sdk.keepalive_expiry or 0)
        assert connector.limit == sdk.max_connections
        await made.close()

    run(scenario)
