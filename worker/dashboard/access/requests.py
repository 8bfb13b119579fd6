"""What a request may be at all, whoever sends it: its path, size, host, and where it comes from."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from worker.dashboard.access.passwords import same
from worker.dashboard.access.visitors import bearer
from worker.domain.filter_parsing import parse
from worker.domain.filters import FilterError, reads_text
from worker.domain.text import whole_number

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
STATIC = "/static/"
METRICS, HEALTH = "/metrics", "/healthz"
HAND_OVER = "/hand-over"
"""Where people submit a file."""
TOKEN, TEXT = "token", "text"
OURS = (None, "same-origin", "none")
"""What browsers say of a request that comes from our own pages, or from the address bar."""
MAX_PATH = 2_000
"""Characters: longer than the name of any run, and shorter than what Python reads as no number."""
FROM_AFAR = "This was asked for by another site."
TOO_LARGE = "That is more than {:g} MB, the most that is taken here at once."
SMALLER = (
    "Cut the file into several, or submit it in a terminal: rung enqueue FILE. [dashboard]"
    " upload_mb sets how much is taken here, unpacked."
)
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


class RequestRefused(Exception):
    """The request goes no further; `mend` says what would help."""

    def __init__(self, status: int, detail: str, mend: str | None = None, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.mend, self.headers = status, detail, mend, headers


def host_name(host: str) -> str:
    """A Host header without its port, in small letters."""
    return urlsplit(f"//{host}").hostname or "" if _parses(host) else ""


def _parses(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").netloc == host and not any(c in host for c in "@/?#\\")
    except ValueError:
        return False


def guard(request: Request, token: str) -> None:
    """Raises RequestRefused without this very bearer token."""
    if not same(bearer(request.headers) or "", token):
        raise RequestRefused(401, "A bearer token is needed.", **{"WWW-Authenticate": "Bearer"})


def token_in(request: Request) -> bool:
    """Whether a person opens an address with a token in it."""
    return TOKEN in request.query_params and not request.scope["path"].startswith("/api")


def refuse_reading_from_afar(request: Request, hosts: tuple[str, ...]) -> None:
    """Another site may link to our pages, and may not make a visitor's browser fetch one, nor make
    them read what is audited. A browser names an origin for a read only where another site asks."""
    if _is_foreign(request, hosts):
        raise RequestRefused(403, FROM_AFAR)
    if request.headers.get("sec-fetch-site") in OURS:
        return
    linked = request.headers.get("sec-fetch-mode") == "navigate"
    if not linked or TEXT in request.query_params:
        raise RequestRefused(403, FROM_AFAR)


def refuse_choosing_by_text(request: Request) -> None:
    """Who may not read what customers wrote could else learn it by asking which jobs hold a word.
    Raises RequestRefused."""
    try:
        node = parse(request.query_params.get("where", ""))
    except FilterError:
        return
    if reads_text(node):
        raise RequestRefused(403, "Only an operator may choose jobs by what customers wrote.")


def refuse_tricks(scope: Scope) -> None:
    """Raises RequestRefused for a path that another program might read as a different one or that
    has no end, and for a NUL, which Postgres takes in no word."""
    path: str = scope["path"]
    dotted = {".", ".."} & {*path.split("/")}
    if dotted or "//" in path or "\\" in path or not path.isprintable() or len(path) > MAX_PATH:
        raise RequestRefused(404, "There is no such page.")
    if b"%00" in scope["query_string"]:
        raise RequestRefused(400, "An address holds no NUL, for nothing that is kept does.")


def for_program(request: Request) -> bool:
    """Whether a problem document is wanted, rather than a page."""
    accept = request.headers.get("accept", "")
    return request.scope["path"].startswith(("/api", METRICS, HEALTH)) or "text/html" not in accept


def capped(receive: Receive, cap: int) -> Receive:
    """Refuses a body beyond `cap` bytes as soon as they have come, whatever its length is said to
    be."""
    counted = 0

    async def counting() -> Message:
        nonlocal counted
        message = await receive()
        counted += len(message.get("body", b""))
        if counted > cap:
            raise HTTPException(413, TOO_LARGE.format(cap / 1e6))
        return message

    return counting


def refuse_large(headers: Headers, cap: int) -> None:
    """Raises RequestRefused for a body that says that it is too large."""
    told = headers.get("content-length", "0")
    length = whole_number(told)
    # Digits that are no number are too many of them.
    if told.isdigit() if length is None else length > cap:
        raise RequestRefused(413, TOO_LARGE.format(cap / 1e6), SMALLER)


def refuse_cross_site(request: Request, hosts: tuple[str, ...]) -> None:
    """Browsers say where a change comes from; only our own pages may ask for one."""
    site = request.headers.get("sec-fetch-site")
    if _is_foreign(request, hosts) or site not in OURS:
        raise RequestRefused(403, "This change was asked for by another site.")


def _is_foreign(request: Request, hosts: tuple[str, ...]) -> bool:
    """Whether the request names an origin (null is one) that is neither its own host nor ours."""
    origin = request.headers.get("origin")
    ours = {request.headers.get("host", ""), *hosts}
    return origin is not None and (
        not _parses(origin.partition("://")[2]) or urlsplit(origin).netloc not in ours
    )


def with_headers(scope: Scope, send: Send) -> Send:
    """Adds the headers that protect a browser to whatever is answered."""
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
