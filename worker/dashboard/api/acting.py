"""What people can do, as JSON: first a preview (how many, at what cost, what it does), then the
same body without `preview`. The previews and deeds are those of the screens."""

from typing import Any

from starlette.exceptions import HTTPException

from models.vocabulary import Verdict
from worker.dashboard.api.endpoints import ApiCall
from worker.errors import Missing, UsageError
from worker.runs.actions import perform
from worker.runs.orders import HOLDS, read_order
from worker.runs.previews import preview
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.reading.receipts import find_job_for_a_program

ALL = "all"
NEEDS = {"priority": "priority", "budget": "budget_usd"}


def act(call: ApiCall) -> dict[str, Any]:
    """Previews or performs an action on a run, a queue, or the jobs that a filter chooses."""
    body, dashboard = call.body, call.dashboard
    try:
        with call.engine.connect() as connection:
            order = read_order(connection, dashboard.settings.queues, body["action"], _given(body))
            # Before the deed all are counted, and for who asks.
            quick = body.get("preview", False) and body.get("count") != ALL
            found = preview(connection, dashboard.settings, order, quick=quick)
        answer = {
            "action": order.action,
            "target": order.queue or order.chosen.name,
            "preview": body.get("preview", False),
            "affected": found.count,
            "at_least": found.at_least,
            "effect": [*found.words, *([found.beware] if found.beware else [])],
            "expected_usd": found.expected_usd,
            "undo": found.undo,
            "until": found.fields.get("until"),
            "event": None,
        }
        if answer["preview"]:
            return answer
        done = perform(call.engine, call.actor, order)
    except UsageError as error:
        raise _unprocessable(error) from None
    return answer | {"event": done.event, "affected": done.affected}


def _given(body: dict[str, Any]) -> dict[str, str]:
    """The body as the screens' forms have it. Raises HTTPException 422."""
    action = body["action"]
    if "tier" in body and ("run" in body or "where" in body):
        raise HTTPException(422, "Name a tier by itself, without a run or a filter.")
    if not {"tier", "run", "where"} & set(body):
        raise HTTPException(422, "Name a run, a tier, or jobs with where.")
    if "tier" in body and action not in HOLDS:
        raise HTTPException(422, f"{action} is done to a run, not to a tier.")
    needed = NEEDS.get(action)
    if needed is not None and needed not in body:
        raise HTTPException(422, f"{action} needs {needed}.")
    given = {"because": body.get("reason"), "reason": body.get("cause")}
    given |= {name: body.get(name) for name in ("tier", "run", "where", "until")}
    given["counted"] = str(body["counted"]) if "counted" in body else None
    if needed is not None:
        given["to"] = "" if body[needed] is None else str(body[needed])
    return {name: value for name, value in given.items() if value is not None}


def judge(call: ApiCall) -> dict[str, Any]:
    """A person's verdict on a job in review."""
    body = call.body
    with call.engine.connect() as connection:
        job_id = find_job_for_a_program(connection, call.path["job"])
    judged = Judged(
        job_id=job_id,
        verdict=Verdict(body["verdict"]),
        reply=body.get("reply"),
        reason=body.get("reason"),
        known=body.get("known"),
    )
    try:
        give_verdict(call.engine, call.actor, judged)
    except UsageError as error:
        raise _unprocessable(error) from None
    return {"job": job_id, "verdict": body["verdict"], "reviewer": call.actor.name}


def _unprocessable(error: UsageError) -> Exception:
    """A body that is well formed and means nothing."""
    return error if isinstance(error, Missing) else HTTPException(422, str(error))
