"""The first page and the smaller ones: each reads what it shows in one short transaction."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.context import Dashboard, dashboard_of
from worker.dashboard.pages import actions, attention, deliveries, handover, jobs, proof, runs
from worker.dashboard.pages.rendering import page, region
from worker.dashboard.pages.serving import number, stream
from worker.dashboard.screens.now import read_now
from worker.store.reading import screens

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
        *runs.routes(),
        *jobs.routes(),
        *attention.routes(),
        *proof.routes(),
        *actions.routes(),
    ]


def now(request: Request) -> Response:
    """What goes on just now."""
    dashboard = dashboard_of(request)
    with dashboard.engine.connect() as connection:
        return page(request, connection, "now.html", "Now", **read_now(dashboard, connection))


async def live_now(request: Request) -> Response:
    """The same, as it changes."""

    def render(dashboard: Dashboard) -> str:
        with dashboard.engine.connect() as connection:
            return region(dashboard, "now_region.html", **read_now(dashboard, connection))

    return stream(request, render)


def workers(request: Request) -> Response:
    """Who is at work."""
    dashboard = dashboard_of(request)
    with dashboard.engine.connect() as connection:
        found = screens.workers(connection)
        return page(request, connection, "workers.html", "Workers", workers=found)


async def live_workers(request: Request) -> Response:
    """The same, as it changes."""

    def render(dashboard: Dashboard) -> str:
        with dashboard.engine.connect() as connection:
            return region(dashboard, "workers_region.html", workers=screens.workers(connection))

    return stream(request, render)


def audit(request: Request) -> Response:
    """What people and schedules did."""
    dashboard = dashboard_of(request)
    before = number(request, "before")
    with dashboard.engine.connect() as connection:
        events = screens.audit_page(connection, before, PAGE + 1)
        return page(
            request,
            connection,
            "audit.html",
            "Audit",
            events=events[:PAGE],
            older=events[PAGE - 1]["id"] if len(events) > PAGE else None,
        )
