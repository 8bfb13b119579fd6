"""What the screens show, as JSON. Message and reply text is left out until an operator asks for it
with `text=true`, and the asking is audited."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from worker.dashboard.api.endpoints import ApiCall, NotFound, page_response
from worker.dashboard.screens.now import read_now
from worker.dashboard.screens.queues import QueueShown, read_queues, surrounding
from worker.domain.filter_parsing import parse
from worker.errors import UsageError
from worker.runs.exports import ROWS_AT_ONCE, as_csv, json_row, layout, masked
from worker.store.audit import audit_reading
from worker.store.engine import at_one_moment
from worker.store.reading import attention, screens
from worker.store.reading.deeds import audit_page
from worker.store.reading.listing import list_jobs
from worker.store.reading.receipts import find_job_for_a_program, receipt
from worker.store.reading.results import Only, is_of_run, own_columns, results_of
from worker.store.reading.review_queue import place_of
from worker.store.reading.run_document import run_document
from worker.store.reading.standings import LIVE_MOST, live_runs, runs_page, standing_of
from worker.store.reading.status import DayBudget
from worker.store.rows import as_document
from worker.store.runs import StoredRun, find_run

SPREADSHEET = "text/csv"


def session(call: ApiCall) -> dict[str, Any]:
    """Who asks, what they may, and the token that must come with their changes."""
    visitor = call.visitor
    return {
        "user": visitor.name,
        "role": visitor.role,
        "via": visitor.via,
        "csrf_token": visitor.csrf,
    }


def now(call: ApiCall) -> dict[str, Any]:
    """The first page: its headline and troubles, queues, live runs, the day's budget."""
    with at_one_moment(call.engine) as connection:
        found = read_now(call.dashboard, connection)
    return {
        "simulated": call.dashboard.simulated,
        "headline": {"level": found.headline.level, "words": found.headline.words},
        "troubles": [
            {"level": t.level, "words": t.words, "help": t.help, "href": t.href, "more": t.more}
            for t in found.troubles
        ],
        "everything_paused": found.everything,
        "queues": [_queue(line) for line in found.queues],
        "batches_under_way": found.batches.as_document(),
        "runs": [{**run.as_document(), "outlook": seen.as_document()} for run, seen in found.live],
        "day": None if found.day is None else _day(found.day),
    }


def runs(call: ApiCall) -> Response:
    """A page of runs, newest first; `next` is the `before` of the following page."""
    limit = call.query["limit"]
    with at_one_moment(call.engine) as connection:
        found = runs_page(connection, call.query.get("before"), limit, inquiries=True)
    following = found[-1].id if len(found) == limit else None
    return page_response(
        call, "/api/runs", {"runs": [run.as_document() for run in found]}, following
    )


def run(call: ApiCall) -> dict[str, Any]:
    """One run, as `rung status RUN --json` gives it, with its escalations by reason."""
    with at_one_moment(call.engine) as connection:
        row = run_named(connection, call.path["run"])
        around = surrounding(call.dashboard, connection)
        return {
            **run_document(connection, standing_of(connection, row.id), around),
            "escalations_by_reason": list(
                map(asdict, screens.escalations_of(connection, [row.id]))
            ),
        }


def results(call: ApiCall) -> Response:
    """The answers, streamed: as `rung results` writes them."""
    shown = _asked_for_text(call)
    with at_one_moment(call.engine) as connection:
        row = run_named(connection, call.path["run"])
        own = own_columns(connection, row.id) if shown else []
        after = call.query.get("after")
        if after is not None and not is_of_run(connection, row.id, after):
            raise HTTPException(422, f"Run {row.name} has no job {after} that a page could follow.")
    if shown:
        audit_reading(call.engine, call.actor, f"run {row.name}")
    only = call.query.get("only")
    limit = call.query.get("limit")
    rows = results_of(
        call.engine, row.id, Only(only) if only is not None else None, after=after, limit=limit
    )
    headers = {}
    if limit is not None:
        rows = iter(page := list(rows))
        if len(page) == limit:
            headers["Link"] = _next_page(call, page[-1]["job"])
    seen = rows if shown else map(masked, rows)
    if call.query["format"] == "csv":
        return StreamingResponse(as_csv(seen, layout(own)), 200, headers, SPREADSHEET)
    return StreamingResponse(_as_lines(seen, own, shown), 200, headers, "application/x-ndjson")


def _next_page(call: ApiCall, job: int) -> str:
    """The address of the page behind a job (RFC 8288)."""
    asked = {**call.query, "after": job, "text": str(call.query["text"]).lower()}
    return f'</api/runs/{quote(call.path["run"])}/results?{urlencode(asked)}>; rel="next"'


def job(call: ApiCall) -> dict[str, Any]:
    """The receipt."""
    shown = _asked_for_text(call)
    wanted = call.path["job"]
    with at_one_moment(call.engine) as connection:
        try:
            found = receipt(connection, find_job_for_a_program(connection, wanted))
        except UsageError as error:
            raise NotFound(str(error)) from None
    if shown:
        audit_reading(call.engine, call.actor, f"job {found.job}")
    else:
        found = found.hidden()
    return found.as_document() | {"text_shown": shown}


def dead(call: ApiCall) -> Response:
    """Dead letters by cause, and a page of them."""
    return _attention(call, "dead")


def review(call: ApiCall) -> Response:
    """What was left to people, by cause, and a page of it; with the verdict of what was judged."""
    return _attention(call, "review")


def jobs(call: ApiCall) -> Response:
    """A page of the jobs that meet a filter, newest first; `next` is the `before` of the following
    page, which may come before this one is full: a page looks at a bounded number of jobs."""
    where, wanted = call.query.get("where"), call.query.get("run")
    with at_one_moment(call.engine) as connection:
        found = list_jobs(
            connection,
            run_id=run_named(connection, wanted).id if wanted is not None else None,
            node=parse(where) if where is not None else None,
            before=call.query.get("before"),
            limit=call.query["limit"],
        )
    document = {"jobs": [as_document(job, "run_id") for job in found.jobs]}
    return page_response(call, "/api/jobs", document, found.next)


def tiers(call: ApiCall) -> list[dict[str, Any]]:
    """Each queue, as `status` gives it."""
    with at_one_moment(call.engine) as connection:
        lines = read_queues(call.dashboard, connection, live_runs(connection, LIVE_MOST))
        return [_queue(line) for line in lines]


def workers(call: ApiCall) -> list[dict[str, Any]]:
    """Worker processes of the last hour."""
    with at_one_moment(call.engine) as connection:
        return [*map(asdict, screens.workers(connection))]


def audit_events(call: ApiCall) -> Response:
    """A page of what people and schedules did, newest first."""
    limit, reads = call.query["limit"], call.visitor.may_operate
    with at_one_moment(call.engine) as connection:
        found = audit_page(connection, call.query.get("before"), limit, reads=reads)
    following = found[-1].id if len(found) == limit else None
    return page_response(call, "/api/audit", {"events": [*map(asdict, found)]}, following)


def run_named(connection: Connection, wanted: str) -> StoredRun:
    """The run with this name or number. Raises NotFound."""
    try:
        return find_run(connection, wanted)
    except UsageError as error:
        raise NotFound(str(error)) from None


def _queue(line: QueueShown) -> dict[str, Any]:
    return {
        **line.as_document(),
        "failed_jobs": line.failed_jobs,
        "done_a_minute": line.a_minute,
        "limit_used": line.share,
    }


def _day(day: DayBudget) -> dict[str, Any]:
    return {
        "day": day.day,
        "budget_usd": day.budget_usd,
        "spent_usd": day.spent_usd,
        "reserved_usd": day.reserved_usd,
    }


def _attention(call: ApiCall, state: str) -> Response:
    wanted, before, limit = call.query.get("run"), call.query.get("before"), call.query["limit"]
    with at_one_moment(call.engine) as connection:
        run_id = run_named(connection, wanted).id if wanted is not None else None
        place = place_of(connection, before) if before is not None else None
        if before is not None and place is None:
            raise NotFound(f"There is no job {before} to go on behind.")
        chosen = attention.Attention(state=state, run_id=run_id)
        found = attention.letters(connection, chosen, limit, place)
        causes = attention.causes(connection, chosen)
    document = {"causes": list(map(asdict, causes)), "jobs": list(map(asdict, found))}
    following = found[-1].job if len(found) == limit else None
    return page_response(call, f"/api/{state}", document, following)


def _asked_for_text(call: ApiCall) -> bool:
    asked = bool(call.query["text"])
    if asked and not call.visitor.may_operate:
        raise HTTPException(403, "Only an operator may read what customers wrote.")
    return asked


def _as_lines(rows: Iterable[dict[str, Any]], own: Sequence[str], shown: bool) -> Iterator[bytes]:
    """The lines that `rung results` writes; where text is hidden, each says so."""
    columns, held = layout(own), list[bytes]()
    hidden = {} if shown else {"text_shown": False}
    for row in rows:
        held.append(orjson.dumps(json_row(row, columns) | hidden) + b"\n")
        if len(held) >= ROWS_AT_ONCE:
            yield b"".join(held)
            held = []
    yield b"".join(held)
