"""What needs a person: dead letters by cause, and answers that wait for a verdict."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page
from worker.dashboard.pages.reviews import queue_address
from worker.dashboard.pages.serving import number
from worker.domain.text import whole_number
from worker.store.reading import attention
from worker.store.reading.attention import Attention
from worker.store.reading.review_queue import ReviewScope, count_reviews

PAGE = 50


def routes() -> list[BaseRoute]:
    """`/dead` and `/review`."""
    return [Route("/dead", dead), Route("/review", review)]


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
            waiting=_waiting(connection, state, run_id),
            grouped=attention.GROUPED,
            jobs=jobs,
            run=run_id,
            reason=reason,
            older=older,
            queue=queue_address(run_id, reason),
            judge=queue_address,
        )


def _waiting(connection: Connection, state: str, run_id: int | None) -> int | None:
    """How many of the newest reviews have no verdict; None for dead letters, which get none."""
    if state != "review":
        return None
    return count_reviews(connection, ReviewScope(run_id=run_id)).waiting


def _place(given: str) -> tuple[int, int] | None:
    """`RUN-JOB`, where the page before ended."""
    run, _, job = given.partition("-")
    numbers = whole_number(run), whole_number(job)
    return None if numbers[0] is None or numbers[1] is None else (numbers[0], numbers[1])


def _address(state: str, run_id: int | None, reason: str | None, before: str) -> str:
    fields: dict[str, Any] = {"run": run_id, "reason": reason, "before": before}
    return f"/{state}?" + urlencode({k: v for k, v in fields.items() if v is not None})
