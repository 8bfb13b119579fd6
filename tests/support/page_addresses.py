"""An address for every page, and a form for every page that answers one, found from the dashboard's
routes: a new page is looked at without being listed, and one whose address needs a name that nobody
gave here says so, like a new form."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from urllib.parse import quote

from starlette.routing import BaseRoute, Route

from worker.dashboard.access import login
from worker.dashboard.pages import pages

NAMES = {"run": ("1",), "job": ("1", "4"), "number": ("1",), "action": ("pause", "cancel")}
"""What stands in addresses."""
QUERIES = {
    "/": (),
    "/runs/1/sample": ("text=1", "with=open"),
    "/runs/1/compare": ("with=open",),
    "/jobs": ("run=day&text=1&sort=cost", "where=banana"),
    "/jobs/ticked": ("do=cancel&job=61",),
    "/review": ("all=1",),
    "/review/queue": ("text=1&last=1",),
    "/clusters": ("review=1&text=1",),
    "/knowledge": ("q=parcel",),
    "/knowledge/page": ("folder=pages&name=returns",),
    "/actions/pause": ("tier=everything",),
    "/actions/cancel": ("run=open",),
}
"""What addresses are asked with; also without, but for those of `NEED`."""
NEED = {"/jobs", "/jobs/ticked", "/knowledge/page", "/actions/pause", "/actions/cancel"}
MORE = ("/actions/budget?run=open", "/actions/priority?run=open", "/no-such-page")
LIVE = "/live/"
CSRF = "csrf_token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A form that somebody sends to `action`, and the status of the page that answers it; `file` is
    a name and what is in it."""

    action: str
    status: int
    fields: dict[str, str] = field(default_factory=dict)
    file: tuple[str, str] | None = None


EXPORT = "Ticket ID,Description,Group\n1,Where is my parcel?,A\n2,My card was stolen,B\n3,,A\n"
FORMS: dict[str, tuple[Sent, ...]] = {
    "/hand-over": (
        Sent(action="/hand-over", status=422),
        Sent(action="/hand-over", status=200, file=("tickets.csv", EXPORT)),
        Sent(action="/hand-over", status=200, file=("odd.csv", "a,b\n1,2\n")),
        Sent(
            action="/hand-over",
            status=200,
            fields={"step": "start", "seen": "1"},
            file=("tickets.csv", EXPORT),
        ),
    ),
    "/jobs/{job:int}": (Sent(action="/jobs/4", status=200),),
    "/jobs/{job:int}/verdict": (
        Sent(action="/jobs/4/verdict", status=422, fields={"verdict": "reject"}),
    ),
    "/review/undo": (),
    "/review/leave": (),
    "/clusters/verdict": (),
    "/comparisons": (Sent(action="/comparisons", status=422, fields={"run": "1", "a": "ladder"}),),
    "/comparisons/judge": (
        Sent(action="/comparisons/judge", status=200, fields={"run": "1", "with": "open"}),
    ),
    "/audits/next": (Sent(action="/audits/next", status=200),),
    "/audits/verdict": (),
    "/deliveries/{deed}": (),
    "/actions/{action}": (
        Sent(action="/actions/budget", status=422, fields={"run": "open", "to": "banana"}),
        Sent(action="/actions/pause", status=403, fields={"tier": "opus", CSRF: "old"}),
    ),
    "/login": (Sent(action="/login", status=403, fields={"token": "another"}),),
    "/logout": (),
}
"""For every route that takes a form, those whose answer is a page of its own. The rest lead to
pages that `addresses` has, show nothing, or what a verdict without a reason shows."""


def forms() -> list[Sent]:
    """Raises KeyError for a route that `FORMS` does not have."""
    return [
        sent
        for route in [*pages.routes(), *login.routes()]
        if isinstance(route, Route) and "POST" in (route.methods or ())
        for sent in FORMS[route.path]
    ]


def addresses() -> list[str]:
    """Every page at least once. Raises KeyError for a name that `NAMES` does not have."""
    return [*dict.fromkeys(_of([*pages.routes(), *login.routes()])), *MORE]


def _of(routes: Sequence[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()):
            continue
        if route.path.startswith(LIVE):
            continue  # pieces of pages, sent as they change
        for path in _filled_in(route.path):
            if path not in NEED:
                yield path
            yield from (f"{path}?{query}" for query in QUERIES.get(path, ()))


def _filled_in(template: str) -> list[str]:
    names = re.findall(r"{(\w+)(?::\w+)?}", template)
    plain = re.sub(r"{(\w+)(?::\w+)?}", r"{\1}", template)
    return [
        plain.format(**dict(zip(names, map(quote, chosen), strict=True)))
        for chosen in product(*(NAMES[name] for name in names))
    ]
