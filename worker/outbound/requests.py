"""How requests leave for addresses of the configuration: look-ups, deliveries and notices.

A host's name is resolved, what it leads to is looked at (`domain.places`), and that very address is
connected to: nobody who answers for the name can give another one in between. TLS still asks for a
certificate of the name. Where the environment names a proxy for an address, the proxy resolves the
name, and decides.
"""

import asyncio
import socket
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx2

from worker.domain.places import PlaceRefused, allowed


def needs_proxy(url: httpx2.URL) -> bool:
    """Whether the environment names a proxy for this address."""
    proxies = getproxies()
    named = url.scheme in proxies or "all" in proxies
    return named and not proxy_bypass(url.host)


def outbound_client(url: str, *, allow_private: bool, **how: Any) -> httpx2.AsyncClient:
    """A client for the host of `url`, which follows no redirects. Its requests raise PlaceRefused
    where the host's name leads elsewhere than it may, and httpx's errors."""
    how["follow_redirects"] = False
    if not needs_proxy(httpx2.URL(url)):
        how["transport"] = _Looking(allow_private, how.pop("verify", True))
    return httpx2.AsyncClient(**how)


def places_of(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of a host that may be connected to. Raises PlaceRefused, OSError."""
    return allowed(host, _numbers(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)),
        allow_private=allow_private)  # fmt: skip


def place_complaint(table: str, url: str, *, allow_private: bool) -> str | None:
    """What is wrong with where the name of an address leads, in words that hold no more of it than
    its setting `TABLE.url`; None where nothing is."""
    asked = httpx2.URL(url)
    if needs_proxy(asked):
        return None
    try:
        places_of(asked.host, asked.port or 443, allow_private=allow_private)
    except PlaceRefused as error:
        meant = "" if allow_private else f"; {table}.allow_private = true if that is meant"
        return f"{table}.url {error}{meant}."
    except OSError:
        # That it cannot be found just now says nothing about where it leads.
        return None
    return None


def connected(
    address: tuple[str, int], timeout_s: float, _source: None = None, *, allow_private: bool
) -> socket.socket:
    """A connection to one of a host's addresses that may be connected to, as
    `socket.create_connection` makes one to any of them. Raises PlaceRefused, OSError."""
    host, port = address
    *others, last = places_of(host, port, allow_private=allow_private)
    for place in others:
        try:
            return socket.create_connection((place, port), timeout_s)
        except OSError:
            continue
    return socket.create_connection((last, port), timeout_s)


class _Looking(httpx2.AsyncHTTPTransport):
    """Connects to an address that was looked at."""

    def __init__(self, allow_private: bool, verify: Any) -> None:
        super().__init__(verify=verify)
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """To the first of the host's addresses that takes a connection."""
        *others, last = await self._places(request.url)
        for place in others:
            try:
                return await super().handle_async_request(_to(place, request))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await super().handle_async_request(_to(last, request))

    async def _places(self, url: httpx2.URL) -> list[str]:
        ask = asyncio.get_running_loop().getaddrinfo
        try:
            found = await ask(url.host, url.port or 443, type=socket.SOCK_STREAM)
            return allowed(url.host, _numbers(found), allow_private=self._allow_private)
        except PlaceRefused:
            raise
        except OSError as error:
            raise httpx2.ConnectError(type(error).__name__) from None


def _to(place: str, request: httpx2.Request) -> httpx2.Request:
    """The same request; its `Host` and its certificate stay those of the name."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=place),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


def _numbers(found: list[Any]) -> list[str]:
    return list(dict.fromkeys(str(place[0]) for *_, place in found))
