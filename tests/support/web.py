"""The dashboard on a real socket, and a client that may come from another address."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import uvicorn
from pydantic import SecretStr

from worker.config.settings import Settings
from worker.dashboard.access.connections import HEAD_S, MAX_HEAD, bounded
from worker.dashboard.app import create_app
from worker.dashboard.live import RECHECK_S

LOCAL_TOKEN = "the-token-that-tests-put-into-the-address"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that speak plain HTTP: to load the machine's authorities takes as long as a test."""
ELSEWHERE = "127.0.0.2"
"""Loopback as well, but another address than the dashboard's own."""


@contextmanager
def dashboard(
    settings: Settings, *, head_s: float = HEAD_S, recheck_s: float = RECHECK_S
) -> Iterator[str]:
    """Serves the dashboard, as the command does; yields its address. Where people come in by a
    token, it is `LOCAL_TOKEN`."""
    # The protocol by name: asyncio sets TCP_NODELAY on no other, and answers would wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    app = create_app(_with_token(settings))
    app.state.dashboard.live.recheck_s = recheck_s
    config = uvicorn.Config(
        app,
        http=bounded(head_s),
        h11_max_incomplete_event_size=MAX_HEAD,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
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


def _with_token(settings: Settings) -> Settings:
    if not settings.dashboard.asks_for_token:
        return settings
    known = settings.dashboard.model_copy(update={"token": SecretStr(LOCAL_TOKEN)})
    return settings.model_copy(update={"dashboard": known})


@contextmanager
def visiting(url: str, **options: Any) -> Iterator[httpx2.Client]:
    """A stranger's client: it keeps cookies, has none yet, and follows no redirect."""
    options.setdefault("headers", {"Accept": "text/html"})
    options.setdefault("verify", NO_TLS)
    with httpx2.Client(base_url=url, trust_env=False, timeout=20, **options) as client:
        yield client


@contextmanager
def browsing(url: str, **options: Any) -> Iterator[httpx2.Client]:
    """A client that has opened the address with the token in it, which lets in where nobody has to
    sign in."""
    with visiting(url, **options) as client:
        client.get("/", params={"token": LOCAL_TOKEN})
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
    return httpx2.HTTPTransport(local_address=ELSEWHERE, verify=NO_TLS)
