"""What a visitor is told when a page cannot be served: in words, with no detail of ours."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy.exc import DBAPIError, TimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from worker.dashboard.access.problems import away_words, refusal
from worker.store.complaints import complaint_of
from worker.store.engine import away_since, is_outage

log = logging.getLogger(__name__)
BUG = "A bug of Rung’s own. Its log says more."
NOWHERE = "Nothing is at this address: it may be mistyped, or what stood there is gone."
Handler = Callable[[Request, Any], Awaitable[Response]]


def handlers() -> Mapping[Any, Handler]:
    """For Starlette, by exception."""
    return {
        HTTPException: _http,
        DBAPIError: _database,
        TimeoutError: _busy,
        Exception: _bug,
    }


async def _http(request: Request, error: HTTPException) -> Response:
    words = NOWHERE if error.status_code == 404 else error.detail
    return _said(request, error.status_code, words, dict(error.headers or {}))


async def _database(request: Request, error: DBAPIError) -> Response:
    if is_outage(error):
        log.warning("postgres away, a page was not served")
        since = away_since(request.app.state.dashboard.engine)
        return _said(request, 503, away_words(since), {"Retry-After": "5"})
    complaint = complaint_of(error)
    if complaint is None:
        return await _bug(request, error)
    log.error("postgres refused a page", extra={"path": request.url.path})
    return _said(request, 503, f"{complaint} To fix it: {complaint.mend}.", {})


async def _busy(request: Request, _: TimeoutError) -> Response:
    return _said(request, 503, "Too many are looking just now.", {"Retry-After": "2"})


async def _bug(request: Request, error: Exception) -> Response:
    log.error("a page failed", extra={"path": request.url.path, "error": type(error).__name__})
    return _said(request, 500, BUG, {})


def _said(request: Request, status: int, words: str, headers: dict[str, str]) -> Response:
    program = "text/html" not in request.headers.get("accept", "")
    return refusal(status, words, for_program=program, headers=headers)
