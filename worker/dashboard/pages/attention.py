"""What needs a person: dead letters by cause, and answers that wait for a verdict."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.vocabulary import Verdict
from worker.dashboard.access import permissions
from worker.dashboard.access.forms import form_of
from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.dashboard.pages.serving import number
from worker.errors import RungError, UsageError
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.audit import Actor
from worker.store.reading import attention
from worker.store.reading.attention import Attention

PAGE = 50
MAX_REPLY = 100_000


def routes() -> list[BaseRoute]:
    """`/dead`, `/review`, and a verdict."""
    return [
        Route("/dead", dead),
        Route("/review", review),
        Route("/jobs/{job:int}/verdict", verdict, methods=["POST"]),
    ]


def dead(request: Request) -> Response:
    """Dead letters, by cause and one by one."""
    return _attention(request, "dead", "Dead letters")


def review(request: Request) -> Response:
    """Best efforts that wait for a verdict."""
    return _attention(request, "review", "Review")


def _attention(request: Request, state: str, section: str) -> Response:
    dashboard, given = dashboard_of(request), request.query_params
    run_id, reason = number(request, "run"), given.get("reason") or None
    before = _place(given.get("before", ""))
    with dashboard.engine.connect() as connection:
        # What somebody has decided waits for nobody.
        open_ = Attention(state=state, run_id=run_id, decided=state != "review")
        wanted = replace(open_, reason=reason)
        found = attention.letters(connection, wanted, PAGE + 1, before)
        jobs = found[:PAGE]
        older = None
        if len(found) > PAGE:
            older = _address(state, run_id, reason, f"{jobs[-1].run_id}-{jobs[-1].job}")
        return page(
            request,
            connection,
            f"{state}.html",
            section,
            causes=attention.causes(connection, open_),
            total=attention.total(connection, state, run_id),
            grouped=attention.GROUPED,
            jobs=jobs,
            run=run_id,
            reason=reason,
            older=older,
        )


def _place(given: str) -> tuple[int, int] | None:
    """`RUN-JOB`, where the page before ended."""
    run, _, job = given.partition("-")
    if run.isascii() and run.isdigit() and job.isascii() and job.isdigit() and len(given) < 38:
        return int(run), int(job)
    return None


def _address(state: str, run_id: int | None, reason: str | None, before: str) -> str:
    fields: dict[str, Any] = {"run": run_id, "reason": reason, "before": before}
    return f"/{state}?" + urlencode({k: v for k, v in fields.items() if v is not None})


async def verdict(request: Request) -> Response:
    """A person's word on a best effort."""
    given, actor = await form_of(request), permissions.actor(request)
    return await run_in_threadpool(_verdict, request, given, actor)


def _verdict(request: Request, given: Mapping[str, str], actor: Actor) -> Response:
    dashboard, job_id = dashboard_of(request), request.path_params["job"]
    try:
        word = given.get("verdict", "")
        if word not in list(Verdict):
            raise UsageError("Choose a verdict: accept, edit or reject.")
        reply = given.get("reply", "").replace("\r\n", "\n")[:MAX_REPLY]
        judged = Judged(job_id, Verdict(word), reply, given.get("reason", "").strip() or None)
        done = give_verdict(dashboard.engine, actor, judged)
    except RungError as error:
        with dashboard.engine.connect() as connection:
            return trouble_page(request, connection, error)
    return RedirectResponse(f"/jobs/{job_id}?done={done.event}", 303)
