"""Who may see and do what. The seam that pages and templates use; `gate` is what enforces it."""

import hashlib
import ipaddress

from markupsafe import Markup
from sqlalchemy import Engine
from starlette.middleware import Middleware
from starlette.requests import Request

from worker.config.dashboard import DashboardSettings
from worker.config.settings import Settings
from worker.dashboard.access.gate import CSRF_FIELD, Gate
from worker.dashboard.access.requests import RequestRefused
from worker.dashboard.access.sessions import Cookies
from worker.dashboard.access.visitors import Visitor
from worker.errors import ConfigurationError
from worker.store.audit import Actor
from worker.store.queue.reading_leases import ReadBy


def middleware(settings: Settings, engine: Engine) -> list[Middleware]:
    """What stands in front of every route. `engine` knows which sessions were ended."""
    dashboard = settings.dashboard
    return [Middleware(Gate, settings=dashboard, cookies=Cookies(dashboard), engine=engine)]


def visitor_of(request: Request) -> Visitor:
    """Who asks. Behind the gate there is always somebody, except on open pages."""
    visitor: Visitor = request.state.visitor
    return visitor


def csrf_field(request: Request) -> Markup:
    """The hidden field that every form carries; the gate looks at it."""
    field = '<input type="hidden" name="{}" value="{}">'
    return Markup(field).format(CSRF_FIELD, visitor_of(request).csrf)  # noqa: S704 - constant


def actor(request: Request) -> Actor:
    """Who acts, as the audit names them."""
    return Actor(visitor_of(request).name)


def read_by(visitor: Visitor, seat: str = "") -> ReadBy:
    """Who has something before them: two sessions of one name are two, and so are two seats of a
    program that asks for several people."""
    session = hashlib.sha256(visitor.csrf.encode()).hexdigest()[:12]
    name = f"{visitor.name} ({seat})" if seat else visitor.name
    return ReadBy(f"{name}/{session}", name)


def may_operate(request: Request) -> bool:
    """Whether this person may change things, rather than only look."""
    return visitor_of(request).may_operate


async def may_still_look(request: Request) -> bool:
    """Whether who asked is still known: a stream outlives a session that was ended."""
    gate: Gate = request.state.gate
    try:
        return await gate.visitor(request) is not None
    except RequestRefused:
        return False


def check_listening(settings: DashboardSettings, host: str) -> None:
    """Raises ConfigurationError when strangers could reach a dashboard that knows no strangers."""
    if is_loopback(host) or settings.credentials:
        return
    raise ConfigurationError(
        f"The dashboard would listen on {host} without asking anybody who they are.",
        mend="rung dashboard hash, then put [dashboard.users.NAME] into rung.toml;"
        " or listen on 127.0.0.1",
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
