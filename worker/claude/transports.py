"""Two ways to send one request: by the SDK, or by our own HTTP client in the SDK's words.

The SDK spends most of a call's CPU on writing the same request again. `LeanTransport` sends what
the SDK wrote once (`forms`) with the conversation put in, over a connection pool of the same kind
and with the same limits. `SdkTransport` is the reference that it is held to, and the way for what
only the SDK does: spans for a tracer, and proxies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import anthropic
import httpx2

from worker.claude.errors import NoResponse
from worker.claude.forms import Forms, send
from worker.claude.requests import Ask

KEEP_ALIVE_S = 4.0
"""A second less than the SDK's. Gateways made with Node or uvicorn close an idle connection after
the same five: a request that crosses that is lost, and has to be taken for paid."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ClaudeTransport(Protocol):
    """Sends requests on one event loop."""

    async def send(self, ask: Ask) -> HttpResponse:
        """One request, sent once. Raises the SDK's errors, or NoResponse."""

    async def close(self) -> None:
        """Closes the connections."""


@dataclass(frozen=True, slots=True)
class SdkTransport:
    """The SDK writes, sends and reads. Raises its errors, for a bad status too."""

    client: anthropic.AsyncAnthropic

    async def send(self, ask: Ask) -> HttpResponse:
        """One request by the SDK."""
        response = await send(self.client, ask)
        return HttpResponse(response.status_code, response.headers, await response.read())

    async def close(self) -> None:
        """Closes the connections."""
        await self.client.close()


class LeanTransport:
    """The SDK wrote; aiohttp sends. A bad status is a response like any other.

    Cookies are not kept: Claude needs none. Nor is a redirect followed, by either: it would take
    the key and what a customer wrote to whoever it names.
    """

    def __init__(self, client: anthropic.AsyncAnthropic, connect_s: float) -> None:
        self._client, self._forms = client, Forms(client)
        # The caller's deadline ends everything else, and no timer is set for each packet.
        self._timeout = aiohttp.ClientTimeout(sock_connect=connect_s)
        self._opened: aiohttp.ClientSession | None = None

    async def send(self, ask: Ask) -> HttpResponse:
        """One request; the caller bounds its time. Raises NoResponse, from what aiohttp raised."""
        form = await self._forms.for_ask(ask)
        body = form.body(ask)
        headers = form.headers_for(ask, body)
        try:
            async with self._session().post(
                form.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return HttpResponse(response.status, response.headers, await response.read())
        except Exception as error:
            raise NoResponse from error

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()
        if self._opened is not None:
            await self._opened.close()

    def _session(self) -> aiohttp.ClientSession:
        """Bound to the event loop of the first request."""
        if self._opened is None:
            limits, scheme = anthropic.DEFAULT_CONNECTION_LIMITS, self._client.base_url.scheme
            connector = aiohttp.TCPConnector(
                limit=limits.max_connections or 0,
                keepalive_timeout=KEEP_ALIVE_S,
                ssl=httpx2.create_ssl_context() if scheme == "https" else True,
            )
            self._opened = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._opened
