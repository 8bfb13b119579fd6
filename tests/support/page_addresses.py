"""An address for every page, found from the dashboard's routes: a new page is looked at without
being listed, and one whose address needs a name that nobody gave here says so."""

import re
from collections.abc import Iterator, Sequence
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
    "/jobs": ("run=day&text=1&sort=cost", "where=banana"),
    "/jobs/ticked": ("do=cancel&job=61",),
    "/review": ("all=1",),
    "/review/queue": ("text=1&last=1",),
    "/clusters": ("review=1&text=1",),
    "/knowledge": ("q=parcel",),
    "/knowledge/page": ("folder=pages&name=returns",),
    "/actions/pause": ("tier=opus", "tier=everything"),
    "/actions/cancel": ("run=open",),
}
"""What addresses are asked with; also without, but for those of `NEED`."""
NEED = {"/jobs/ticked", "/knowledge/page", "/actions/pause", "/actions/cancel"}
MORE = ("/actions/budget?run=open", "/actions/priority?run=open", "/no-such-page")
LIVE = "/live/"


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
