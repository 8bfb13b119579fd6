"""Every address of the dashboard and of its API, and whatever may be asked of it, found in the code
itself; and values that nobody who means well would send."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute, Route

import worker.dashboard
from worker.config.settings import Settings
from worker.dashboard.api.routes import ENDPOINTS
from worker.dashboard.app import create_app
from worker.runs.orders import VERBS

SOURCES = Path(worker.dashboard.__file__).parent
READ = re.compile(r"""(?:\.get\(|\.getlist\(|\bgiven\[|\bform\[|number\(request, )"([a-z_]+)\"""")
TEMPLATED = re.compile(r'\bname="([a-z_]+)"')
PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
LIVE, DOORS = "/live/", ("/login", "/logout")
"""Streams do not end, and whoever goes through a door is somebody else afterwards."""
MANY, OPEN = 300, 500
WORDS: tuple[str, ...] = (
    *("", "²", "٣", "-1", "9" * 19, "1" * 5_000, "1e999", "NaN", "0001-01-01", "1-2-3"),
    *(
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "a/../../b",
        "\\",
        "%00",
        "{{7*7}}",
    ),
    *("\x1b[31m", "\ufffe", "\U0010ffff", "a\r\nb", "job = 99999999999999999999", "(" * OPEN),
    *("not " * MANY + "state = dead", "[]", '{"a":', "null", "reason contains '"),
)
"""As words, in addresses, forms and JSON."""
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 1.5, 2**63, 10**400, [[]], {"a": 1}, "\ud800", "\x00", "x" * 5_000),
    *WORDS[::3],
)
"""As values of JSON."""
RAW = (b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"action": NaN}', b"1" * 10_000, b'"x"')
"""As bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One address with its method; `names` are parameters that it may read, of query or of form."""

    method: str
    path: str
    names: tuple[str, ...]


def every_address(settings: Settings) -> Iterator[Asked]:
    """Of pages and API, with places that are filled with 1 or a name."""
    app = create_app(settings)
    try:
        routes = list(_routes(app.routes))
    finally:
        app.state.dashboard.engine.dispose()
    # A token in an address opens a session, and nothing else of it is looked at.
    names = tuple(sorted(_read_by_pages() - {"token"}))
    of_api = {(e.method, e.path): tuple(e.query.model_fields) for e in ENDPOINTS}
    for route in routes:
        if LIVE in route.path or route.path in DOORS:
            continue
        for method in sorted({"GET", "POST"} & (route.methods or {"GET"})):
            plain = PLACE.sub(lambda place: f"{{{place[1]}}}", route.path)
            known = of_api.get((method, plain), () if plain.startswith("/api") else names)
            yield from with_deeds(Asked(method=method, path=route.path, names=known))


def _routes(routes: Sequence[BaseRoute]) -> Iterator[Route]:
    for route in routes:
        if isinstance(route, Route):
            yield route


def _read_by_pages() -> set[str]:
    found = set[str]()
    for path in SOURCES.rglob("*.py"):
        found |= set(READ.findall(path.read_text("utf-8")))
    for path in SOURCES.rglob("*.html"):
        found |= set(TEMPLATED.findall(path.read_text("utf-8")))
    return found


def filled(path: str, value: str = "1") -> str:
    """An address with this in each of its places."""
    return PLACE.sub(lambda _: value, path)


def with_deeds(asked: Asked) -> list[Asked]:
    """An address of deeds becomes one of each."""
    deeds = {"{action}": tuple(VERBS), "{deed}": ("pause", "resume", "retry")}
    for place, names in deeds.items():
        if place in asked.path:
            return [replace(asked, path=asked.path.replace(place, name)) for name in names]
    return [asked]
