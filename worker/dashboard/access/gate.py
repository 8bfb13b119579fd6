"""The gate in front of every route: who is this, may they, and was it them who asked?

In order: a path that plays tricks is refused; metrics and health have tokens of their own; a Host
that is not ours is refused (DNS rebinding); what needs no visitor passes; the visitor is found, and
their session looked up among those that were ended; a change needs an operator, must come from our
own pages, and must carry their CSRF token; what another site asks for is neither read nor audited.
A program that sends its own token needs no CSRF token: no browser attaches one by itself.

Every change and every refusal is a line of the log: who, from where, what.
"""

import logging
from urllib.parse import quote, urlencode

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, TimeoutError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.config.dashboard import DashboardSettings
from worker.dashboard.access.forms import close_files, form_of, is_form
from worker.dashboard.access.passwords import same
from worker.dashboard.access.problems import away_words, refusal
from worker.dashboard.access.requests import (
    HAND_OVER,
    HEALTH,
    METRICS,
    SAFE_METHODS,
    STATIC,
    TOKEN,
    RequestRefused,
    capped,
    for_program,
    guard,
    host_name,
    refuse_choosing_by_text,
    refuse_cross_site,
    refuse_large,
    refuse_reading_from_afar,
    refuse_tricks,
    token_in,
    with_headers,
)
from worker.dashboard.access.sessions import LOCAL, Cookies
from worker.dashboard.access.sign_ins import Guesses
from worker.dashboard.access.visitors import Visitor, Visitors, port_of
from worker.domain.places import HOME
from worker.store.actions.sessions import has_ended
from worker.store.engine import away_since

log = logging.getLogger(__name__)
LOOPBACK_NAMES = frozenset({*HOME, "[::1]"})
OPEN_PATHS = frozenset({"/login", "/favicon.ico"})
UPLOADS = frozenset({"/api/runs", HAND_OVER})
CSRF_FIELD, CSRF_HEADER = "csrf_token", "x-csrf-token"
HOW_TO_MAKE_ONE = "`rung dashboard token` makes one for [dashboard.tokens.NAME] in rung.toml"
SIGNED_OUT = "Nothing was changed: nobody is signed in here any more."
NO_CSRF = "The CSRF token is missing or old: load the page again."
OLD_PAGE = "Nothing was changed: the page before this one is too old. Go back and load it again."
PROGRAMS = f"A program sends `Authorization: Bearer TOKEN`; {HOW_TO_MAKE_ONE}."
BY_ADDRESS = (
    "Open the address that `rung up` or `rung dashboard` printed: it holds the token. A program"
    f" sends `Authorization: Bearer TOKEN`, with that token or one of its own; {HOW_TO_MAKE_ONE}."
)
MAX_BODY, MAX_LOGGED = 1_000_000, 200
REFUSALS = frozenset({401, 403, 421, 429})


class Gate:
    """ASGI middleware. Puts the visitor into `request.state.visitor`, and itself into
    `request.state.gate`."""

    def __init__(
        self, app: ASGIApp, settings: DashboardSettings, cookies: Cookies, engine: Engine
    ) -> None:
        self._app, self.settings, self.cookies, self.engine = app, settings, cookies, engine
        self.guesses = Guesses()
        self.visitors = Visitors(settings, cookies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        request = Request(scope, capped(receive, self._cap(scope)))
        send = self._logged(request, with_headers(scope, send))
        try:
            answer = await self._admit(request)
        except RequestRefused as refused:
            answer = refusal(
                refused.status,
                refused.detail,
                for_program=for_program(request),
                headers=refused.headers,
                mend=refused.mend,
            )
        except HTTPException as error:
            answer = refusal(error.status_code, error.detail, for_program=for_program(request))
        try:
            await (answer or self._app)(scope, request.receive, send)
        finally:
            await close_files(scope)

    async def _admit(self, request: Request) -> Response | None:
        """None lets it through."""
        request.state.gate, request.state.visitor = self, None
        path: str = request.scope["path"]
        refuse_tricks(request.scope)
        refuse_large(request.headers, self._cap(request.scope))
        if path == METRICS and self.settings.metrics_token is not None:
            guard(request, self.settings.metrics_token.get_secret_value())
            return None
        if path == HEALTH:
            if self.settings.health_token is not None:
                guard(request, self.settings.health_token.get_secret_value())
            return None
        self._refuse_foreign_host(request)
        if path.startswith(STATIC):
            return None
        if self.settings.asks_for_token and request.method == "GET" and token_in(request):
            return self._enter(request)
        request.state.visitor = visitor = await self.visitor(request)
        changes = request.method not in SAFE_METHODS
        if changes:
            refuse_cross_site(request, self.settings.hosts)
        if path in OPEN_PATHS:
            return None
        if visitor is None:
            return self._sign_in_first(request)
        if changes:
            await self._refuse_unauthorised_change(request, visitor)
        else:
            refuse_reading_from_afar(request, self.settings.hosts)
            if not visitor.may_operate:
                refuse_choosing_by_text(request)
        return None

    async def visitor(self, request: Request) -> Visitor | None:
        """Who asks, if their session was not ended, here or at another copy of the dashboard.
        Raises RequestRefused while the record cannot be asked."""
        found = self.visitors.find(request)
        if found is None or found.session is None:
            return found
        try:
            ended = await run_in_threadpool(has_ended, self.engine, found.session.nonce)
        except (DBAPIError, TimeoutError):
            words = away_words(away_since(self.engine))
            raise RequestRefused(503, words, **{"Retry-After": "5"}) from None
        return None if ended else found

    def _enter(self, request: Request) -> Response:
        """The address with the token in it: exchanged for a cookie at once, so that it stays in no
        history, log or Referer."""
        if not self.visitors.brings_token(request.query_params[TOKEN]):
            raise RequestRefused(
                401, "The token in this address is not this dashboard's.", BY_ADDRESS
            )
        kept = [(k, v) for k, v in request.query_params.multi_items() if k != TOKEN]
        target = request.scope["path"] + (f"?{urlencode(kept)}" if kept else "")
        cookie = self.cookies.set_session(self.cookies.begin(LOCAL), port_of(request))
        log.info("opened with the token", extra={"address": self.visitors.address(request)})
        return RedirectResponse(target, 303, {"Set-Cookie": cookie})

    def _refuse_foreign_host(self, request: Request) -> None:
        allowed = {host.lower() for host in self.settings.hosts}
        if not self.settings.credentials:
            allowed |= LOOPBACK_NAMES
        if allowed and host_name(request.headers.get("host", "")) not in allowed:
            raise RequestRefused(421, "This dashboard does not answer under that host name.")

    def _sign_in_first(self, request: Request) -> Response:
        by_person = not for_program(request)
        by_person &= bool(self.settings.users) or self.settings.asks_for_token
        if by_person and request.method == "GET":
            query = request.scope["query_string"].decode("latin-1")
            target = request.scope["path"] + (f"?{query}" if query else "")
            return RedirectResponse(f"/login?next={quote(target, safe='')}", 303)
        mend = BY_ADDRESS if self.settings.asks_for_token else PROGRAMS
        words = "Sign in first."
        if "authorization" in request.headers:
            words = "That token is not known here."
        elif by_person:
            words, mend = SIGNED_OUT, "Sign in, go back, and do it once more."
        raise RequestRefused(401, words, mend, **{"WWW-Authenticate": 'Bearer realm="rung"'})

    async def _refuse_unauthorised_change(self, request: Request, visitor: Visitor) -> None:
        if request.scope["path"] != "/logout" and not visitor.may_operate:
            raise RequestRefused(403, f"{visitor.name} may look, and not change anything.")
        if visitor.via == "token":
            return
        given = request.headers.get(CSRF_HEADER)
        if given is None and is_form(request):
            given = (await form_of(request)).get(CSRF_FIELD)
        if not same(given or "", visitor.csrf):
            if for_program(request):
                raise RequestRefused(403, NO_CSRF, PROGRAMS)
            raise RequestRefused(403, OLD_PAGE)

    def _cap(self, scope: Scope) -> int:
        upload = scope["method"] == "POST" and scope["path"] in UPLOADS
        return self.settings.upload_mb * 1_000_000 if upload else MAX_BODY

    def _logged(self, request: Request, send: Send) -> Send:
        """Writes a line for a change, and for whatever is refused."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                status, refused = message["status"], message["status"] in REFUSALS
                if refused or request.method not in SAFE_METHODS:
                    visitor: Visitor | None = getattr(request.state, "visitor", None)
                    told = {
                        "user": visitor.name if visitor is not None else None,
                        "address": self.visitors.address(request),
                        "method": request.method,
                        "path": request.scope["path"][:MAX_LOGGED],
                        "status": status,
                    }
                    log.log(logging.WARNING if refused else logging.INFO, "asked", extra=told)
            await send(message)

        return sending
