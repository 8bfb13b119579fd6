"""`/hand-over`: a file is dropped, looked at, and started. What is known of it is asked of the file
each time, so that any copy of the dashboard can answer: nothing is kept between two requests.

Columns that are not certain are taken once they were looked at.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.vocabulary import RunLane
from worker.config.policies import policy_named, policy_names
from worker.config.settings import Settings
from worker.dashboard.access import permissions
from worker.dashboard.access.forms import file_of, form_of
from worker.dashboard.access.requests import HAND_OVER, SMALLER
from worker.dashboard.context import Dashboard, dashboard_of
from worker.dashboard.pages.rendering import page
from worker.dashboard.screens.first_look import File, FirstLook, look
from worker.domain.backlog import Caps
from worker.errors import RungError, UsageError
from worker.intake.ahead import stem
from worker.intake.guess import Guess
from worker.intake.handover import Handover
from worker.intake.layouts import FIELDS
from worker.intake.numbered_dates import DateOrder
from worker.intake.outcome import HandoverOutcome
from worker.intake.reader import ReadingOptions
from worker.intake.rejects import RejectsFile
from worker.intake.run_of_terms import IntakeBusy
from worker.intake.terms import RunTerms, parse_deadline, terms_for
from worker.runs.forecasts import keep_forecast
from worker.store.audit import Actor

LANES = {
    "": "as the deadline leaves time",
    RunLane.REALTIME: "at once",
    RunLane.BATCH: "in batches, half price",
    RunLane.MIXED: "what is easy at once, what climbs in batches",
}
FIELD_WORDS = {
    "external_id": "the ticket’s id",
    "body": "what the customer wrote",
    "source": "which system",
    "channel": "mail, chat, …",
    "customer_id": "who wrote",
    "subject": "its subject line",
    "language": "en, de, …",
    "received_at": "when it came",
}
"""What our names of columns mean, for whoever meets them first on this page."""
READING = ("sheet", "records", "delimiter", "encoding", "member")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """What the page shows below the form."""

    file: str = ""
    look: FirstLook | None = None
    outcome: HandoverOutcome | None = None
    problem: RungError | None = None


def routes() -> list[BaseRoute]:
    """GET shows the form, POST looks at the file in it or starts a run of it."""
    return [
        Route(HAND_OVER, show, methods=["GET"]),
        Route(HAND_OVER, hand_over, methods=["POST"]),
    ]


def show(request: Request) -> Response:
    """The form."""
    return _page(request, PageState(), {})


async def hand_over(request: Request) -> Response:
    """Looks, or starts."""
    fields, file = await form_of(request), await file_of(request, "file")
    if file is None:
        nothing = UsageError("No file was chosen.", mend="choose one, or drop it onto the page")
        shown = PageState(problem=nothing)
        return await run_in_threadpool(_page, request, shown, fields)
    given = (PurePath(file.filename or "").name or "file", file.file)
    return await dashboard_of(request).reading(_hand_over, request, fields, given)


def _hand_over(request: Request, fields: Mapping[str, str], file: File) -> Response:
    dashboard = dashboard_of(request)
    caps = Caps(expanded=dashboard.settings.dashboard.upload_mb * 1_000_000)
    try:
        terms = _terms(dashboard.settings, file[0], fields)
        options = _options(dashboard.settings, fields)
        if fields.get("step") == "start":
            by, seen = permissions.actor(request), "seen" in fields
            outcome = _started(dashboard, file, terms, options, caps, by=by, seen=seen)
            if outcome.run is not None and not outcome.counts.rejected:
                return RedirectResponse(f"/runs/{quote(outcome.run)}", 303)
            return _page(request, PageState(file=file[0], outcome=outcome), fields)
        if fields.get("step") == "rejects":
            return _rejected(dashboard, file, terms, options, caps)
        found = look(dashboard, file, terms, options, caps)
        return _page(request, PageState(file=file[0], look=found), fields)
    except RungError as error:
        return _page(request, PageState(file=file[0], problem=error), fields)


def _started(
    dashboard: Dashboard,
    file: File,
    terms: RunTerms,
    options: ReadingOptions,
    caps: Caps,
    *,
    by: Actor,
    seen: bool,
) -> HandoverOutcome:
    def accept(_: str, guess: Guess) -> bool:
        return seen or guess.certain

    handover = Handover(terms, options, dashboard.engine, by=by, caps=caps, accept=accept)
    outcome = handover.take([file])
    if outcome.run is not None and outcome.counts.accepted:
        keep_forecast(
            dashboard.engine, terms.policy, outcome.run, outcome.counts.coming, terms.lane
        )
    return outcome


def _rejected(
    dashboard: Dashboard, file: File, terms: RunTerms, options: ReadingOptions, caps: Caps
) -> Response:
    """All rows that cannot be taken, as the command lists them; nothing is stored."""
    name = f"{stem(file[0])}.rejects.csv"
    with TemporaryDirectory() as folder:
        rejects = RejectsFile(Path(folder) / "rejects.csv", stem(file[0]), (), lambda _: None)
        Handover(
            terms,
            options,
            dashboard.engine,
            dry=True,
            caps=caps,
            rejects=rejects,
            accept=lambda _, __: True,
        ).take([file])
        listed = rejects.path.read_bytes() if rejects.path is not None else b""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(listed, 200, headers, "text/csv; charset=utf-8")


def _terms(settings: Settings, name: str, fields: Mapping[str, str]) -> RunTerms:
    given = {key: value.strip() for key, value in fields.items() if value.strip()}
    return terms_for(
        settings,
        policy_named(settings, given.get("policy")),
        lane=given.get("lane"),
        budget=_budget(given.get("budget")),
        usual_name=stem(name),
        name=given.get("run"),
        deadline=parse_deadline(given.get("deadline"), "Deadline"),
        again="again" in given,
        notify=given.get("notify", "").replace(",", " ").split(),
    )


def _budget(words: str | None) -> Decimal | None:
    try:
        budget = Decimal(words) if words is not None else None
    except InvalidOperation:
        budget = Decimal(-1)
    if budget is not None and not (budget.is_finite() and budget >= 0):
        raise UsageError("The budget is no number of dollars.", mend="write it as 5 or 12.50")
    return budget


def _options(settings: Settings, fields: Mapping[str, str]) -> ReadingOptions:
    columns = {f: place for f in FIELDS if (place := fields.get(f"map.{f}", "").strip())}
    reading: dict[str, Any] = {name: fields.get(name, "").strip() or None for name in READING}
    dates = fields.get("dates")
    return ReadingOptions(
        **reading,
        dates=DateOrder(dates) if dates in tuple(DateOrder) else None,
        columns=columns,
        strip_quotes="strip_quotes" in fields,
    )


def _page(request: Request, shown: PageState, fields: Mapping[str, str]) -> Response:
    dashboard = dashboard_of(request)
    settings = dashboard.settings
    cap = settings.budget.per_run_usd
    with dashboard.engine.connect() as connection:
        return page(
            request,
            connection,
            "hand_over.html",
            "Submit",
            status=_status(shown.problem),
            shown=shown,
            given=defaultdict(str, {"budget": "" if cap is None else f"{cap:f}", **fields}),
            policies=policy_names(settings),
            usual=settings.policy.preset,
            lanes=LANES,
            fields={name: FIELD_WORDS.get(name, "") for name in FIELDS},
            mails=settings.notify.smtp_host is not None,
            most_mb=settings.dashboard.upload_mb,
            smaller=SMALLER,
        )


def _status(problem: RungError | None) -> int:
    if problem is None:
        return 200
    return 409 if isinstance(problem, IntakeBusy) else 422
