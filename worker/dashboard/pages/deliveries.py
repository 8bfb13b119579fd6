"""`/deliveries`: answers on their way to webhooks: what waits, since when, what was given up; and
buttons to pause a webhook, let it go on, and try again what was given up."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.access import permissions
from worker.dashboard.access.forms import form_of
from worker.dashboard.context import Dashboard, dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.errors import Missing, RungError
from worker.store.actions import redeliveries
from worker.store.audit import Actor
from worker.store.queue import deliveries

MAX_REASON = 200
BY_HAND = "paused by hand"


def routes() -> list[BaseRoute]:
    """The page, and what is done there; the gate has seen to it that whoever posts may."""
    return [
        Route("/deliveries", show),
        Route("/deliveries/{deed}", do, methods=["POST"]),
    ]


def show(request: Request) -> Response:
    """Each webhook."""
    with dashboard_of(request).engine.connect() as connection:
        found = deliveries.standing(connection)
        return page(request, connection, "deliveries.html", "Deliveries", webhooks=found)


async def do(request: Request) -> Response:
    """Pauses, resumes, or tries again; leads back."""
    given, actor = await form_of(request), permissions.actor(request)
    return await run_in_threadpool(_do, request, given, actor)


def _do(request: Request, given: dict[str, str], actor: Actor) -> Response:
    dashboard = dashboard_of(request)
    try:
        _perform(dashboard, actor, request.path_params["deed"], given)
    except RungError as error:
        with dashboard.engine.connect() as connection:
            return trouble_page(request, connection, error)
    return RedirectResponse("/deliveries", 303)


def _perform(dashboard: Dashboard, actor: Actor, deed: str, given: dict[str, str]) -> None:
    engine, name = dashboard.engine, given.get("name", "")
    match deed:
        case "pause":
            reason = given.get("reason", "").strip()[:MAX_REASON] or BY_HAND
            done = deliveries.pause(engine, actor, name, reason)
        case "resume":
            done = deliveries.resume(engine, actor, name)
        case "replay":
            done = redeliveries.replay(engine, actor, name, dead=True) > 0
        case _:
            raise Missing(f"{deed!r} is nothing that is done to a webhook.")
    if not done:
        raise RungError(f"Nothing changed for {name!r}: somebody was quicker, or it is not there.")
