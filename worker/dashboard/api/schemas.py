"""JSON Schemas of what goes in and comes out. Answers name their fields and may grow more."""

from typing import Any

from models.vocabulary import JobState, Lane, RunState, Verdict
from worker.store.reading.results import ALWAYS, COLUMNS, Holds

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
DOLLARS: Schema = {"type": "number", "description": "US dollars"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
ANYTHING: Schema = {"type": "object"}
STATES: Schema = {"enum": [str(state) for state in JobState]}


def maybe(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def array(of: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": of}


def document(*required: str, **properties: Schema) -> Schema:
    """An object. Without names, every property is required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required or properties),
    }


def request_body(required: tuple[str, ...], **properties: Schema) -> Schema:
    """An object with no other properties than these."""
    return {**document(*required, **properties), "required": list(required)} | {
        "additionalProperties": False
    }


def ref(name: str) -> Schema:
    """A schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


PROBLEM = document(
    "type",
    "title",
    "status",
    "detail",
    type=TEXT,
    title=TEXT,
    status=WHOLE,
    detail=TEXT,
    mend={"type": "string", "description": "What mends it: a command or an edit."},
)
SESSION = document(
    user=TEXT,
    role={"enum": ["viewer", "operator"]},
    via={"enum": ["session", "proxy", "token", "loopback"]},
    csrf_token={"type": "string", "description": "Send it as X-CSRF-Token with every change."},
)
RUN = document(
    run=TEXT,
    id=COUNT,
    state={"enum": [str(state) for state in RunState]},
    state_reason=maybe(TEXT),
    waiting_for=maybe(TEXT),
    accepting=FLAG,
    policy=TEXT,
    lane={"enum": [str(lane) for lane in Lane]},
    priority=WHOLE,
    total=COUNT,
    ended=COUNT,
    by_state={"type": "object", "additionalProperties": COUNT},
    escalations=COUNT,
    calls=COUNT,
    spent_usd=DOLLARS,
    reserved_usd=DOLLARS,
    budget_usd=maybe(DOLLARS),
    rejected=COUNT,
    simulated=FLAG,
    created_at=TIME,
    deadline=maybe(TIME),
    finished_at=maybe(TIME),
)
ESCALATION = document(from_tier=TEXT, to_tier=TEXT, reason=TEXT, escalations=COUNT)
RUN_DETAIL = {
    "allOf": [
        ref("Run"),
        document(
            by_tier={"type": "object", "additionalProperties": COUNT},
            policy_version=TEXT,
            duplicates=COUNT,
            escalations_by_reason=array(ref("Escalation")),
        ),
    ]
}
QUEUE = document(
    queue=TEXT,
    waiting=WHOLE,
    in_flight=COUNT,
    workers=COUNT,
    done_a_minute=maybe(NUMBER),
    oldest_wait_s=maybe(NUMBER),
    limit_used=maybe({"type": "number", "description": "Share of the nearest limit, 0 to 1."}),
    paused=FLAG,
    paused_reason=maybe(TEXT),
    breaker={"enum": ["closed", "open", "half_open"]},
    breaker_reason=maybe(TEXT),
)
LEVEL: Schema = {"enum": ["good", "calm", "warn", "bad"]}
TROUBLE = document(
    level=LEVEL,
    words=TEXT,
    help=maybe({"type": "string", "description": "What the button that helps says."}),
    href=maybe({"type": "string", "description": "The page that helps."}),
)
STATUS = document(
    simulated=FLAG,
    headline=document(level=LEVEL, words=TEXT),
    troubles=array(ref("Trouble")),
    everything_paused=maybe(TEXT),
    queues=array(ref("Queue")),
    runs=array(ref("Run")),
    day=maybe(
        document(day=TEXT, budget_usd=maybe(DOLLARS), spent_usd=DOLLARS, reserved_usd=DOLLARS)
    ),
)
JOB = document(
    job=COUNT,
    run=TEXT,
    source=TEXT,
    external_id=TEXT,
    tier=maybe(TEXT),
    attempts=COUNT,
    reason=maybe(TEXT),
    cost_usd=DOLLARS,
    finished_at=maybe(TIME),
    confidence=maybe(NUMBER),
    verdict=maybe({"enum": [str(v) for v in Verdict]}),
)
LISTED_JOB = document(
    job=COUNT,
    run=TEXT,
    source=TEXT,
    external_id=TEXT,
    channel=maybe(TEXT),
    language=maybe(TEXT),
    state=STATES,
    tier=maybe(TEXT),
    difficulty=maybe(TEXT),
    confidence=maybe(NUMBER),
    escalations=COUNT,
    attempts=COUNT,
    cost_usd=DOLLARS,
    reason=maybe(TEXT),
    created_at=TIME,
    finished_at=maybe(TIME),
    simulated=maybe(FLAG),
)
CAUSE = document(run=TEXT, reason=maybe(TEXT), jobs=COUNT, since=maybe(TIME))
ATTENTION = document(causes=array(ref("Cause")), jobs=array(ref("Job")))
RECEIPT = document(
    job=COUNT,
    run=TEXT,
    source=TEXT,
    external_id=TEXT,
    state=STATES,
    tier=maybe(TEXT),
    lane=TEXT,
    difficulty=maybe(TEXT),
    escalations=COUNT,
    cost_usd=DOLLARS,
    total_usd=DOLLARS,
    reason=maybe(TEXT),
    policy_name=TEXT,
    policy_version=TEXT,
    text_shown=FLAG,
    attempts=array(ANYTHING),
    result=maybe(ANYTHING),
    reviews=array(ANYTHING),
    simulated=FLAG,
    created_at=TIME,
    finished_at=maybe(TIME),
)
_HELD = {
    Holds.TEXT: TEXT,
    Holds.TEXTS: array(TEXT),
    Holds.COUNT: COUNT,
    Holds.FLAG: FLAG,
    Holds.SHARE: NUMBER,
    Holds.DOLLARS: DOLLARS,
    Holds.TIME: TIME,
}
RESULT_ROW = document(
    **{
        name: _HELD[holds] if name in ALWAYS else maybe(_HELD[holds])
        for name, holds in COLUMNS.items()
    }
)
WORKER = document(
    id=TEXT,
    host=TEXT,
    pid=COUNT,
    version=TEXT,
    capacity=ANYTHING,
    in_flight=ANYTHING,
    stopping=FLAG,
    alive=FLAG,
    started_at=TIME,
    seen_at=TIME,
)
AUDIT = document(
    id=COUNT, at=TIME, actor=TEXT, action=TEXT, target=TEXT, affected=WHOLE, detail=ANYTHING
)
REJECT = document(file=TEXT, line=COUNT, reason=TEXT, external_id=maybe(TEXT))
NOTE = document(care=TEXT, column=TEXT, words=TEXT, rows=COUNT, first_line=COUNT)
ENQUEUED = document(
    run=maybe(TEXT),
    accepted=COUNT,
    rejected=COUNT,
    duplicates=COUNT,
    rejects=array(ref("Reject")),
    rejects_file=maybe(TEXT),
    warnings=array(ref("Reject")),
    notes=array(ref("Note")),
    known_in=array(TEXT),
    read=array(ANYTHING),
)
COMPONENTS: dict[str, Schema] = {
    "Problem": PROBLEM,
    "Session": SESSION,
    "Run": RUN,
    "RunDetail": RUN_DETAIL,
    "Escalation": ESCALATION,
    "Queue": QUEUE,
    "Status": STATUS,
    "Trouble": TROUBLE,
    "Job": JOB,
    "ListedJob": LISTED_JOB,
    "Cause": CAUSE,
    "Attention": ATTENTION,
    "Receipt": RECEIPT,
    "ResultRow": RESULT_ROW,
    "Worker": WORKER,
    "AuditEvent": AUDIT,
    "Reject": REJECT,
    "Note": NOTE,
    "Enqueued": ENQUEUED,
}
