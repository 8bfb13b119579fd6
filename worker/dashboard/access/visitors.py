"""Who is behind a request: a signed-in person, one whom a trusted proxy names, a program with its
token, or whoever brought the token that was printed at the start. To come from this machine is no
credential: other people use it, and so does a proxy on it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers
from starlette.requests import Request

from worker.config.dashboard import DashboardSettings, Role
from worker.dashboard.access.passwords import hash_token, same
from worker.dashboard.access.sessions import LOCAL, Cookies, Session

MAX_PROXIED_NAME = 100
MAX_HOPS = 20
Via = Literal["session", "proxy", "token", "loopback"]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Somebody who may look, and perhaps change things. `csrf` must come with their changes."""

    name: str
    role: Role
    via: Via
    csrf: str
    session: Session | None = None

    @property
    def may_operate(self) -> bool:
        """Whether they may change things."""
        return self.role == "operator"


class Visitors:
    """Finds the visitor of a request."""

    def __init__(self, settings: DashboardSettings, cookies: Cookies) -> None:
        self._settings, self._cookies = settings, cookies
        self._networks = [ipaddress.ip_network(n, strict=False) for n in settings.trusted_proxies]

    def find(self, request: Request) -> Visitor | None:
        """None for a stranger. A wrong token is a stranger, whatever else the request holds."""
        settings, headers = self._settings, request.headers
        if "authorization" in headers:
            return self._program(headers)
        header = settings.proxy_user_header
        if header is not None and header in headers and self._is_trusted(request):
            return self._proxied(headers.getlist(header))
        cookie = request.cookies.get(self._cookies.name(port_of(request)))
        session = self._cookies.read(cookie)
        if session is None:
            return None
        if settings.asks_for_token:
            return self._seen(session.name, "operator", "loopback", session)
        return self._seen(session.name, settings.users[session.name].role, "session", session)

    def brings_token(self, given: str) -> bool:
        """Whether it is the token that was printed at the start, and that token lets people in."""
        token = self._settings.token
        wanted = self._settings.asks_for_token and token is not None
        return wanted and token is not None and same(given, token.get_secret_value())

    def address(self, request: Request) -> str:
        """Where the request comes from: the last address that is no proxy of ours. What a client
        says of itself stands further left, and is not believed."""
        peer = request.client.host if request.client else ""
        if not self._is_trusted(request):
            return peer
        hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")[-MAX_HOPS:]
        for hop in reversed(hops):
            address = parsed_address(hop.strip())
            if address is None:
                break
            if not any(address in network for network in self._networks):
                return str(address)
        return peer

    def _program(self, headers: Headers) -> Visitor | None:
        token = bearer(headers)
        if token is None:
            return None
        if self.brings_token(token):
            return self._seen(LOCAL, "operator", "token")
        digest, found = hash_token(token), None
        for name, known in self._settings.tokens.items():
            if same(digest, known.sha256.get_secret_value()):
                found = self._seen(name, known.role, "token")
        return found

    def _proxied(self, names: Sequence[str]) -> Visitor | None:
        name = names[0].strip()
        if len(names) != 1 or not name or len(name) > MAX_PROXIED_NAME:
            return None
        user = self._settings.users.get(name)
        role = user.role if user is not None else self._settings.proxy_role
        return self._seen(name, role, "proxy") if role is not None else None

    def _seen(self, name: str, role: Role, via: Via, session: Session | None = None) -> Visitor:
        csrf = self._cookies.csrf(via, name, session.nonce if session else "")
        return Visitor(name=name, role=role, via=via, csrf=csrf, session=session)

    def _is_trusted(self, request: Request) -> bool:
        address = parsed_address(request.client.host if request.client else "")
        return address is not None and any(address in network for network in self._networks)


def bearer(headers: Headers) -> str | None:
    """The token of `Authorization: Bearer TOKEN`."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def port_of(request: Request) -> int | None:
    """The port that this dashboard listens at; None on a Unix socket."""
    server = request.scope.get("server")
    return server[1] if server else None


def parsed_address(words: str) -> Address | None:
    """An address, and of an IPv4 one in IPv6's clothes the former."""
    try:
        found = ipaddress.ip_address(words)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
