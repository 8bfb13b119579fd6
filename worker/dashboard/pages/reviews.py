"""The queue of reviews: one message at a time with its text, and a person's word on it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.vocabulary import Verdict
from worker.dashboard.access import permissions
from worker.dashboard.access.forms import form_of
from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.dashboard.screens import story
from worker.domain.text import whole_number
from worker.errors import RungError, UsageError
from worker.store.actions.reviews import Judged, give_verdict, take_back
from worker.store.audit import Actor, audit_reading
from worker.store.reading.receipts import receipt
from worker.store.reading.review_queue import (
    Place,
    ReviewScope,
    count_reviews,
    next_review,
)

MAX_REPLY = 100_000
QUEUE = "/review/queue"
KEPT = ("run", "skipped", "after")
"""Parts of the queue's address that a verdict leads back to; its reason travels as `cause`, since a
rejection has a reason of its own."""


def routes() -> list[BaseRoute]:
    """`/review/queue`, verdicts, and one taken back."""
    return [
        Route(QUEUE, queue),
        Route("/review/undo", undo, methods=["POST"]),
        Route("/jobs/{job:int}/verdict", verdict, methods=["POST"]),
    ]


def queue_address(run_id: int | None, reason: str | None, **more: object) -> str:
    """Of the queue in this scope; `text` says that it is asked for."""
    given = {"run": run_id, "reason": reason, **more, "text": 1}
    return f"{QUEUE}?" + urlencode({k: v for k, v in given.items() if v not in (None, "", 0)})


def queue(request: Request) -> Response:
    """The next that waits, with its text; or how many do, until somebody who may read it asks."""
    given, scope = request.query_params, _scope(request.query_params)
    reads = permissions.may_operate(request) and bool(given.get("text"))
    skipped = _number(given, "skipped") or 0
    with dashboard_of(request).engine.connect() as connection:
        found = count_reviews(connection, scope)
        place = next_review(connection, scope, _place(given)) if reads else None
        return page(
            request,
            connection,
            "review_queue.html",
            "Review",
            counted=found,
            number=min(found.total - found.waiting + skipped + 1, found.total),
            skipped=skipped,
            scope=scope,
            begin=queue_address(scope.run_id, scope.reason),
            skip=_skip(scope, place, skipped),
            kept={name: given[name] for name in KEPT if given.get(name)},
            last=_number(given, "last"),
            reads=reads,
            **_one(request, connection, place),
        )


def _one(request: Request, connection: Connection, place: Place | None) -> dict[str, Any]:
    """The job there, with its text: whoever asks is in the audit before they see it."""
    if place is None:
        return {"job": None}
    engine, found = dashboard_of(request).engine, receipt(connection, place[1])
    audit_reading(engine, permissions.actor(request), f"job {place[1]}")
    return {
        "job": found,
        "headline": story.headline(found),
        "summary": story.summary(found.attempts),
        "title": story.title,
        "outcome": story.outcome,
    }


def _skip(scope: ReviewScope, place: Place | None, skipped: int) -> str:
    """The address of the one after it."""
    after = f"{place[0]}-{place[1]}" if place else None
    return queue_address(scope.run_id, scope.reason, after=after, skipped=skipped + 1)


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
        judged = Judged(
            job_id=job_id,
            verdict=Verdict(word),
            reply=reply,
            reason=given.get("reason", "").strip() or None,
        )
        done = give_verdict(dashboard.engine, actor, judged)
    except RungError as error:
        with dashboard.engine.connect() as connection:
            return trouble_page(request, connection, error)
    if given.get("queue"):
        return RedirectResponse(_back(given, last=job_id, done=done.event), 303)
    return RedirectResponse(f"/jobs/{job_id}?done={done.event}", 303)


async def undo(request: Request) -> Response:
    """The last verdict is taken back, and its job is the next."""
    given, actor = await form_of(request), permissions.actor(request)
    return await run_in_threadpool(_undo, request, given, actor)


def _undo(request: Request, given: Mapping[str, str], actor: Actor) -> Response:
    engine, job_id = dashboard_of(request).engine, _number(given, "job") or 0
    try:
        done = take_back(engine, actor, job_id)
    except RungError as error:
        with engine.connect() as connection:
            return trouble_page(request, connection, error)
    return RedirectResponse(_back({**given, "after": ""}, done=done.event), 303)


def _back(given: Mapping[str, str], **more: int) -> str:
    """To the queue, in the scope and at the place where somebody was."""
    scope = _scope({"run": given.get("run", ""), "reason": given.get("cause", "")})
    after = given.get("after") if _place(given) else None
    kept = {"after": after, "skipped": _number(given, "skipped")}
    return queue_address(scope.run_id, scope.reason, **kept, **more)


def _scope(given: Mapping[str, str]) -> ReviewScope:
    return ReviewScope(run_id=_number(given, "run"), reason=given.get("reason") or None)


def _place(given: Mapping[str, str]) -> Place | None:
    """`RUN-JOB`, after which the next is looked for."""
    run, _, job = given.get("after", "").partition("-")
    numbers = [_number({"n": one}, "n") for one in (run, job)]
    return (numbers[0], numbers[1]) if None not in numbers else None  # type: ignore[return-value]


def _number(given: Mapping[str, str], name: str) -> int | None:
    return whole_number(given.get(name, ""))
