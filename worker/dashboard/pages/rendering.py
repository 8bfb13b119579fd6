"""Templates: everything escaped, and what cannot be seen made visible."""

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse

from models.vocabulary import PERSON
from worker.dashboard.access import permissions
from worker.dashboard.access.frame import PLACES
from worker.dashboard.context import Dashboard, dashboard_of
from worker.dashboard.screens.undoing import said, undo_address
from worker.domain import wording
from worker.domain.ladder import MAX_RUNGS, in_order
from worker.domain.passages import score_word
from worker.domain.text import terminal_safe, whole_number
from worker.errors import Missing, RungError, UsageError
from worker.store.reading import screens
from worker.store.reading.deeds import audit_event

LONG_DECIMALS = re.compile(r"-?\d{1,20}\.\d{5,}")
DOLLARS = re.compile(r"-?\d{1,20}(\.\d{1,20})?")
TEMPLATES = Path(__file__).parent / "templates"


def _visible(value: object) -> object:
    """Every string that a template prints: control and bidirectional characters become visible."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return terminal_safe(value)
    return "" if value is None else value


def _seconds(number: float) -> dt.timedelta:
    return dt.timedelta(seconds=number)


def _model(name: str) -> str:
    """A model's name without the family's, which every model on the ladder shares."""
    return name.removeprefix("claude-")


def _rounded(value: object) -> str:
    """A figure of the record without decimals that nobody reads."""
    words = str(value)
    if not LONG_DECIMALS.fullmatch(words):
        return words
    short = f"{Decimal(words):.4f}".rstrip("0").rstrip(".")
    return short if Decimal(short) or not Decimal(words) else f"{Decimal(words):.10f}".rstrip("0")


def _detail(name: str, value: object) -> str:
    """What a deed's record says more: `spent: $0.0573`, `percent: 50`."""
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    label, words = wording.reason(name.removesuffix("_usd")), str(value)
    if name.endswith("_usd") and DOLLARS.fullmatch(words):
        return f"{label}: {wording.dollars(Decimal(words))}"
    return f"{label}: {_rounded(value)}"


environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_visible,
)
environment.filters |= {
    "dollars": wording.dollars,
    "count": wording.count,
    "percent": wording.percent,
    "span": wording.span,
    "ago": wording.ago,
    "clock": wording.clock,
    "second": wording.second,
    "date": wording.date,
    "deed": wording.deed,
    "reason": wording.reason,
    "state_word": wording.state_word,
    "outcome_word": wording.outcome_word,
    "verdict_word": wording.VERDICT_WORDS.__getitem__,
    "certificate_word": wording.certificate_word,
    "plural": wording.plural,
    "model": _model,
    "detail": _detail,
    "shell": quote,
    "fault": wording.fault,
    "score": score_word,
}


def region(dashboard: Dashboard, template: str, **values: Any) -> str:
    """A part of a page that is the same for everybody who looks: it holds no token and no name."""
    return environment.get_template(template).render(**_common(dashboard), **values)


def page(
    request: Request,
    connection: Connection,
    template: str,
    section: str,
    *,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """A whole page."""
    counts = screens.attention_counts(connection)
    html = environment.get_template(template).render(
        **_common(dashboard_of(request)),
        request=request,
        section=section,
        navigation=[(name, href, counts.get(key or "", 0)) for name, href, key in PLACES],
        operator=permissions.may_operate(request),
        csrf=permissions.csrf_field(request),
        visitor=permissions.visitor_of(request),
        notice=_notice(request, connection),
        **values,
    )
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})


def trouble_page(request: Request, connection: Connection, error: RungError) -> HTMLResponse:
    """Why something cannot be done, in the error's own words."""
    status = 404 if isinstance(error, Missing) else 422 if isinstance(error, UsageError) else 409
    return page(
        request,
        connection,
        "trouble.html",
        "",
        status=status,
        heading="There is no such thing" if status == 404 else "That cannot be done",
        words=str(error),
        mend=error.mend,
        back=_came_from(request),
    )


def _came_from(request: Request) -> str | None:
    """The page of ours that led here: what was typed there was perhaps all but right."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc != request.headers.get("host") or came.path == request.url.path:
        return None
    return came.path + (f"?{came.query}" if came.query else "")


def tier_place(queues: Sequence[str], name: str) -> str:
    """The colour of a tier, cheapest first: `1` to `5` in the style sheet, then from the first
    again. `0` for routing and for what is no tier any more, `person` for people."""
    if name == PERSON:
        return "person"
    place = queues.index(name) if name in queues else 0
    return str((place - 1) % MAX_RUNGS + 1 if place else 0)


def _common(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "simulated": dashboard.simulated,
        "tier_place": partial(tier_place, dashboard.settings.queues),
        "in_order": partial(in_order, ladder=dashboard.settings.queues),
        "utc_now": dt.datetime.now(dt.UTC),
        "seconds": _seconds,
    }


def _notice(request: Request, connection: Connection) -> dict[str, Any] | None:
    """What the action that led here did, and how to take it back."""
    wanted = whole_number(request.query_params.get("done", ""))
    if wanted is None:
        return None
    event = audit_event(connection, wanted)
    if event is None:
        return None
    return {"words": said(event), "undo": undo_address(event)}
