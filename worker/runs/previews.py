"""What an order would do, said before it is done: how many, at what cost, and to which deadlines.

A preview reads; it changes nothing. What it counted is what the deed then changes: the moment up to
which jobs were counted travels with the form.
"""

from shlex import quote

from sqlalchemy import Connection

from models.vocabulary import EVERYTHING, RunLane
from worker.config.settings import Settings
from worker.domain.wording import dollars, listed, plural, waiting
from worker.errors import RungError, UsageError
from worker.runs import run_previews
from worker.runs.budget_previews import budget_preview
from worker.runs.orders import HOLDS, OF_QUEUES, OF_RUNS, VERBS, Order
from worker.runs.preview_shapes import FigureAsked, Look, Preview
from worker.store.actions.changes import CANCEL, MAX_PRIORITY, RETRY
from worker.store.actions.foresight import expected_cost, foresee
from worker.store.actions.glances import glance
from worker.store.reading.queue_holds import failed_canaries
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.standings import live_runs, standing_of
from worker.store.reading.status import QueueStanding, queues

STILL_SILENT = (
    "Claude asked for time, or failed too often. If it does so still, this is held again by itself,"
    " and no message is lost."
)


def preview(
    connection: Connection, settings: Settings, order: Order, *, quick: bool = False
) -> Preview:
    """Raises UsageError or RungError, in words for the person, when it would make no sense.
    `quick` looks at a bounded number of what a filter chooses, and says how many there are at
    least where that are not all."""
    chosen = order.chosen
    if order.queue is not None:
        if order.action not in HOLDS:
            raise UsageError(f"{order.action} is done to a run, not to a queue.")
        return _queue(Look(connection=connection, settings=settings, order=order), order.queue)
    if order.action in (*HOLDS, *OF_RUNS) and not chosen.is_run:
        raise UsageError(f"{VERBS[order.action]} is not for jobs that a filter chooses.")
    if order.action in OF_QUEUES:
        raise UsageError(f"{VERBS[order.action]} is for a tier: a run is paused or resumed.")
    run = None
    if chosen.is_run and chosen.run_id is not None:
        run = standing_of(connection, chosen.run_id)
        _require_possible(order.action, run)
    look = Look(connection=connection, settings=settings, order=order, run=run, quick=quick)
    return (_at_least(look) if quick and run is None else None) or MAKERS[order.action](look)


def _at_least(look: Look) -> Preview | None:
    """What is known before all are counted; None where they are few, or a figure is asked first."""
    order, retries = look.order, look.order.action == "retry"
    if order.action == "budget" or (order.action == "priority" and order.to is None):
        return None
    found = glance(look.connection, RETRY if retries else CANCEL, order.chosen)
    if found is None:
        return None
    kind = "dead letters" if retries else "open messages"
    words = [
        f"The newest {found.looked_at:,} were looked at; there are {found.able:,} {kind}. All of"
        " them are counted before anything is done."
    ]
    return look.shown(words=words, count=found.found, at_least=True)


def _require_possible(action: str, run: RunStanding) -> None:
    name, state = run.name, run.state
    if action == "retry":
        if state == "cancelled":
            raise RungError(f"Run {name} is cancelled; its jobs cannot be retried.")
        return
    # What a cancel left when it was interrupted can be cancelled again.
    if run.finished_at is not None and not (action == "cancel" and run.open):
        again = f"for another try of dead jobs: rung retry {quote(name)}"
        mend = again if action == "resume" else None
        what = {"priority": "serve sooner", "budget": "pay for", "realtime": "answer"}.get(
            action, action
        )
        raise RungError(f"Run {name} is {state}: there is nothing left to {what}.", mend=mend)
    if action == "realtime" and run.lane == RunLane.REALTIME:
        raise RungError(f"Run {name} is answered one by one already.")
    if action == "pause" and state != "active":
        raise RungError(f"Run {name} is {state}, so it cannot be paused.")


def _queue(look: Look, queue: str) -> Preview:
    action, names = look.order.action, look.settings.queues
    lines = [q for q in queues(look.connection, names) if queue in (q.queue, EVERYTHING)]
    held_up, flying = (sum(q.waiting for q in lines), sum(q.in_flight for q in lines))
    waits = waiting(held_up) if held_up else "Nothing waits just now"
    runs = live_runs(look.connection)
    expected = None
    tries = False
    if action in ("resume", "overrule"):
        words = [f"{waits}{' and will be sent on' if held_up else ''}."]
        words += _canary(look, queue)
        tries = queue != EVERYTHING and any(map(_left_alone, lines))
        words += [STILL_SILENT] if tries else []
        policies = {run.policy for run in runs}
        expected = expected_cost(look.connection, held_up, sorted(policies))
    else:
        drains = action == "drain"
        held = ", those included that workers hold and have not begun" if drains else ""
        after = " When none is left, nothing is lost if its workers are taken away."
        words = [
            f"{waits}{f' and will go on waiting{held}' if held_up else ''}.",
            _flying(flying) + (after if drains else ""),
        ]
    name = "every queue" if queue == EVERYTHING else f"the queue {queue}"
    return Preview(
        action=action,
        title=f"Try {queue} at once" if tries else f"{VERBS[action]} {name}",
        back="/",
        words=words + look.deadlines(runs),
        fields={"tier": queue},
        count=held_up,
        expected=expected,
        before=flying,
        undo="You can pause it again." if action == "overrule" else "You can take it back.",
    )


def _left_alone(line: QueueStanding) -> bool:
    """Whether Claude is given time, and nothing else keeps it."""
    return not line.stands and (line.breaker != "closed" or line.held_s > 0)


def _flying(calls: int) -> str:
    if not calls:
        return "Nothing is in flight."
    return f"{plural(calls, 'call')} in flight will end and be recorded: that is paid for."


def _canary(look: Look, queue: str) -> list[str]:
    """What a canary has against this queue, and what becomes of it."""
    bad = sum(row.bad for row in failed_canaries(look.connection) if row.tier == queue)
    if look.order.action == "overrule":
        if not bad:
            raise RungError(f"No canary holds {queue}.", mend="for what holds it: rung status")
        return [
            f"{plural(bad, 'answer')} of its first ones failed. They are taken for bad luck: the"
            " new prompt, schema or model is trusted from now on, and its calls go many at a time.",
        ]
    if not bad:
        return []
    return [
        f"{plural(bad, 'answer')} of its first ones failed. The first are sent one at a time again;"
        " if they fail too, it is paused again. Where they are in order: “Resume anyway”.",
    ]


def _retry(look: Look) -> Preview:
    chosen = look.order.chosen
    found = foresee(look.connection, RETRY, chosen)
    cause = f" that died of “{chosen.cause}”" if chosen.cause else ""
    words = [
        f"{plural(found.jobs, 'dead letter')}{cause} will be tried again, each at the tier where it"
        " stood, with a clean count of failures. What was tried before stays in the receipts.",
        "What still has its cause dies again: fix that first.",
    ]
    if look.run is None:
        words.append("Jobs that are not dead, or whose run is cancelled, are left as they are.")
    else:
        words += look.deadlines([look.run], found.jobs)
    beware = look.run.retry_words if look.run is not None and found.jobs else ""
    return look.shown(
        f"dead letters of {chosen.name}" if chosen.is_run else None,
        words=words,
        count=found.jobs,
        expected=found.expected,
        undo="It cannot be taken back, but they can be cancelled.",
        beware=beware,
    )


def _cancel(look: Look) -> Preview:
    found = foresee(look.connection, CANCEL, look.order.chosen)
    spared = found.expected.usd if found.expected is not None else None
    words = [
        f"{plural(found.jobs, 'open message')} will end without an answer; what has ended stays as"
        " it is.",
        "Answers in flight are paid for, recorded and not used. What ends before you press the"
        " button is not cancelled.",
        f"About {dollars(spared)} is not spent." if spared else "Nothing more is spent for them.",
    ]
    if look.run is not None:
        others = [run.name for run in look.others()]
        if look.run.accepting:
            words.append("It is still being submitted: what comes in before is cancelled too.")
        words += [f"{listed(others)} will be served sooner."] if others else []
    else:
        words += look.deadlines(look.under_way(found))
    undo = "It cannot be taken back: the messages would have to be submitted again."
    return look.shown(words=words, count=found.jobs, expected=found.expected, undo=undo)


def _priority(look: Look) -> Preview:
    if look.run is None:
        return _priority_of_jobs(look)
    run, others = look.run, look.others()
    highest = max((other.priority for other in others), default=run.priority)
    if look.order.to is None:
        suggested = str(min(max(highest + 1, run.priority), MAX_PRIORITY))
        hint = f"Higher goes first; it is {run.priority} now. The highest of the others:"
        return look.shown(ask=FigureAsked("New priority", suggested, f"{hint} {highest}."))
    wanted = look.order.priority
    behind = [other for other in others if other.priority < wanted]
    ahead = [other.name for other in others if other.priority > wanted]
    words = [f"Its priority goes from {run.priority} to {wanted}, from the next dispatch on."]
    words += [f"It will be served before {listed([r.name for r in behind])}."] if behind else []
    words += [f"{listed(ahead)} will still be served first."] if ahead else []
    words += look.deadlines(behind)
    return look.shown(words=words, count=1, counts="runs", before=run.priority)


def _priority_of_jobs(look: Look) -> Preview:
    if look.order.to is None:
        hint = "Higher goes first within a run; 0 is usual."
        return look.shown(ask=FigureAsked("New priority", "10", hint))
    wanted, found = look.order.priority, foresee(look.connection, CANCEL, look.order.chosen)
    words = [
        f"Their priority becomes {wanted}, from the next dispatch on: they are served before the"
        " others of their run. A run with a higher priority still goes first.",
        *look.deadlines(look.under_way(found)),
    ]
    return look.shown(words=words, count=found.jobs, undo="You can give them another priority.")


MAKERS = {
    "pause": run_previews.pause,
    "resume": run_previews.resume,
    "realtime": run_previews.realtime,
    "cancel": _cancel,
    "retry": _retry,
    "priority": _priority,
    "budget": budget_preview,
}
