"""Responses that go wrong on the wire."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORT = "rung.transport"


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with the connection at hand so that a mood can reset it."""

    def on_headers_complete(self) -> None:
        """As uvicorn's; the scope is the dictionary that the app has already been given."""
        super().on_headers_complete()
        self.scope[TRANSPORT] = self.transport  # type: ignore[literal-required]


class Abort(Response):
    """Nothing at all: the connection is closed without an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[TRANSPORT].abort()


class Cut(Response):
    """Half of a body whose whole length was promised."""

    def __init__(self, content: bytes, kind: str, headers: Mapping[str, str]) -> None:
        super().__init__(content, media_type=kind, headers=dict(headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        half = bytes(self.body)[: len(self.body) // 2]
        await send(start)
        await send({"type": "http.response.body", "body": half, "more_body": True})
        scope[TRANSPORT].close()
