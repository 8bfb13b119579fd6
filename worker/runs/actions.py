"""Orders, carried out: the deeds behind the previews, one way for every door."""

from sqlalchemy import Engine

from models.vocabulary import Lane
from worker.domain.hold_words import BY_HAND
from worker.errors import RungError
from worker.runs.orders import Order
from worker.store.actions import caps, changes, holds
from worker.store.actions.selection import Selection
from worker.store.audit import Actor, Done
from worker.store.queue.leaving_batch import end_lane


def perform(engine: Engine, actor: Actor, order: Order) -> Done:
    """Does it. Raises UsageError or RungError, in words for the person, and then changes
    nothing."""
    if order.queue is not None:
        return _hold_queue(engine, actor, order, order.queue)
    chosen, counted = order.chosen, order.counted
    match order.action:
        case "pause":
            return holds.pause_run(engine, actor, chosen, _because(order))
        case "resume":
            return holds.resume_run(engine, actor, chosen, order.cap)
        case "realtime":
            return _to_realtime(engine, actor, chosen)
        case "cancel":
            return changes.apply(engine, actor, changes.CANCEL, chosen, counted=counted)
        case "retry":
            return changes.apply(engine, actor, changes.RETRY, chosen, counted=counted)
        case "priority":
            return changes.set_priority(engine, actor, chosen, order.priority, counted=counted)
    return caps.set_budget(engine, actor, chosen, order.cap, counted=counted)


def _to_realtime(engine: Engine, actor: Actor, chosen: Selection) -> Done:
    """The rest of a run, one by one from now on; one that is paused goes on."""
    if chosen.run_id is not None:
        end_lane(engine, actor, chosen.run_id, chosen.run_name or "")
    return holds.resume_run(engine, actor, chosen, lane=Lane.REALTIME)


def _hold_queue(engine: Engine, actor: Actor, order: Order, queue: str) -> Done:
    if order.action == "pause":
        return holds.pause_queue(engine, actor, queue, _because(order))
    if order.action == "drain":
        return holds.drain_queue(engine, actor, queue, _because(order))
    overrules = order.action == "overrule"
    deed = holds.overrule_canary if overrules else holds.resume_queue
    done = deed(engine, actor, queue)
    if done is None:
        if overrules:
            raise RungError(f"No canary holds {queue}.", mend="for what holds it: rung status")
        raise RungError(f"Nothing holds {queue}: it goes on already.")
    return done


def _because(order: Order) -> str:
    return order.because or BY_HAND[order.action]
