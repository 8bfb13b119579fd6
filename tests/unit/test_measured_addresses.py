"""Every address of dashboard and API is measured at ten million jobs, or it is said why not."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from starlette.routing import Match, Mount, Route

from benchmarks.addresses import DEEDS, POST, UNMEASURED, counts_of, pages_of
from benchmarks.filter_addresses import FILTERS, filters_of
from tests.support.works import settings_for
from worker.dashboard.app import create_app
from worker.domain.filter_parsing import parse
from worker.domain.filters import FIELDS
from worker.runs.orders import VERBS

ROUTES = create_app(settings_for("postgresql://127.0.0.1:1/none", "http://127.0.0.1:1")).routes
PREVIEWS = "/actions/"


def asked() -> Iterator[tuple[str, str]]:
    """Method and address of each that is measured."""
    for one in [one for many in pages_of(10_000).values() for one in many]:
        sends = one.startswith(POST)
        yield "POST" if sends else "GET", one.removeprefix(POST).split(" ")[0]


def route_of(method: str, address: str) -> str:
    """The path of the route that answers. Raises LookupError for none."""
    scope = {"type": "http", "method": method, "path": urlsplit(address).path, "headers": []}
    for route in ROUTES:
        if isinstance(route, Route | Mount) and route.matches(scope)[0] is Match.FULL:
            return route.path
    raise LookupError(address)


def reading() -> set[str]:
    """Paths of what is looked at."""
    return {
        route.path
        for route in ROUTES
        if isinstance(route, Mount) or (isinstance(route, Route) and "GET" in (route.methods or ()))
    }


def sending() -> set[str]:
    """Paths of what is sent to."""
    return {
        route.path
        for route in ROUTES
        if isinstance(route, Route) and "POST" in (route.methods or ())
    }


def test_an_address_is_measured_or_it_is_said_why_not() -> None:
    measured = {route_of(method, one) for method, one in asked() if method == "GET"}
    assert reading() - measured - UNMEASURED.keys() == set()
    assert measured & UNMEASURED.keys() == set()


def test_what_is_sent_is_measured_or_it_is_said_why_not() -> None:
    measured = {route_of(method, one) for method, one in asked() if method == "POST"}
    assert sending() - measured - DEEDS.keys() == set()


def test_what_is_left_out_is_an_address() -> None:
    paths = {one.partition("?")[0] for one in UNMEASURED if not one.startswith(PREVIEWS)}
    assert paths <= reading()
    assert set(DEEDS) <= sending()


def test_every_preview_is_measured() -> None:
    found = [*UNMEASURED, *(one for _, one in asked())]
    looked = {urlsplit(one).path for one in found if one.startswith(PREVIEWS)}
    assert looked == {f"{PREVIEWS}{verb}" for verb in VERBS}


def test_what_is_counted_when_asked_for_is_an_address_too() -> None:
    for one in [one for many in counts_of().values() for one in many]:
        assert route_of("GET", one) in reading()


def test_every_field_of_the_filter_language_is_measured() -> None:
    assert set(FILTERS) == set(FIELDS)
    for where in [one for both in FILTERS.values() for one in both]:
        parse(where)
    for one in [one for many in filters_of().values() for one in many]:
        assert route_of("GET", one) in reading()
