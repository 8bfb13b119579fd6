"""A server of bytes: it keeps what it is sent, and answers each request with the same bytes."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Recorder:
    """Where it listens, and the requests so far, as they came over the wire."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a whole request has come."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has closed its connection."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def answering(response: bytes | None, *, stay: bool = True) -> AsyncIterator[Recorder]:
    """Listens on the running loop. None answers nothing; without `stay` each connection ends after
    its answer."""
    recorder, open_ = Recorder(), set[asyncio.StreamWriter]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
                recorder.requests.append(head + body)
                recorder.asked.set()
                writer.write(response or b"")
                if not stay:
                    break
        recorder.left.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    recorder.port = server.sockets[0].getsockname()[1]
    try:
        yield recorder
    finally:
        server.close()
        for writer in open_:
            writer.close()


def http(status: str, body: bytes, *headers: str) -> bytes:
    """A whole response."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
