"""A TCP proxy with faults, in a thread: it stands between Rung and Claude, Redis or Postgres.

`Proxy.toxic` says what happens to bytes from now on, on connections that are open as well as new:

- `pass`: nothing goes wrong.
- `refuse`: new connections are closed at once, open ones stay.
- `reset`: every connection is reset, open and new.
- `blackhole`: bytes are swallowed in both directions, connections stay open.
- `mute`: requests get through, replies are swallowed: the work is done, and nobody hears of it.
- `delay`: bytes are late by `delay_s` seconds in each direction.
- `lossy`: as `delay`, and each hundredth chunk waits for its retransmission too.
- `cut`: each connection ends after `cut_after` bytes of reply.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Literal

Toxic = Literal["pass", "refuse", "reset", "blackhole", "mute", "delay", "lossy", "cut"]
RETRANSMISSION_S = 1.0
LOST_OF = 100
CHUNK = 64 * 1024
HARD_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER that makes close() send a reset."""


class Proxy:
    """Forwards a port of `address` to a TCP address or to a unix socket."""

    def __init__(self, target: tuple[str, int] | str, address: str = "127.0.0.1") -> None:
        self.toxic: Toxic = "pass"
        self.delay_s = 0.0
        self.cut_after = 0
        self.accepted = 0
        """Connections so far."""
        self.injected = 0
        """Connections, or chunks of bytes, that a toxic met."""
        self.port = 0
        self.target, self._address = target, address
        self._chunks = 0
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None

    def start(self) -> None:
        """Listens on a free port."""
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Ends every connection, then the thread."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def set(self, toxic: Toxic, *, delay_s: float = 0.0, cut_after: int = 0) -> None:
        """Changes what goes wrong. `reset` also resets what is open."""
        self.delay_s, self.cut_after, self.toxic = delay_s, cut_after, toxic
        if toxic == "reset":
            self.reset()

    def reset(self) -> int:
        """Resets every open connection, and goes on as before. Returns how many there were."""
        return asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, self._address, 0)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reset()

    async def _reset(self) -> int:
        writers = list(self._open)
        for writer in writers:
            _abort(writer)
        self.injected += len(writers) // 2
        return len(writers) // 2

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._forward(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.toxic in ("refuse", "reset"):
            self.injected += 1
            _abort(writer)
            return
        try:
            up_reader, up_writer = await self._connect()
        except OSError:
            _abort(writer)
            return
        ends = {writer, up_writer}
        self._open |= ends
        try:
            await asyncio.gather(
                self._pump(reader, up_writer, reply=False),
                self._pump(up_reader, writer, reply=True),
            )
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(*self.target)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, reply: bool
    ) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.toxic == "blackhole" or (self.toxic == "mute" and reply):
                    self.injected += 1
                    continue
                if self.toxic in ("delay", "lossy"):
                    self.injected += 1
                    self._chunks += 1
                    lost = self.toxic == "lossy" and self._chunks % LOST_OF == 0
                    await asyncio.sleep(self.delay_s + (RETRANSMISSION_S if lost else 0))
                if self.toxic == "cut" and reply:
                    self.injected += 1
                    writer.write(data[: max(self.cut_after - passed, 0)])
                    await writer.drain()
                    break
                passed += len(data)
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            if writer.can_write_eof():
                writer.write_eof()
        if self.toxic == "cut" and reply:
            writer.close()


def _abort(writer: asyncio.StreamWriter) -> None:
    """Closes with a reset, as a crashed machine would answer."""
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.family != socket.AF_UNIX:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD_CLOSE)
    writer.transport.abort()


@contextlib.contextmanager
def proxied(target: tuple[str, int] | str, address: str = "127.0.0.1") -> Iterator[Proxy]:
    """A running proxy to `(host, port)` or to the path of a unix socket."""
    proxy = Proxy(target, address)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
