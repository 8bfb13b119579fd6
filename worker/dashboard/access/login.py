"""Signing in and out."""

import asyncio
import logging
import math
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.access.forms import form_of
from worker.dashboard.access.frame import framed
from worker.dashboard.access.gate import Gate
from worker.dashboard.access.passwords import NOBODY, is_old, verify_password
from worker.dashboard.access.problems import refusal
from worker.dashboard.access.sessions import DEVICE, LOCAL
from worker.dashboard.access.visitors import port_of
from worker.store.actions.sessions import end_session

log = logging.getLogger(__name__)
AT_ONCE = 2
"""Passwords looked at together: each takes 19 MB."""
MAX_WAITING = 8
"""Sign-ins that wait for their turn while more fail than is usual; others are sent away."""
MAX_NAME = 64
BROWSER = "device "
"""Begins the name of a place that is a browser, and not an address."""
WRONG = "Name or password is wrong."
WRONG_TOKEN = "That is not this dashboard’s token."  # noqa: S105 - words, not a token
PAGE = """{notice}<form method="post" action="/login">
<input type="hidden" name="next" value="{target}">
{fields}
<p><button type="submit">Sign in</button></p>
</form>
"""
WITH_NAME = """<p><label for="name">Name</label><br>
<input id="name" name="name" autocomplete="username" required autofocus maxlength="64"></p>
<p><label for="password">Password</label><br>
<input id="password" name="password" type="password" autocomplete="current-password" required></p>
"""
WITH_ADDRESS = """<p>Open the address that <code>rung up</code> or <code>rung dashboard</code>
printed: it holds the token. Or paste the token here.</p>
<p><label for="token">Token</label><br>
<input id="token" name="token" type="password" autocomplete="off" required autofocus></p>
"""


@dataclass(slots=True)
class Turns:
    """Who may have a password looked at; those of a crowd one at a time."""

    usual: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    crowded: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    waiting: int = 0


_turns: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Turns]" = weakref.WeakKeyDictionary()


def routes() -> list[BaseRoute]:
    """`/login` and `/logout`."""
    return [
        Route("/login", ask, methods=["GET"], name="login"),
        Route("/login", sign_in, methods=["POST"]),
        Route("/logout", sign_out, methods=["POST"], name="logout"),
    ]


async def ask(request: Request) -> Response:
    """The form; who is signed in already goes on."""
    target = safe_target(request.query_params.get("next", ""))
    if request.state.visitor is not None:
        return RedirectResponse(target, 303)
    return _page(request, target)


async def sign_in(request: Request) -> Response:
    """Looks at the token, or at name and password, as slowly for a name that does not exist."""
    gate: Gate = request.state.gate
    form = await form_of(request)
    target = safe_target(form.get("next", ""))
    if gate.settings.asks_for_token:
        if not gate.visitors.brings_token(form.get("token", "").strip()):
            return _page(request, target, WRONG_TOKEN, 403)
        return _entered(request, LOCAL, target)
    name = form.get("name", "").strip()
    if not name or len(name) > MAX_NAME:
        return _page(request, target, WRONG, 403)
    device = gate.cookies.device_of(name, request.cookies.get(DEVICE))
    place = f"{BROWSER}{device}" if device is not None else gate.visitors.address(request)
    rest = gate.guesses.rest_s(name, place)
    if not rest:
        return await _with_password(request, target, form, name, place)
    if not gate.guesses.enter(name, place):
        return _come_later(request, target, rest)
    try:
        await rest_for(rest)
        return await _with_password(request, target, form, name, place)
    finally:
        gate.guesses.leave(name, place)


async def rest_for(seconds: float) -> None:
    """Holds one sign-in back; others go on."""
    await asyncio.sleep(seconds)


async def _with_password(
    request: Request, target: str, form: Mapping[str, str], name: str, place: str
) -> Response:
    """Lets in who brings the right one."""
    gate: Gate = request.state.gate
    device, address = place.startswith(BROWSER), gate.visitors.address(request)
    crowded = not device and gate.guesses.crowded(name, place)
    gate.guesses.failed(name, place)
    right = await _verified(gate, name, form.get("password", ""), crowded=crowded)
    if right is None:
        return _come_later(request, target, 60)
    if not right:
        known = name if name in gate.settings.users else None
        log.warning("sign-in refused", extra={"user": known, "address": address})
        return _page(request, target, WRONG, 403)
    gate.guesses.succeeded(name, place)
    return _entered(request, name, target)


async def sign_out(request: Request) -> Response:
    """Ends the session, not only the cookie, at every copy of the dashboard."""
    gate: Gate = request.state.gate
    visitor = request.state.visitor
    if visitor is None or visitor.session is None:
        return refusal(400, "There is no session to end.", for_program=False)
    session = visitor.session
    left_s = gate.cookies.ends_at(session) - time.time()
    await run_in_threadpool(end_session, gate.engine, session.nonce, left_s)
    cookie = gate.cookies.set_session("", port_of(request))
    return RedirectResponse("/login", 303, {"Set-Cookie": cookie})


async def _verified(gate: Gate, name: str, password: str, *, crowded: bool) -> bool | None:
    """Whether the password is right; None when too many wait for an answer."""
    user = gate.settings.users.get(name)
    stored = user.password.get_secret_value() if user is not None else NOBODY
    turns = _turns.setdefault(asyncio.get_running_loop(), Turns())
    if not crowded:
        async with turns.usual:
            right = await run_in_threadpool(verify_password, password, stored)
    elif turns.waiting >= MAX_WAITING:
        return None
    else:
        turns.waiting += 1
        try:
            async with turns.crowded:
                right = await run_in_threadpool(verify_password, password, stored)
        finally:
            turns.waiting -= 1
    return right and user is not None


def _entered(request: Request, name: str, target: str) -> Response:
    gate: Gate = request.state.gate
    log.info("signed in", extra={"user": name, "address": gate.visitors.address(request)})
    user = gate.settings.users.get(name)
    if user is not None and is_old(user.password.get_secret_value()):
        log.warning("password hash of an older kind: rung dashboard hash", extra={"user": name})
    answer = RedirectResponse(target, 303)
    session = gate.cookies.begin(name)
    answer.headers.append("Set-Cookie", gate.cookies.set_session(session, port_of(request)))
    if name != LOCAL:
        answer.headers.append("Set-Cookie", gate.cookies.set_device(gate.cookies.device(name)))
    return answer


def _come_later(request: Request, target: str, wait_s: float) -> Response:
    words = f"Too many attempts. Try again in {math.ceil(wait_s / 60)} min."
    return _page(request, target, words, 429, {"Retry-After": str(math.ceil(wait_s))})


def safe_target(target: str) -> str:
    """A path of ours; `/` for anything that could lead elsewhere."""
    ours = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if ours and target.isprintable() else "/"


def _page(
    request: Request,
    target: str,
    words: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    fields = WITH_ADDRESS if request.state.gate.settings.asks_for_token else WITH_NAME
    notice = f'<p class="notice" role="alert">{escape(words)}</p>' if words else ""
    body = PAGE.format(notice=notice, fields=fields, target=escape(target, quote=True))
    return HTMLResponse(framed("Sign in to Rung", body, places=False), status, headers)
