"""Who is behind a request: a signed-in person, one whom a trusted proxy names, a program with its
token, or, where no credentials are configured, whoever sits at this machine."""

import ipaddress
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers
from starlette.requests import Request

from worker.config.dashboard import DashboardSettings, Role
from worker.dashboard.access.passwords import hash_token, same
from worker.dashboard.access.sessions import COOKIE, Session, Signer

MAX_PROXIED_NAME = 100
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "x-forwarded-host", "via")
"""A proxy adds one of these: whoever is behind it is not at this machine."""
Via = Literal["session", "proxy", "token", "loopback"]


@dataclass(frozen=True, slots=True)
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

    def __init__(self, settings: DashboardSettings, signer: Signer) -> None:
        self._settings, self._signer = settings, signer
        self._networks = [ipaddress.ip_network(n, strict=False) for n in settings.trusted_proxies]

    def find(self, request: Request) -> Visitor | None:
        """None for a stranger. A wrong token is a stranger, whatever else the request holds."""
        settings, headers = self._settings, request.headers
        if "authorization" in headers:
            return self._program(headers)
        if not settings.credentials:
            return self._seen("local", "operator", "loopback") if _is_local(request) else None
        if self._is_trusted(request) and settings.proxy_user_header in headers:
            return self._proxied(headers)
        cookie = request.cookies.get(COOKIE)
        session = self._signer.read(cookie) if cookie else None
        if session is None:
            return None
        return self._seen(session.name, settings.users[session.name].role, "session", session)

    def _program(self, headers: Headers) -> Visitor | None:
        token = bearer(headers)
        digest = hash_token(token or "")
        found = None
        for name, known in self._settings.tokens.items():
            if same(digest, known.sha256.get_secret_value()):
                found = self._seen(name, known.role, "token")
        return found if token else None

    def _proxied(self, headers: Headers) -> Visitor | None:
        names = headers.getlist(self._settings.proxy_user_header)
        name = names[0].strip()
        if len(names) != 1 or not name or len(name) > MAX_PROXIED_NAME:
            return None
        user = self._settings.users.get(name)
        role = user.role if user is not None else self._settings.proxy_role
        return self._seen(name, role, "proxy") if role is not None else None

    def _seen(self, name: str, role: Role, via: Via, session: Session | None = None) -> Visitor:
        csrf = self._signer.csrf(via, name, session.nonce if session else "")
        return Visitor(name, role, via, csrf, session)

    def _is_trusted(self, request: Request) -> bool:
        address = _address(request)
        return address is not None and any(address in network for network in self._networks)


def bearer(headers: Headers) -> str | None:
    """The token of `Authorization: Bearer TOKEN`."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def _address(request: Request) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _is_local(request: Request) -> bool:
    """From this machine, and not through a proxy on it. A Unix socket has no address."""
    if any(name in request.headers for name in FORWARDED):
        return False
    address = _address(request)
    return address is None or address.is_loopback
