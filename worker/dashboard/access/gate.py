"""The gate in front of every route: who is this, may they, and was it them who asked?

In order: a path that plays tricks is refused; metrics and health have tokens of their own; a Host
that is not ours is refused (DNS rebinding); what needs no visitor passes; the visitor is found; a
change needs an operator, must come from our own pages, and must carry their CSRF token. A program
that sends its own token needs no CSRF token: no browser attaches one by itself.
"""

from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.config.dashboard import DashboardSettings
from worker.dashboard.access.forms import form_of
from worker.dashboard.access.passwords import same
from worker.dashboard.access.problems import refusal
from worker.dashboard.access.sessions import Signer
from worker.dashboard.access.sign_ins import Attempts
from worker.dashboard.access.visitors import Visitor, Visitors, bearer

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS = frozenset({"/login", "/favicon.ico"})
STATIC = "/static/"
METRICS, HEALTH, UPLOAD = "/metrics", "/healthz", "/api/runs"
CSRF_FIELD, CSRF_HEADER = "csrf_token", "x-csrf-token"
MAX_BODY = 1_000_000
TOO_LARGE = "The body is larger than {:,} bytes."
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Refused(Exception):
    """The request goes no further."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


class Gate:
    """ASGI middleware. Puts the visitor into `request.state.visitor`, and itself into
    `request.state.gate`."""

    def __init__(self, app: ASGIApp, settings: DashboardSettings, signer: Signer) -> None:
        self._app, self.settings, self.signer = app, settings, signer
        self.attempts = Attempts()
        self._visitors = Visitors(settings, signer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        send = _with_headers(scope, send)
        request = Request(scope, _capped(receive, self._cap(scope)))
        try:
            answer = await self._admit(request)
        except Refused as refused:
            answer = refusal(
                refused.status,
                refused.detail,
                for_program=_for_program(request),
                headers=refused.headers,
            )
        except HTTPException as error:
            answer = refusal(error.status_code, error.detail, for_program=_for_program(request))
        await (answer or self._app)(scope, request.receive, send)

    async def _admit(self, request: Request) -> Response | None:
        """None lets it through."""
        request.state.gate, request.state.visitor = self, None
        path: str = request.scope["path"]
        _refuse_tricks(request.scope)
        _refuse_large(request.headers, self._cap(request.scope))
        if path == METRICS and self.settings.metrics_token is not None:
            _guard(request, self.settings.metrics_token.get_secret_value())
            return None
        if path == HEALTH:
            if self.settings.health_token is not None:
                _guard(request, self.settings.health_token.get_secret_value())
            return None
        self._refuse_foreign_host(request)
        request.state.visitor = visitor = self._visitors.find(request)
        changes = request.method not in SAFE_METHODS
        if changes:
            self._refuse_cross_site(request)
        if path in OPEN_PATHS or path.startswith(STATIC):
            return None
        if visitor is None:
            return self._sign_in_first(request)
        if changes:
            await self._refuse_unauthorised_change(request, visitor)
        return None

    def _refuse_foreign_host(self, request: Request) -> None:
        allowed = {host.lower() for host in self.settings.hosts}
        if not self.settings.credentials:
            allowed |= LOOPBACK_NAMES
        if allowed and host_name(request.headers.get("host", "")) not in allowed:
            raise Refused(421, "This dashboard does not answer under that host name.")

    def _refuse_cross_site(self, request: Request) -> None:
        """Browsers say where a change comes from; only our own pages may ask for one."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        ours = {request.headers.get("host", ""), *self.settings.hosts}
        foreign = origin is not None and (
            not _parses(origin.partition("://")[2]) or urlsplit(origin).netloc not in ours
        )
        if foreign or site not in (None, "same-origin", "none"):
            raise Refused(403, "This change was asked for by another site.")

    def _sign_in_first(self, request: Request) -> Response:
        if self.settings.users and request.method == "GET" and not _for_program(request):
            query = request.scope["query_string"].decode("latin-1")
            target = request.scope["path"] + (f"?{query}" if query else "")
            return RedirectResponse(f"/login?next={quote(target, safe='')}", 303)
        words = "Sign in first." if self.settings.credentials else "Only from this machine."
        raise Refused(401, words, **{"WWW-Authenticate": 'Bearer realm="rung"'})

    async def _refuse_unauthorised_change(self, request: Request, visitor: Visitor) -> None:
        if request.scope["path"] != "/logout" and not visitor.may_operate:
            raise Refused(403, f"{visitor.name} may look, and not change anything.")
        if visitor.via == "token":
            return
        given = request.headers.get(CSRF_HEADER)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if given is None and kind == "application/x-www-form-urlencoded":
            given = (await form_of(request)).get(CSRF_FIELD)
        if not same(given or "", visitor.csrf):
            raise Refused(403, "The CSRF token is missing or old: load the page again.")

    def _cap(self, scope: Scope) -> int:
        upload = scope["method"] == "POST" and scope["path"] == UPLOAD
        return self.settings.upload_mb * 1_000_000 if upload else MAX_BODY


def host_name(host: str) -> str:
    """A Host header without its port, in small letters."""
    return urlsplit(f"//{host}").hostname or "" if _parses(host) else ""


def _parses(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").netloc == host and not any(c in host for c in "@/?#\\")
    except ValueError:
        return False


def _guard(request: Request, token: str) -> None:
    if not same(bearer(request.headers) or "", token):
        raise Refused(401, "A bearer token is needed.", **{"WWW-Authenticate": "Bearer"})


def _refuse_tricks(scope: Scope) -> None:
    path: str = scope["path"]
    parts = path.split("/")
    if ".." in parts or "." in parts or "//" in path or "\\" in path or not path.isprintable():
        raise Refused(404, "There is no such page.")


def _for_program(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return request.scope["path"].startswith(("/api", METRICS, HEALTH)) or "text/html" not in accept


def _capped(receive: Receive, cap: int) -> Receive:
    """Refuses a body beyond `cap` bytes as soon as they have come, whatever its length is said to
    be."""
    counted = 0

    async def counting() -> Message:
        nonlocal counted
        message = await receive()
        counted += len(message.get("body", b""))
        if counted > cap:
            raise HTTPException(413, TOO_LARGE.format(cap))
        return message

    return counting


def _refuse_large(headers: Headers, cap: int) -> None:
    told = headers.get("content-length", "0")
    if told.isascii() and told.isdigit() and int(told) > cap:
        raise Refused(413, TOO_LARGE.format(cap))


def _with_headers(scope: Scope, send: Send) -> Send:
    cacheable = scope["path"].startswith(STATIC)

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            if not cacheable:
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
