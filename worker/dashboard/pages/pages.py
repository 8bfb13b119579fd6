"""The first page and the smaller ones: each reads what it shows in one short transaction."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.access.permissions import may_operate
from worker.dashboard.context import Dashboard, dashboard_of
from worker.dashboard.pages import (
    actions,
    attention,
    clusters,
    comparisons,
    deliveries,
    handover,
    jobs,
    knowledge,
    proof,
    reviews,
    runs,
    sampled,
)
from worker.dashboard.pages.rendering import page, region
from worker.dashboard.pages.serving import number, stream
from worker.dashboard.screens.now import read_now
from worker.store.engine import at_one_moment
from worker.store.reading import screens
from worker.store.reading.deeds import audit_page, audit_words
from worker.store.rows import as_document

PAGE = 50


def routes() -> list[BaseRoute]:
    """Everything under `/` that is for people."""
    return [
        Route("/", now, name="now"),
        Route("/live/now", live_now),
        Route("/workers", workers),
        Route("/live/workers", live_workers),
        Route("/audit", audit),
        *handover.routes(),
        *deliveries.routes(),
        *knowledge.routes(),
        # A run's name may hold slashes: what is of a run stands before the run itself.
        *sampled.routes(),
        *comparisons.routes(),
        *proof.routes(),
        *runs.routes(),
        *jobs.routes(),
        *attention.routes(),
        *reviews.routes(),
        *clusters.routes(),
        *actions.routes(),
    ]


def now(request: Request) -> Response:
    """What goes on just now."""
    dashboard = dashboard_of(request)
    with at_one_moment(dashboard.engine) as connection:
        return page(
            request, connection, "now.html", "Now", **as_document(read_now(dashboard, connection))
        )


async def live_now(request: Request) -> Response:
    """The same, as it changes."""

    def render(dashboard: Dashboard) -> str:
        with at_one_moment(dashboard.engine) as connection:
            return region(
                dashboard, "now_region.html", **as_document(read_now(dashboard, connection))
            )

    return stream(request, render)


def workers(request: Request) -> Response:
    """Who is at work."""
    dashboard = dashboard_of(request)
    with at_one_moment(dashboard.engine) as connection:
        found = screens.workers(connection)
        return page(request, connection, "workers.html", "Workers", workers=found)


async def live_workers(request: Request) -> Response:
    """The same, as it changes."""

    def render(dashboard: Dashboard) -> str:
        with at_one_moment(dashboard.engine) as connection:
            return region(dashboard, "workers_region.html", workers=screens.workers(connection))

    return stream(request, render)


def audit(request: Request) -> Response:
    """What people and schedules did."""
    dashboard, given = dashboard_of(request), request.query_params
    chosen = {name: given.get(name, "").strip()[:200] for name in ("who", "what", "target")}
    asked = {name: value or None for name, value in chosen.items()}
    before, reads = number(request, "before"), may_operate(request)
    with at_one_moment(dashboard.engine) as connection:
        events = audit_page(connection, before, PAGE + 1, **asked, reads=reads)
        people, deeds = audit_words(connection)
        older = None
        if len(events) > PAGE:
            kept = {name: value for name, value in chosen.items() if value}
            older = "/audit?" + urlencode(kept | {"before": events[PAGE - 1].id})
        return page(
            request,
            connection,
            "audit.html",
            "Audit",
            # Numbers are drawn when a deed begins, and times when its transaction did.
            events=sorted(events[:PAGE], key=lambda event: event.at, reverse=True),
            older=older,
            chosen=chosen,
            people=people,
            deeds=deeds,
        )
