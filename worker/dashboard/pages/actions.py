"""Actions: first what it would do, then do it, then the way back. The gate has seen to it that
whoever posts here may, and meant to."""

from collections.abc import Mapping

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.access import permissions
from worker.dashboard.access.forms import form_of
from worker.dashboard.pages.context import Dashboard, dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.errors import RungError, UsageError
from worker.runs.filtered_previews import target_of
from worker.runs.preview_shapes import VERBS, read_count, read_dollars, read_priority
from worker.runs.previews import dead_letters, preview
from worker.store.actions import ops
from worker.store.actions.acting import last_event, retry_dead, set_budget, set_priority
from worker.store.actions.filtered import act, set_budgets
from worker.store.actions.ops import Actor
from worker.store.runs import find_run

BY_HAND = {"drain": "drained by hand"}
MAX_REASON = 200


def routes() -> list[BaseRoute]:
    """`/actions/NAME`: GET shows what it would do, POST does it."""
    return [
        Route("/actions/{action}", show, methods=["GET"]),
        Route("/actions/{action}", do, methods=["POST"]),
    ]


def show(request: Request) -> Response:
    """The preview."""
    dashboard = dashboard_of(request)
    with dashboard.engine.connect() as connection:
        try:
            found = preview(
                dashboard, connection, request.path_params["action"], dict(request.query_params)
            )
        except RungError as error:
            return trouble_page(request, connection, error)
        verb = VERBS[found.action].split()[0]
        return page(request, connection, "action.html", "", preview=found, verb=verb)


async def do(request: Request) -> Response:
    """The deed; leads back to where it shows."""
    given, actor = await form_of(request), permissions.actor(request)
    return await run_in_threadpool(_do, request, given, actor)


def _do(request: Request, given: Mapping[str, str], actor: Actor) -> Response:
    dashboard, action = dashboard_of(request), request.path_params["action"]
    with dashboard.engine.connect() as connection:
        try:
            found = preview(dashboard, connection, action, given)
            if found.ask is not None and "to" not in given:
                raise UsageError("A figure is missing.")
        except RungError as error:
            return trouble_page(request, connection, error)
    try:
        target = perform(dashboard, actor, action, given)
    except RungError as error:
        with dashboard.engine.connect() as connection:
            return trouble_page(request, connection, error)
    with dashboard.engine.connect() as connection:
        event = last_event(connection, actor, action, target)
    mark = "&" if "?" in found.back else "?"
    return RedirectResponse(found.back + (f"{mark}done={event}" if event else ""), 303)


def perform(dashboard: Dashboard, actor: Actor, action: str, given: Mapping[str, str]) -> str:
    """Does it; returns what the audit calls its target."""
    engine, reason = dashboard.engine, _because(action, given)
    counted = read_count(given)
    if "where" in given:
        return _to_filtered(engine, actor, action, given)
    if "tier" in given:
        if action == "pause":
            ops.pause_tier(engine, actor, given["tier"], reason)
        elif action == "drain":
            ops.drain_tier(engine, actor, given["tier"], reason)
        elif not ops.resume_tier(engine, actor, given["tier"]):
            raise RungError(f"{given['tier']} is not paused.")
        return given["tier"]
    with engine.connect() as connection:
        run = find_run(connection, given.get("run", ""))
        chosen = dead_letters(connection, run.id, given) if action == "retry" else None
    match action:
        case "pause":
            ops.pause_run(engine, actor, run.id, run.name, reason)
        case "resume":
            ops.resume_run(engine, actor, run.id, run.name, None)
        case "cancel":
            ops.cancel_run(engine, actor, run.id, run.name, counted)
        case "priority":
            set_priority(engine, actor, str(run.id), read_priority(given["to"]))
        case "budget":
            set_budget(engine, actor, str(run.id), read_dollars(given["to"]))
        case "retry" if chosen is not None:
            retry_dead(engine, actor, chosen, counted)
    return f"run {run.name}"


def _because(action: str, given: Mapping[str, str]) -> str:
    return (given.get("because") or BY_HAND.get(action, "paused by hand"))[:MAX_REASON]


def _to_filtered(engine: Engine, actor: Actor, action: str, given: Mapping[str, str]) -> str:
    """Jobs that a filter chooses: no more of them than were counted. Returns the audit's target."""
    with engine.connect() as connection:
        target = target_of(connection, given)
    counted = read_count(given)
    if action == "budget":
        set_budgets(engine, actor, target, read_dollars(given["to"]), counted=counted)
    elif action == "priority":
        wanted = read_priority(given["to"])
        act(engine, actor, action, target, counted=counted, priority=wanted)
    else:
        act(engine, actor, action, target, counted=counted)
    return target.words
