"""Signing in and out."""

import asyncio
import logging
import math
import weakref
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.access.forms import form_of
from worker.dashboard.access.gate import Gate
from worker.dashboard.access.passwords import NOBODY, verify_password
from worker.dashboard.access.problems import refusal

log = logging.getLogger(__name__)
AT_ONCE = 2
"""Passwords looked at together: each takes 16 MB."""
MAX_NAME = 64
WRONG = "Name or password is wrong."
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in to Rung</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/rung.css"></head>
<body class="login"><main><h1>Sign in to Rung</h1>{notice}
<form method="post" action="/login">
<input type="hidden" name="next" value="{target}">
<p><label for="name">Name</label>
<input id="name" name="name" autocomplete="username" required autofocus maxlength="64"></p>
<p><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required></p>
<p><button type="submit">Sign in</button></p>
</form></main></body></html>
"""
_turns: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]" = (
    weakref.WeakKeyDictionary()
)


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
    return _page(target)


async def sign_in(request: Request) -> Response:
    """Looks at name and password, as slowly for a name that does not exist."""
    gate: Gate = request.state.gate
    form = await form_of(request)
    name, address = form.get("name", "").strip(), request.client.host if request.client else ""
    target = safe_target(form.get("next", ""))
    if not name or len(name) > MAX_NAME:
        return _page(target, WRONG, 403)
    if wait := gate.attempts.wait_s(name, address):
        words = f"Too many attempts. Try again in {math.ceil(wait / 60)} min."
        return _page(target, words, 429, {"Retry-After": str(math.ceil(wait))})
    gate.attempts.failed(name, address)
    user = gate.settings.users.get(name)
    stored = user.password.get_secret_value() if user is not None else NOBODY
    async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)):
        right = await run_in_threadpool(verify_password, form.get("password", ""), stored)
    if user is None or not right:
        log.warning("sign-in refused", extra={"address": address})
        return _page(target, WRONG, 403)
    gate.attempts.succeeded(name, address)
    log.info("signed in", extra={"user": name, "address": address})
    cookie = gate.signer.set_cookie(gate.signer.begin(name))
    return RedirectResponse(target, 303, {"Set-Cookie": cookie})


async def sign_out(request: Request) -> Response:
    """Ends the session, not only the cookie."""
    gate: Gate = request.state.gate
    visitor = request.state.visitor
    if visitor is None or visitor.session is None:
        return refusal(400, "There is no session to end.", for_program=False)
    gate.signer.end(visitor.session)
    return RedirectResponse("/login", 303, {"Set-Cookie": gate.signer.set_cookie("")})


def safe_target(target: str) -> str:
    """A path of ours; `/` for anything that could lead elsewhere."""
    ours = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if ours and target.isprintable() else "/"


def _page(
    target: str, words: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    notice = f'<p class="notice" role="alert">{escape(words)}</p>' if words else ""
    body = PAGE.format(notice=notice, target=escape(target, quote=True))
    return HTMLResponse(body, status, headers)
