"""The table of endpoints: routes and description are both made of it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.access.problems import problem
from worker.dashboard.api import acting, handing_in, reading, schemas
from worker.dashboard.api.endpoints import Endpoint, json_response
from worker.dashboard.api.openapi import description
from worker.dashboard.api.schemas import array, document, maybe, ref, request_body
from worker.domain.run_names import PATTERN

MOST = 2**63 - 1
ID = {"type": "integer", "minimum": 1, "maximum": MOST}
LIMIT = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
NAME = {"type": "string", "minLength": 1, "maxLength": 120}
NEW_NAME = {**NAME, "pattern": PATTERN}
SHORT = {"type": "string", "minLength": 1, "maxLength": 500}
SOURCE = {"type": "string", "minLength": 1, "maxLength": 200}
ASK_TEXT = {
    "type": "boolean",
    "default": False,
    "description": "Show message and reply text: operators only, and audited.",
}
PAGE: dict[str, schemas.Schema] = {"before": ID, "limit": LIMIT}
ATTENTION: dict[str, schemas.Schema] = {"run": NAME, "limit": {**LIMIT, "maximum": 1_000}}
MONEY = {"type": "number", "minimum": 0, "maximum": 1_000_000}
WHERE = {
    "type": "string",
    "minLength": 1,
    "maxLength": 2_000,
    "description": "Jobs that a filter chooses: state = review or confidence < 0.6.",
}
ACTION = request_body(
    ("action",),
    action={"enum": list(acting.ACTIONS)},
    run=NAME,
    tier={**NAME, "description": "A tier, routing, or everything."},
    where=WHERE,
    preview={"type": "boolean", "description": "Say what it would do, and do nothing."},
    reason=SHORT,
    priority={"type": "integer", "minimum": -100, "maximum": 100},
    budget_usd=maybe(MONEY),
    cause={**SHORT, "description": "For retry: only what died of this."},
    until={**SHORT, "description": "Only what died, or came in, until then; the preview says it."},
    counted={
        **schemas.COUNT,
        "maximum": 10**9,
        "description": "What a preview counted: more than that is refused with 409.",
    },
)
DONE = document(
    action=schemas.TEXT,
    target=schemas.TEXT,
    preview=schemas.FLAG,
    affected=maybe(schemas.COUNT),
    effect=array(schemas.TEXT),
    expected_usd=maybe(schemas.DOLLARS),
    undo=schemas.TEXT,
    until=maybe(schemas.TEXT),
    event=maybe(schemas.COUNT),
)
VERDICT = request_body(
    ("verdict",),
    verdict={"enum": ["accept", "edit", "reject"]},
    reply={"type": "string", "maxLength": 200_000},
    reason=SHORT,
)
JUDGED = document(job=schemas.COUNT, verdict=schemas.TEXT, reviewer=schemas.TEXT)
NEW_RUN: dict[str, schemas.Schema] = {
    "run": NEW_NAME,
    "source": SOURCE,
    "policy": NAME,
    "lane": {
        "type": "string",
        "enum": ["realtime", "batch"],
        "description": "Left out: batch while a deadline leaves time, or else realtime.",
    },
    "budget_usd": MONEY,
    "deadline": {"type": "string", "description": "ISO 8601; UTC where it names no zone."},
    "priority": {"type": "integer", "minimum": -100, "maximum": 100, "default": 0},
    "again": {"type": "boolean", "default": False},
    "map": {
        "type": "string",
        "maxLength": 4_000,
        "description": 'Where our fields stand: {"body": "Message"}; or the name of a map.',
    },
    "yes": {
        "type": "boolean",
        "default": False,
        "description": "Take the columns that were guessed, though they are not certain.",
    },
    "dry_run": {
        "type": "boolean",
        "default": False,
        "description": "Read and check; store nothing.",
    },
    "sheet": SHORT,
    "records": SHORT,
    "delimiter": SHORT,
    "encoding": SHORT,
    "dates": {
        "type": "string",
        "enum": ["day", "month"],
        "description": "Which comes first in 04/11/2026.",
    },
    "strip_quotes": {"type": "boolean", "default": False},
}
RESULTS: dict[str, schemas.Schema] = {
    "text": ASK_TEXT,
    "format": {"type": "string", "enum": ["jsonl", "csv"], "default": "jsonl"},
}
JOB_LIST = document(jobs=array(ref("ListedJob")), next=maybe(schemas.COUNT))
RUN_LIST = document(runs=array(ref("Run")), next=maybe(schemas.COUNT))
EVENTS = document(events=array(ref("AuditEvent")), next=maybe(schemas.COUNT))
JOB, RUN = "/api/jobs/{job}", "/api/runs/{run}"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/api/session", "Who asks", reading.session, ref("Session")),
    Endpoint("GET", "/api/status", "How it all stands", reading.now, ref("Status")),
    Endpoint("GET", "/api/tiers", "Each queue", reading.tiers, array(ref("Queue"))),
    Endpoint("GET", "/api/runs", "Runs, newest first", reading.runs, RUN_LIST, PAGE),
    Endpoint(
        "POST",
        "/api/runs",
        "Hand messages over",
        handing_in.hand_in,
        ref("Enqueued"),
        NEW_RUN,
        takes=tuple(handing_in.KINDS),
        problems=(409, 413, 415, 422),
        upload=handing_in.receive,
        headers={"Idempotency-Key": "The same again means the same run, and adds nothing twice."},
    ),
    Endpoint("GET", RUN, "One run", reading.run, ref("RunDetail"), problems=(404,)),
    Endpoint(
        "GET",
        f"{RUN}/results",
        "The answers, a row a job",
        reading.results,
        ref("ResultRow"),
        RESULTS,
        gives=("application/x-ndjson", "text/csv"),
        problems=(404,),
    ),
    Endpoint(
        "GET",
        "/api/jobs",
        "Jobs that meet a filter, newest first",
        reading.jobs,
        JOB_LIST,
        {"run": NAME, "where": WHERE, **PAGE},
        problems=(404,),
    ),
    Endpoint(
        "GET",
        JOB,
        "The receipt of a job",
        reading.job,
        ref("Receipt"),
        {"text": ASK_TEXT},
        problems=(404,),
    ),
    Endpoint(
        "POST",
        f"{JOB}/verdict",
        "A person's verdict on a job in review",
        acting.judge,
        JUDGED,
        body=VERDICT,
        problems=(404, 409, 413, 415, 422),
    ),
    Endpoint(
        "GET",
        "/api/dead",
        "Dead letters",
        reading.dead,
        ref("Attention"),
        ATTENTION,
        problems=(404,),
    ),
    Endpoint(
        "GET",
        "/api/review",
        "What waits for a person",
        reading.review,
        ref("Attention"),
        ATTENTION,
        problems=(404,),
    ),
    Endpoint("GET", "/api/workers", "Who is at work", reading.workers, array(ref("Worker"))),
    Endpoint("GET", "/api/audit", "Who did what", reading.audit_events, EVENTS, PAGE),
    Endpoint(
        "POST",
        "/api/actions",
        "Do something, or see what it would do",
        acting.act,
        DONE,
        body=ACTION,
        problems=(404, 409, 413, 415, 422),
    ),
)


def routes() -> list[BaseRoute]:
    """Everything under `/api`."""
    served = [Route(e.path, e.serve, methods=[e.method]) for e in ENDPOINTS]
    return [
        *served,
        Route("/api/openapi.json", openapi, methods=["GET"]),
        Route("/api/{rest:path}", unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]


async def openapi(request: Request) -> Response:
    """The description of this API, without anything that is secret."""
    return json_response(description(ENDPOINTS))


async def unknown(request: Request) -> Response:
    """A problem, rather than a page for people."""
    paths = {e.path: e.method for e in ENDPOINTS}
    if allowed := paths.get(request.scope["path"]):
        return problem(405, f"Use {allowed} here.", headers={"Allow": allowed})
    return problem(404, "There is no such address; see /api/openapi.json.")
