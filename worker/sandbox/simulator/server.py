"""Serves the simulator: as a process of its own, or in a thread for tests."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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


def make_server(state: State) -> uvicorn.Server:
    """A quiet server: no access log, and no lines about connections that moods cut."""
    return uvicorn.Server(
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
        server.should_exit = True
        server.force_exit = True
        thread.join(10)
        listener.close()
