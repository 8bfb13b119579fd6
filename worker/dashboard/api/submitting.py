"""`POST /api/runs`: a helpdesk submits messages, as `rung enqueue` does.

What was accepted is committed before the answer leaves. The same `Idempotency-Key` again means the
same run, and adds nothing twice; so does the same body without a key. Columns that are not certain
are refused with what was guessed of them.
"""

import datetime as dt
import json
import tempfile
from decimal import Decimal
from typing import IO
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from worker.config.policies import policy_named
from worker.dashboard.api.endpoints import ApiCall, Conflict, json_response
from worker.domain.policy import Policy
from worker.errors import ConfigurationError, UsageError
from worker.intake import BacklogError, Caps
from worker.intake.guess import UncertainColumns
from worker.intake.handover import Handover
from worker.intake.maps import checked, map_named
from worker.intake.numbered_dates import DateOrder
from worker.intake.outcome import HandoverOutcome
from worker.intake.reader import ReadingOptions
from worker.intake.run_of_terms import IntakeBusy
from worker.intake.terms import RunTerms, terms_for
from worker.runs.forecasts import keep_forecast

KINDS = {
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/json": "json",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/mbox": "mbox",
    "message/rfc822": "eml",
    **dict.fromkeys(("application/gzip", "application/x-gzip", "application/zip"), "packed"),
}
"""What a body may be; one that is packed shows what is in it."""
SHOWN_BY_ITSELF = frozenset({"xlsx", "ods", "packed"})
BUSY_S = 5
"""After so long another intake into the run may have ended."""
KEY = "idempotency-key"
MAX_KEY = 200
IN_MEMORY = 1_000_000
NAME = "the body"


async def receive(request: Request) -> IO[bytes]:
    """The body in a file that is gone with the request. Raises HTTPException 413, 415."""
    kind = _content_type(request.headers.get("content-type", ""))
    if kind not in KINDS:
        raise HTTPException(415, f"The body must be one of: {', '.join(KINDS)}.")
    if request.headers.get("content-encoding", "identity") != "identity":
        words = "A body of type application/gzip or application/zip is unpacked here; no other."
        raise HTTPException(415, words)
    spooled = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - `Endpoint.serve` closes it
    try:
        async for part in request.stream():
            spooled.write(part)
    except BaseException:
        spooled.close()
        raise
    spooled.seek(0)
    return spooled


def submit(call: ApiCall) -> Response:
    """Takes the rows: 201 with a new run, 200 when nothing new was made."""
    assert call.upload is not None
    dry, yes = call.query["dry_run"], call.query["yes"]
    try:
        terms = _terms(call)
        handover = Handover(
            terms,
            _reading(call),
            call.engine,
            dry=dry,
            by=call.actor,
            caps=Caps(expanded=call.settings.dashboard.upload_mb * 1_000_000),
            accept=lambda _, guess: yes or guess.certain,
        )
        outcome = handover.take([(NAME, call.upload)])
        if not dry and outcome.run is not None and outcome.counts.accepted:
            keep_forecast(call.engine, terms.policy, outcome.run, outcome.counts.coming, terms.lane)
    except IntakeBusy as error:
        raise Conflict(str(error), retry_s=BUSY_S) from None
    except BacklogError as error:
        raise HTTPException(400, _refusal(error)) from None
    except (UsageError, ConfigurationError) as error:
        raise UsageError(str(error), mend=error.mend) from None
    return _answer(outcome, dry=dry)


def _refusal(error: BacklogError) -> str:
    """With the columns that were guessed, as the parameter that says them."""
    if not isinstance(error, UncertainColumns):
        return str(error)
    columns = json.dumps(dict(error.guess.columns), ensure_ascii=False)
    return f"{error} Say which: map={columns}, or yes=true where that is what is meant."


def _terms(call: ApiCall) -> RunTerms:
    query, cap = call.query, call.query.get("budget_usd")
    return terms_for(
        call.settings,
        _policy(call),
        lane=query.get("lane"),
        budget=Decimal(str(cap)) if cap is not None else None,
        usual_name=f"{call.visitor.name}-{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        name=query.get("run"),
        source=query.get("source"),
        priority=query["priority"],
        deadline=_deadline(query.get("deadline")),
        key=_key(call),
        again=query["again"],
        notify=filter(None, query.get("notify", "").split(",")),
    )


def _policy(call: ApiCall) -> Policy:
    return policy_named(call.settings, call.query.get("policy"))


def _reading(call: ApiCall) -> ReadingOptions:
    query = call.query
    columns, usual = _columns(call)
    kind = KINDS[_content_type(call.headers["content-type"])]
    return ReadingOptions(
        # A workbook shows itself; a client that calls one CSV need not be refused.
        kind=None if kind in SHOWN_BY_ITSELF else kind,
        member=query.get("member"),
        sheet=query.get("sheet"),
        records=query.get("records"),
        delimiter=query.get("delimiter"),
        encoding=query.get("encoding"),
        dates=DateOrder(query["dates"]) if "dates" in query else None,
        columns=columns,
        usual=usual,
        strip_quotes=query["strip_quotes"],
        packed=kind == "packed",
    )


def _columns(call: ApiCall) -> tuple[dict[str, str], dict[str, str]]:
    """`map` is a JSON object of fields and columns, or the name of a map."""
    said = call.query.get("map", "")
    if not said.startswith("{"):
        saved = {name: one.columns for name, one in call.settings.intake.maps.items()}
        return {}, dict(map_named(said, saved)) if said else {}
    try:
        columns = json.loads(said)
    except ValueError:
        raise HTTPException(400, "map is not a JSON object.") from None
    if not all(isinstance(place, str) for place in columns.values()):
        raise HTTPException(400, "map leads from our fields to names of columns.")
    return {field: checked(field, place, f"map {field!r}") for field, place in columns.items()}, {}


def _answer(outcome: HandoverOutcome, *, dry: bool) -> Response:
    document = outcome.as_document()
    counts = outcome.counts
    if dry:
        return json_response(document)
    if outcome.run is None and not counts.duplicates:
        raise HTTPException(422, f"No row could be taken: {outcome.first_reason()}.")
    if outcome.run is None:
        return json_response(document)
    place = f"/api/runs/{quote(outcome.run)}"
    return json_response(document, 201 if outcome.made else 200, Location=place)


def _content_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _key(call: ApiCall) -> str | None:
    key = call.headers.get(KEY)
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isprintable()):
        raise HTTPException(400, f"Idempotency-Key must be 1 to {MAX_KEY} printable characters.")
    return key


def _deadline(words: str | None) -> dt.datetime | None:
    if words is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(words)
    except ValueError:
        raise HTTPException(400, "deadline is not an ISO 8601 time.") from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    if moment <= dt.datetime.now(dt.UTC):
        raise HTTPException(400, "deadline has passed.")
    return moment
