"""The queue of reviews: one message at a time with its text, and a person's word on it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.vocabulary import ReadingKind, Verdict
from worker.dashboard.access import permissions
from worker.dashboard.access.forms import form_of
from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.dashboard.screens import story
from worker.domain.text import whole_number
from worker.errors import RungError, UsageError
from worker.runs.review_turns import take_review
from worker.store.actions.reviews import (
    AlreadyJudged,
    Judged,
    LatestVerdict,
    give_verdict,
    latest_verdict,
    take_back,
)
from worker.store.audit import Actor, audit_reading
from worker.store.queue.reading_leases import ReadBy, leave
from worker.store.reading.receipts import receipt
from worker.store.reading.review_queue import Place, ReviewScope, count_reviews, place_of

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
        Route("/review/leave", left, methods=["POST"]),
        Route("/jobs/{job:int}/verdict", verdict, methods=["POST"]),
    ]


def queue_address(run_id: int | None, reason: str | None, **more: object) -> str:
    """Of the queue in this scope; `text` says that it is asked for."""
    given = {"run": run_id, "reason": reason, **more, "text": 1}
    return f"{QUEUE}?" + urlencode({k: v for k, v in given.items() if v not in (None, "", 0)})


def queue(request: Request) -> Response:
    """The next that waits and that nobody else reads, with its text; or how many do, until somebody
    who may read it asks."""
    given, scope = request.query_params, _scope(request.query_params)
    reads = permissions.may_operate(request) and bool(given.get("text"))
    skipped = _number(given, "skipped") or 0
    engine, by = dashboard_of(request).engine, permissions.read_by(permissions.visitor_of(request))
    place, until = (reads and take_review(engine, by, scope, _place(given))) or (None, None)
    with engine.connect() as connection:
        found = count_reviews(connection, scope, by.holder)
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
            overtaken=_overtaken(connection, given),
            overtaken_job=_number(given, "overtaken"),
            reads=reads,
            until=until,
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
        "known": latest_verdict(connection, place[1]).id,
    }


def _overtaken(connection: Connection, given: Mapping[str, str]) -> LatestVerdict | None:
    """Whose verdict came first, on the job that somebody was sent away from."""
    found = latest_verdict(connection, _number(given, "overtaken") or 0)
    return found if found.id else None


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
            known=_number(given, "known"),
        )
        done = give_verdict(dashboard.engine, actor, judged)
    except AlreadyJudged as error:
        if given.get("queue"):
            return RedirectResponse(_back(given, overtaken=job_id), 303)
        with dashboard.engine.connect() as connection:
            return trouble_page(request, connection, error)
    except RungError as error:
        with dashboard.engine.connect() as connection:
            return trouble_page(request, connection, error)
    if given.get("queue"):
        return RedirectResponse(_back(given, last=job_id, done=done.event), 303)
    return RedirectResponse(f"/jobs/{job_id}?done={done.event}", 303)


async def left(request: Request) -> Response:
    """They have closed the page: what they had before them is for the next one."""
    given, visitor = await form_of(request), permissions.visitor_of(request)
    await run_in_threadpool(_leave, request, given, permissions.read_by(visitor))
    return Response(status_code=204)


def _leave(request: Request, given: Mapping[str, str], by: ReadBy) -> None:
    try:
        until = dt.datetime.fromisoformat(given.get("until", ""))
    except ValueError:
        return
    if until.tzinfo is not None:
        leave(dashboard_of(request).engine, ReadingKind.REVIEW, by, until)


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
    with engine.connect() as connection:
        place = place_of(connection, job_id)
    after = f"{place[0]}-{place[1] + 1}" if place else ""
    return RedirectResponse(_back({**given, "after": after}, done=done.event), 303)


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
