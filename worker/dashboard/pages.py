"""The pages: each reads what it shows in one short transaction and fills a template."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.context import dashboard_of
from worker.dashboard.rendering import page
from worker.store.status import queues


def routes() -> list[BaseRoute]:
    """Everything under `/` that is for people."""
    return [Route("/", now, name="now")]


def now(request: Request) -> Response:
    """What goes on just now."""
    dashboard = dashboard_of(request)
    with dashboard.engine.connect() as connection:
        lines = queues(connection, dashboard.queues)
    return HTMLResponse(page(request, "now.html", queues=lines))
