"""Actions: first what it would do, then do it, then the way back. The gate has seen to it that
whoever posts here may, and meant to."""

from collections.abc import Mapping
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.access import permissions
from worker.dashboard.access.forms import form_of
from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.errors import RungError, UsageError
from worker.runs.actions import perform
from worker.runs.orders import VERBS, Order, read_order
from worker.runs.previews import preview
from worker.store.audit import Actor

ALL = "all"


def routes() -> list[BaseRoute]:
    """`/actions/NAME`: GET shows what it would do, POST does it."""
    return [
        Route("/actions/{action}", show, methods=["GET"]),
        Route("/actions/{action}", do, methods=["POST"]),
    ]


def show(request: Request) -> Response:
    """The preview."""
    dashboard, given = dashboard_of(request), dict(request.query_params)
    quick = given.get("count") != ALL
    with dashboard.engine.connect() as connection:
        try:
            order = _order(request, connection, given)
            found = preview(connection, dashboard.settings, order, quick=quick)
        except RungError as error:
            return trouble_page(request, connection, error)
        verb = VERBS[found.action].split()[0]
        counted = f"?{urlencode({**given, 'count': ALL})}"
        return page(
            request, connection, "action.html", "", preview=found, verb=verb, counted=counted
        )


async def do(request: Request) -> Response:
    """The deed; leads back to where it shows."""
    given, actor = await form_of(request), permissions.actor(request)
    return await run_in_threadpool(_do, request, given, actor)


def _do(request: Request, given: Mapping[str, str], actor: Actor) -> Response:
    dashboard = dashboard_of(request)
    try:
        with dashboard.engine.connect() as connection:
            order = _order(request, connection, given)
            # What was counted stands in the form, and no more than that is changed.
            found = preview(connection, dashboard.settings, order, quick=True)
        if found.ask is not None:
            raise UsageError("A figure is missing.")
        if found.at_least and order.counted is None:
            raise UsageError("It is not known yet how many that are.", mend="count them all")
        done = perform(dashboard.engine, actor, order)
    except RungError as error:
        with dashboard.engine.connect() as connection:
            return trouble_page(request, connection, error)
    mark = "&" if "?" in found.back else "?"
    return RedirectResponse(f"{found.back}{mark}done={done.event}", 303)


def _order(request: Request, connection: Connection, given: Mapping[str, str]) -> Order:
    queues = dashboard_of(request).settings.queues
    return read_order(connection, queues, request.path_params["action"], given)
