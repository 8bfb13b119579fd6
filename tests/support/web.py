"""The dashboard on a real socket, and a client that may come from another address."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import uvicorn

from worker.config.settings import Settings
from worker.dashboard.app import create_app

ELSEWHERE = "127.0.0.2"
"""Loopback as well, but another address than the dashboard's own."""


@contextmanager
def dashboard(settings: Settings) -> Iterator[str]:
    """Serves the dashboard; yields its address."""
    # The protocol by name: asyncio sets TCP_NODELAY on no other, and answers would wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    config = uvicorn.Config(
        create_app(settings), log_level="critical", access_log=False, proxy_headers=False
    )
    server = uvicorn.Server(config)
    config.load()
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="dashboard", daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
        listener.close()


@contextmanager
def browsing(url: str, **options: Any) -> Iterator[httpx2.Client]:
    """A client that keeps cookies and follows no redirect."""
    options.setdefault("headers", {"Accept": "text/html"})
    with httpx2.Client(base_url=url, trust_env=False, timeout=20, **options) as client:
        yield client


@contextmanager
def calling(url: str, *, csrf: bool = True, **options: Any) -> Iterator[httpx2.Client]:
    """A program on this machine, with the CSRF token that it was told."""
    with browsing(url, **{"headers": {"Accept": "application/json"}, **options}) as client:
        if csrf:
            client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf_token"]
        yield client


def from_elsewhere() -> httpx2.HTTPTransport:
    """A transport whose connections come from `ELSEWHERE`."""
    return httpx2.HTTPTransport(local_address=ELSEWHERE)
