"""Errors of the HTTP API as problem details (RFC 9457), and of pages as a few words."""

import datetime as dt
from html import escape
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import HTMLResponse, Response

from worker.dashboard.access.frame import framed
from worker.domain.wording import second

PROBLEM = "application/problem+json"
HEADINGS = {
    401: "Sign in first",
    403: "That is not allowed",
    404: "There is no such page",
    413: "That is too large",
    500: "That went wrong",
    503: "Not just now",
}
"""What a person reads above the sentence; elsewhere the phrase of HTTP."""
HELPS = {
    401: '<a class="button" href="/login">Sign in</a> ',
    503: '<a class="button" href="">Try again</a> ',
}
"""The button that helps, by status."""


def away_words(since: dt.datetime | None) -> str:
    """That the record cannot be asked: since when, and what that means."""
    when = f"has not answered since {second(since, since)} UTC" if since else "does not answer"
    return (
        f"Postgres {when}. Nothing is lost: workers wait too, and go on by themselves when it is"
        " back; rung doctor says what is wrong."
    )


def problem(
    status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """`{"type", "title", "status", "detail", …more}`. `detail` is a sentence for people and holds
    no message text."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body |= {"detail": detail, **{key: value for key, value in more.items() if value is not None}}
    return Response(orjson.dumps(body), status, headers, PROBLEM)


def refusal(
    status: int,
    detail: str,
    *,
    for_program: bool,
    headers: dict[str, str] | None = None,
    mend: str | None = None,
) -> Response:
    """A problem for a program, a short page for a person."""
    if for_program:
        return problem(status, detail, headers=headers, mend=mend)
    help_ = f"<p>{escape(mend)}</p>" if mend else ""
    first = '<a class="button quiet" href="/">To the first page</a>'
    back = f'<p class="actions after">{HELPS.get(status, "")}{first}</p>'
    heading = HEADINGS.get(status, HTTPStatus(status).phrase)
    said = f"<p>{escape(detail)}</p>" if detail.rstrip(".") != heading else ""
    page = framed(heading, f"{said}{help_}{back}")
    return HTMLResponse(page, status, headers)
