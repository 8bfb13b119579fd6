"""What people ask for on a screen or by HTTP, done: the deeds behind the previews."""

from collections.abc import Mapping

from sqlalchemy import Engine

from worker.errors import RungError
from worker.runs.filtered_previews import target_of
from worker.runs.preview_shapes import read_count, read_dollars, read_priority
from worker.runs.previews import dead_letters
from worker.store.actions import ops
from worker.store.actions.acting import retry_dead, set_budget, set_priority
from worker.store.actions.filtered import act, set_budgets
from worker.store.audit import Actor
from worker.store.runs import find_run

BY_HAND = {"drain": "drained by hand"}
MAX_REASON = 200


def perform(engine: Engine, actor: Actor, action: str, given: Mapping[str, str]) -> str:
    """Does it; returns what the audit calls its target."""
    reason = _because(action, given)
    counted = read_count(given)
    if "where" in given:
        return _to_filtered(engine, actor, action, given)
    if "tier" in given:
        if action == "pause":
            ops.pause_tier(engine, actor, given["tier"], reason)
        elif action == "drain":
            ops.drain_tier(engine, actor, given["tier"], reason)
        elif not ops.resume_tier(engine, actor, given["tier"]):
            raise RungError(f"{given['tier']} is not paused.")
        return given["tier"]
    with engine.connect() as connection:
        run = find_run(connection, given.get("run", ""))
        chosen = dead_letters(connection, run.id, given) if action == "retry" else None
    match action:
        case "pause":
            ops.pause_run(engine, actor, run.id, run.name, reason)
        case "resume":
            ops.resume_run(engine, actor, run.id, run.name, None)
        case "cancel":
            ops.cancel_run(engine, actor, run.id, run.name, counted)
        case "priority":
            set_priority(engine, actor, str(run.id), read_priority(given["to"]))
        case "budget":
            set_budget(engine, actor, str(run.id), read_dollars(given["to"]))
        case "retry" if chosen is not None:
            retry_dead(engine, actor, chosen, counted)
    return f"run {run.name}"


def _because(action: str, given: Mapping[str, str]) -> str:
    return (given.get("because") or BY_HAND.get(action, "paused by hand"))[:MAX_REASON]


def _to_filtered(engine: Engine, actor: Actor, action: str, given: Mapping[str, str]) -> str:
    """Jobs that a filter chooses: no more of them than were counted. Returns the audit's target."""
    with engine.connect() as connection:
        target = target_of(connection, given)
    counted = read_count(given)
    if action == "budget":
        set_budgets(engine, actor, target, read_dollars(given["to"]), counted=counted)
    elif action == "priority":
        wanted = read_priority(given["to"])
        act(engine, actor, action, target, counted=counted, priority=wanted)
    else:
        act(engine, actor, action, target, counted=counted)
    return target.words
