"""What people can do, as JSON: first a preview (how many, at what cost, what it does), then the
same body without `preview`. The previews and deeds are those of the screens."""

from typing import Any

from starlette.exceptions import HTTPException

from models.vocabulary import Verdict
from worker.dashboard.api.endpoints import Call, Conflict, NotFound
from worker.dashboard.api.reading import run_named
from worker.errors import RungError, UsageError
from worker.runs.actions import perform
from worker.runs.filtered_previews import target_of
from worker.runs.preview_shapes import VERBS
from worker.runs.previews import preview
from worker.store.actions.acting import last_event
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.reading import screens
from worker.store.reading.receipts import find_job

NEEDS = {"priority": "priority", "budget": "budget_usd"}
COUNTED = ("cancel", "retry", "priority", "budget")
"""Actions whose audit event says how many jobs were really changed."""


def act(call: Call) -> dict[str, Any]:
    """Previews or performs an action on a run or a queue."""
    action, given = call.body["action"], _given(call)
    with call.engine.connect() as connection:
        try:
            found = preview(call.dashboard, connection, action, given)
            named = given.get("tier") or call.body.get("run", "")
            if "where" in given:
                named = target_of(connection, given).words
        except UsageError as error:
            raise HTTPException(422, str(error)) from None
    answer = {
        "action": action,
        "target": named,
        "preview": call.body.get("preview", False),
        "affected": found.count,
        "effect": list(found.words),
        "expected_usd": found.expected_usd,
        "undo": found.undo,
        "until": found.fields.get("until"),
        "event": None,
    }
    return answer if answer["preview"] else answer | _perform(call, action, given)


def _perform(call: Call, action: str, given: dict[str, str]) -> dict[str, Any]:
    """Does it; says what the audit says."""
    target = perform(call.dashboard.engine, call.actor, action, given)
    with call.engine.connect() as connection:
        number = last_event(connection, call.actor, action, target)
        event = screens.audit_event(connection, number) if number is not None else None
    if event is None or action not in COUNTED:
        return {"event": number}
    return {"event": number, "affected": event["affected"]}


def _given(call: Call) -> dict[str, str]:
    """The body as the screens' forms have it. Raises HTTPException 422, NotFound."""
    body, action = call.body, call.body["action"]
    if "tier" in body and ("run" in body or "where" in body):
        raise HTTPException(422, "Name a tier by itself, without a run or a filter.")
    if not {"tier", "run", "where"} & set(body):
        raise HTTPException(422, "Name a run, a tier, or jobs with where.")
    if "tier" in body and action not in ("pause", "resume", "drain"):
        raise HTTPException(422, f"{action} is done to a run, not to a tier.")
    needed = NEEDS.get(action)
    if needed is not None and needed not in body:
        raise HTTPException(422, f"{action} needs {needed}.")
    given = {
        "because": body.get("reason"),
        "until": body.get("until"),
        "reason": body.get("cause"),
        "where": body.get("where"),
        "counted": str(body["counted"]) if "counted" in body else None,
    }
    if needed is not None:
        given["to"] = "" if body[needed] is None else str(body[needed])
    if "tier" in body:
        if body["tier"] not in (*call.dashboard.queues, "everything"):
            raise NotFound(f"There is no tier {body['tier']!r}.")
        given["tier"] = body["tier"]
    elif "run" in body:
        with call.engine.connect() as connection:
            given["run"] = str(run_named(connection, body["run"]).id)
    return {name: value for name, value in given.items() if value is not None}


def judge(call: Call) -> dict[str, Any]:
    """A person's verdict on a job in review."""
    body = call.body
    with call.engine.connect() as connection:
        try:
            job_id = find_job(connection, call.path["job"])
        except UsageError as error:
            raise NotFound(str(error)) from None
    judged = Judged(job_id, Verdict(body["verdict"]), body.get("reply"), body.get("reason"))
    try:
        give_verdict(call.engine, call.actor, judged)
    except UsageError as error:
        raise HTTPException(422, str(error)) from None
    except RungError as error:
        raise Conflict(str(error)) from None
    return {"job": job_id, "verdict": body["verdict"], "reviewer": call.actor.name}


ACTIONS = tuple(VERBS)
