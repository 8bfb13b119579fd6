"""What people can do, as JSON: first a preview (how many, what it does), then the same without
`preview`. Every action writes its audit event."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row
from starlette.exceptions import HTTPException

from models.vocabulary import EVERYTHING, Verdict
from worker.dashboard.api.endpoints import Call, Conflict, NotFound
from worker.dashboard.api.reading import run_named
from worker.errors import RungError, UsageError
from worker.store import ops, status
from worker.store.receipts import find_job
from worker.store.reviews import Judged, give_verdict


@dataclass(frozen=True, slots=True)
class Effect:
    """What an action does, and how to do it. `undo` is the body that takes it back."""

    target: str
    affected: int
    words: str
    perform: Callable[[], int]
    undo: dict[str, Any] | None = None


def act(call: Call) -> dict[str, Any]:
    """Previews or performs an action on a run or a queue."""
    body = call.body
    if ("run" in body) == ("tier" in body):
        raise HTTPException(422, "Name either a run or a tier.")
    effect = _on_tier(call, body) if "tier" in body else _on_run(call, body)
    preview = body.get("preview", False)
    return {
        "action": body["action"],
        "target": effect.target,
        "preview": preview,
        "affected": effect.affected if preview else effect.perform(),
        "effect": effect.words,
        "undo": effect.undo,
    }


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


def _on_tier(call: Call, body: dict[str, Any]) -> Effect:
    tier, action = body["tier"], body["action"]
    if tier not in (EVERYTHING, *call.dashboard.queues):
        raise NotFound(f"There is no tier {tier!r}.")
    with call.engine.connect() as connection:
        lines = status.queues(connection, call.dashboard.queues)
        everything = status.paused_everything(connection)
    mine = [line for line in lines if tier in (EVERYTHING, line["queue"])]
    waiting: int = sum(max(line["waiting"], 0) for line in mine)
    troubled = any(line["paused"] or line["breaker"] != "closed" for line in mine)
    reason = body.get("reason") or "paused by hand"

    def pause() -> int:
        ops.pause_tier(call.engine, call.actor, tier, reason)
        return waiting

    def resume() -> int:
        return waiting if ops.resume_tier(call.engine, call.actor, tier) else 0

    match action:
        case "pause":
            words = f"Nothing of {tier} is claimed any more; what is in flight is finished."
            return Effect(tier, waiting, words, pause, {"action": "resume", "tier": tier})
        case "resume":
            stopped = everything is not None if tier == EVERYTHING else troubled
            words = f"{tier} goes on." if stopped else f"{tier} is not paused."
            undo = {"action": "pause", "tier": tier}
            return Effect(tier, waiting if stopped else 0, words, resume, undo)
    raise HTTPException(422, f"{action} is done to a run, not to a tier.")


def _on_run(call: Call, body: dict[str, Any]) -> Effect:
    with call.engine.connect() as connection:
        run = run_named(connection, body["run"])
        open_jobs, dead = ops.open_jobs(connection, run.id), ops.retryable(connection, run.id)
        committed = ops.committed(connection, run.id)
    engine, actor, named = call.engine, call.actor, (run.id, run.name)
    undo = {"run": run.name}

    def pause() -> int:
        ops.pause_run(engine, actor, *named, body.get("reason") or "paused by hand")
        return open_jobs

    def go_on(cap: Decimal | None) -> int:
        ops.resume_run(engine, actor, *named, cap)
        return open_jobs

    match body["action"]:
        case "pause":
            _must_be(run, "active")
            words = f"{open_jobs} open jobs wait until it is resumed; its deadline does not."
            return Effect(run.name, open_jobs, words, pause, undo | {"action": "resume"})
        case "resume":
            _must_be(run, "active", "paused")
            words = f"{open_jobs} open jobs go on."
            undo |= {"action": "pause"}
            return Effect(run.name, open_jobs, words, lambda: go_on(None), undo)
        case "budget":
            _must_be(run, "active", "paused")
            cap = _cap(body, committed)
            words = f"It may cost ${cap} in all; ${committed:.4f} of that is spent or reserved."
            before = {"action": "budget", "budget_usd": float(run.budget_cap or 0)}
            back = undo | before if run.budget_cap is not None else None
            return Effect(run.name, open_jobs, words, lambda: go_on(cap), back)
        case "cancel":
            _must_be(run, "active", "paused")
            words = f"{open_jobs} open jobs end for good. What is in flight is paid, and not used."
            return Effect(run.name, open_jobs, words, lambda: ops.cancel_run(engine, actor, *named))
    _must_be(run, "active", "paused", "finished")
    words = f"{dead} dead jobs are tried once more, which costs money."
    return Effect(run.name, dead, words, lambda: ops.retry_run(engine, actor, *named))


def _must_be(run: Row[Any], *states: str) -> None:
    if run.state not in states:
        raise Conflict(f"Run {run.name} is {run.state}.")


def _cap(body: dict[str, Any], committed: Decimal) -> Decimal:
    if "budget_usd" not in body:
        raise HTTPException(422, "A budget needs budget_usd.")
    cap = Decimal(str(body["budget_usd"]))
    if cap < committed:
        raise Conflict(f"${committed:.4f} is spent or reserved already; ${cap} is too small.")
    return cap


ACTIONS = ("pause", "resume", "cancel", "retry", "budget")
