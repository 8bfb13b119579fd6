"""Sends one request to Claude and returns what came back, as values.

One event loop, `max_retries=0` (retries belong to Postgres: the SDK's own would be second and
third bills), and one wall-clock deadline around the whole call, because timeouts of HTTP clients
are per read and a dripping body evades them. How a request is sent: `transports`.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Self

import anthropic
import orjson
from opentelemetry import trace

from worker.claude.doors import client_at
from worker.claude.errors import OTHER, NoUsage, trouble_of, trouble_of_response
from worker.claude.gateway_errors import identifier, request_id_of
from worker.claude.requests import Ask
from worker.claude.transports import ClaudeTransport, LeanTransport, SdkTransport
from worker.config.addresses import ClaudeAddress, claude_address
from worker.config.settings import Settings
from worker.domain.answers import (
    CATEGORIES,
    REFUSAL,
    SERVICE_TIERS,
    STOPS,
    Answer,
    ModelAnswer,
    Troubled,
)
from worker.domain.pricing import Usage
from worker.outbound.requests import needs_proxy

SIMULATED_HEADER = "x-rung-simulated"


class Claude:
    """A client bound to the event loop that it is first used on."""

    def __init__(
        self, address: ClaudeAddress, *, connect_s: float, deadline_s: float, lean: bool = True
    ) -> None:
        """`lean` sends without the SDK, where nothing is asked for that only the SDK does."""
        self._deadline_s = deadline_s
        self.transport = _transport(address, connect_s, deadline_s, lean=lean)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The one that these settings describe. Raises Unreachable where they name none."""
        timing, address = settings.timing, claude_address(settings)
        return cls(
            address,
            connect_s=timing.connect_s,
            deadline_s=timing.call_deadline_s,
            lean=settings.worker.lean_calls,
        )

    async def ask(self, ask: Ask, remaining_s: float | None = None) -> Answer | Troubled:
        """One request, ended after `remaining_s` seconds of wall clock (the deadline at most)."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(min(remaining_s or self._deadline_s, self._deadline_s)):
                response = await self.transport.send(ask)
            headers = response.headers
            if not 200 <= response.status < 300:
                trouble = trouble_of_response(response.status, headers, response.body)
                return Troubled(trouble, _ms_since(started))
            return read_message(
                orjson.loads(response.body),
                latency_ms=_ms_since(started),
                request_id=request_id_of(headers),
                simulated=headers.get(SIMULATED_HEADER) == "true",
                headers=headers,
            )
        except Exception as error:
            return Troubled(trouble_of(error), _ms_since(started))

    async def close(self) -> None:
        """Closes the connections."""
        await self.transport.close()


def read_message(
    message: Mapping[str, Any],
    *,
    latency_ms: int | None,
    request_id: object,
    simulated: bool,
    headers: Mapping[str, str],
) -> Answer:
    """A message as Claude sent it, in either lane. Fields of tomorrow do no harm; raises KeyError
    or TypeError when one is missing that makes a message.

    The SDK's own models cost a seventh of a call's CPU, and check as little.
    """
    usage = message.get("usage")
    if usage is None:
        raise NoUsage
    return Answer(
        answer=_answer(message),
        usage=_usage(usage),
        latency_ms=latency_ms,
        request_id=identifier(request_id),
        service_tier=_known(usage.get("service_tier"), SERVICE_TIERS),
        simulated=simulated,
        headers=headers,
    )


def _answer(message: Mapping[str, Any]) -> ModelAnswer:
    """The text blocks, wherever they stand: thinking may come first."""
    text = "".join(block["text"] for block in message["content"] if block["type"] == "text")
    stop, details = message["stop_reason"], message.get("stop_details") or {}
    category = details.get("category") if stop == REFUSAL else None
    return ModelAnswer(text, _known(stop, STOPS), _known(category, CATEGORIES))


def _known(word: str | None, words: frozenset[str]) -> str | None:
    """Words that end as reasons and as labels of metrics are of a list; others are `other`."""
    return word if word is None or word in words else OTHER


def _usage(usage: Mapping[str, Any]) -> Usage:
    """Tokens by kind. Without a split of cache writes, they were five-minute ones."""
    if usage.get("input_tokens") is None or usage.get("output_tokens") is None:
        raise NoUsage
    written = usage.get("cache_creation_input_tokens") or 0
    hour = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
    return Usage(
        input_tokens=usage["input_tokens"],
        cache_read_tokens=usage.get("cache_read_input_tokens") or 0,
        cache_write_5m_tokens=written - hour,
        cache_write_1h_tokens=hour,
        output_tokens=usage["output_tokens"],
    )


def _transport(
    address: ClaudeAddress, connect_s: float, deadline_s: float, *, lean: bool
) -> ClaudeTransport:
    timeout = anthropic.Timeout(deadline_s, connect=connect_s)
    spans = _spans_are_collected()
    client = client_at(address, timeout=timeout, traced=spans)
    if lean and address.via == "api" and not spans and not needs_proxy(client.base_url):
        return LeanTransport(client, connect_s)
    return SdkTransport(client)


def _spans_are_collected() -> bool:
    """Whether somebody registered a tracer: `opentelemetry-instrument`, or a team's own set-up. The
    SDK describes every call in full, also for nobody, and that costs a fourteenth of the call."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
