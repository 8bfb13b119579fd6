"""Serves the simulator: as a process of its own, or in a thread for tests."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn

from worker.sandbox.simulator.app import make_app
from worker.sandbox.simulator.state import State
from worker.sandbox.simulator.wire import Protocol

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes any that is free.

    Named as TCP: of any other, asyncio leaves Nagle's algorithm on, and each answer on a connection
    that is kept open waits 40 ms for an acknowledgement.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(1024)
    return listener


class PromptServer(uvicorn.Server):
    """Ends as soon as it is told, where uvicorn looks ten times a second and then lets its clients
    have another tenth: for a server that is started and ended once for each test."""

    _loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Until `end`, or a signal."""
        self._told, self._loop = asyncio.Event(), asyncio.get_running_loop()
        either = {
            asyncio.ensure_future(super().main_loop()),
            asyncio.ensure_future(self._told.wait()),
        }
        _, left = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        for one in left:
            one.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """After `end`, closes every connection, whatever is under way on it."""
        if not self.force_exit:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)

    def end(self) -> None:
        """Tells it, from another thread."""
        self.should_exit = self.force_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # The loop has ended by itself.
                self._loop.call_soon_threadsafe(self._told.set)


def make_server(state: State) -> PromptServer:
    """A quiet server: no access log, and no lines about connections that moods cut."""
    return PromptServer(
        uvicorn.Config(
            make_app(state),
            http=Protocol,
            log_level="critical",
            access_log=False,
            lifespan="off",
            backlog=1024,
        )
    )


def address_of(listener: socket.socket) -> str:
    """`http://127.0.0.1:PORT`."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


@contextmanager
def running(state: State) -> Iterator[str]:
    """Runs the simulator in a thread with a loop of its own; yields its address."""
    listener = listen(0)
    server = make_server(state)
    server.config.load()
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="simulator", daemon=True
    )
    thread.start()
    try:
        yield address_of(listener)
    finally:
        server.end()
        thread.join(10)
        listener.close()
