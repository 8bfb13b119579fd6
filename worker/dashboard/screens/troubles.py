"""What is wrong just now, in sentences, worst first, each with the place that helps. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from models.vocabulary import EVERYTHING
from worker.dashboard.screens.queues import QueueShown
from worker.domain import hold_words
from worker.domain.wording import dollars, plural, said_of, span, waiting
from worker.store.reading.outlook import Outlook
from worker.store.reading.queue_holds import SHORT_HOLD_S
from worker.store.reading.queue_states import ON_TRIAL
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.status import DayBudget

STUCK_S = 120.0
"""Somebody waits so long and nothing is in flight: it does not go on by itself."""
BUDGET_LOW = Decimal("0.8")
ANSWERS_SHOWN = 5
NO_STOPS: Mapping[int, dt.datetime] = {}
Level = Literal["bad", "warn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenTrouble:
    """A sentence; `help` is what a button says that leads to `href`, `command` what does the same
    in a terminal."""

    level: Level
    words: str
    help: str | None = None
    href: str | None = None
    command: str | None = None
    more: Sequence[tuple[str, str]] = ()
    """Further links: what each says, and where it leads."""
    short: str = ""

    @property
    def brief(self) -> str:
        """The words where there is room for few."""
        return self.short or self.words


def troubles(
    queues: Sequence[QueueShown],
    runs: Sequence[RunStanding],
    outlooks: Sequence[Outlook],
    *,
    now: dt.datetime,
    everything: str | None,
    day: DayBudget | None,
    redis_away: bool,
    stops: Mapping[int, dt.datetime] = NO_STOPS,
    more: Sequence[ScreenTrouble] = (),
    last_seen: dt.datetime | None = None,
) -> list[ScreenTrouble]:
    """Everything that somebody should know, worst first. `stops` says since when budgets have
    stopped runs, by their ids; `last_seen` when the last worker was heard of, if all are gone."""
    found: list[ScreenTrouble] = []
    if everything is not None:
        held = sum(queue.waiting for queue in queues)
        wait = f"{';' if ': ' in everything else ':'} {waiting(held)}" if held else ""
        words = f"{everything[0].upper()}{everything[1:]}{wait}."
        found.append(
            ScreenTrouble(
                level="bad",
                words=words,
                help="Resume everything",
                href=_action("resume", EVERYTHING),
                command=f"rung resume {EVERYTHING}",
            )
        )
    if redis_away:  # Before the workers, of whom none starts without it.
        found.append(ScreenTrouble(level="bad", words=hold_words.NO_REDIS))
    found += _workers(queues, last_seen, now)
    for queue in queues:
        found += _queue(queue, now)
    for run, seen in zip(runs, outlooks, strict=True):
        found += of_run(run, seen, stops.get(run.id))
    if day is not None and day.budget_usd and day.spent_usd >= BUDGET_LOW * day.budget_usd:
        words = f"Today's budget: {dollars(day.spent_usd)} of {dollars(day.budget_usd)} are spent."
        found.append(ScreenTrouble(level="warn", words=words))
    found += more
    return sorted(found, key=lambda trouble: trouble.level != "bad")


def _workers(
    queues: Sequence[QueueShown], last_seen: dt.datetime | None, now: dt.datetime
) -> list[ScreenTrouble]:
    left = sum(queue.waiting for queue in queues)
    if any(queue.workers for queue in queues):
        return [
            ScreenTrouble(
                level="bad",
                words=f"{queue.queue}: {queue.waiting:,} wait{'s' if queue.waiting == 1 else ''},"
                " and no worker is there.",
            )
            for queue in queues
            if queue.waiting and not queue.workers
        ]
    held = sum(queue.in_flight for queue in queues)
    if not left + held:
        return []
    said = hold_words.unmanned_words(left=left, in_flight=held, since=last_seen, now=now)
    words = f"{said}. Start one: rung up, or rung worker."
    return [ScreenTrouble(level="bad", words=words, help="Workers", href="/workers")]


def _queue(queue: QueueShown, now: dt.datetime) -> list[ScreenTrouble]:
    name, found = queue.queue, []
    if queue.paused:
        found.append(_paused(queue, now))
    if queue.breaker != "closed":
        words = hold_words.breaker_words(
            name,
            state=queue.breaker,
            since=queue.breaker_at,
            reason=queue.breaker_reason,
            now=now,
            waiting=queue.waiting,
            again_s=queue.breaker_s,
        )
        found.append(_resumable(queue, "bad", f"{words}."))
    # A tier's hold is routing's too, where it routes: of one cause that is one alarm.
    if queue.held_s >= SHORT_HOLD_S and queue.waiting + queue.in_flight:
        words = hold_words.held_words(
            name,
            since=queue.held_at,
            until=now + dt.timedelta(seconds=queue.held_s),
            reason=queue.held_reason,
            now=now,
            waiting=queue.waiting,
        )
        found.append(_resumable(queue, "warn", f"{words}. It goes on by itself then."))
    # What follows from a pause or a trial is no trouble of its own.
    kept = queue.stands or queue.state == ON_TRIAL or not queue.workers
    if (queue.ready_s or 0) > STUCK_S and not queue.in_flight and not kept:
        words = f"{name}: the oldest has waited {span(queue.ready_s)}, and nothing is in flight."
        found.append(ScreenTrouble(level="warn", words=words))
    return found


def _resumable(queue: QueueShown, level: Level, words: str) -> ScreenTrouble:
    """With what lets the queue go on, as a button and as a command."""
    name = queue.queue
    return ScreenTrouble(
        level=level,
        words=words,
        help=queue.again,
        href=_action("resume", name),
        command=f"rung resume {name}",
    )


def _paused(queue: QueueShown, now: dt.datetime) -> ScreenTrouble:
    """Who, since when, why; of a canary also what failed, and the way past it."""
    name = queue.queue
    words = hold_words.pause_words(
        name,
        by=queue.paused_by,
        since=queue.paused_at,
        reason=queue.paused_reason,
        now=now,
        waiting=queue.waiting,
    )
    if not hold_words.is_canary(queue.paused_reason):
        return _resumable(queue, "bad", f"{words}.")
    told = (
        f"{words}. Look at the answers that failed. If they are in order, resume it anyway. If the"
        f" prompt is at fault, fix it, cancel the run, reprocess what was cancelled, and try {name}"
        " again: a run keeps the prompts that it began with."
    )
    answers = [
        (f"failed answer {place}", f"/jobs/{job}")
        for place, job in enumerate(queue.failed_jobs[-ANSWERS_SHOWN:], 1)
    ]
    again = (f"Try {name} again", _action("resume", name))
    return ScreenTrouble(
        level="bad",
        words=told,
        short=f"{words}.",
        help="Resume anyway",
        href=_action("overrule", name),
        command=f"rung resume {name} --anyway",
        more=(*answers, again),
    )


def of_run(
    run: RunStanding, seen: Outlook, stopped_at: dt.datetime | None = None
) -> list[ScreenTrouble]:
    """What is wrong with one run."""

    def trouble(
        level: Level, words: str, help: str, action: str, command: str | None = None
    ) -> ScreenTrouble:
        href = _action(action, run.id, "run")
        words = f"{said_of(run.name, words)}."
        return ScreenTrouble(level=level, words=words, help=help, href=href, command=command)

    found: list[ScreenTrouble] = []
    if run.money_words:
        since = hold_words.since_words(stopped_at, run.now)
        words = run.money_words.replace(run.stop_word, run.stop_word + since, 1)
        level: Level = "bad" if run.out_of_money else "warn"
        if run.raises:
            found = [trouble(level, words, "Raise the budget", "budget", run.go_on_with)]
        else:
            found = [ScreenTrouble(level=level, words=f"{said_of(run.name, words)}.")]
    if run.out_of_money:
        return found
    if run.state == "paused":
        if run.without_batches:
            helps, action = f"Answer {run.name} one by one", "realtime"
        else:
            helps, action = f"Resume {run.name}", "resume"
        return [trouble("warn", seen.words, helps, action, run.resume_with)]
    if seen.level == "bad":
        found.append(trouble("bad", seen.words, "Give it priority", "priority"))
    if not run.short and run.cap and run.spent >= BUDGET_LOW * run.cap:
        words = f"has spent {dollars(run.spent)} of its budget of {dollars(run.cap)}"
        found.append(trouble("warn", words, "Change the budget", "budget"))
    if dead := run.jobs("dead"):
        words, href = f"{run.name} has {plural(dead, 'dead letter')}.", f"/dead?run={run.id}"
        found.append(ScreenTrouble(level="warn", words=words, help="See why", href=href))
    if run.state_reason and run.state == "active":
        words, href = f"{run.name}: {run.state_reason}.", f"/runs/{run.id}"
        found.append(ScreenTrouble(level="warn", words=words, help="The run", href=href))
    return found


def ended_badly(last: Sequence[RunStanding]) -> list[ScreenTrouble]:
    """What the last run has left, while no other is under way."""
    return [
        ScreenTrouble(
            level="warn",
            words=f"{run.name} ended with {plural(dead, 'dead letter')}.",
            help="See why, and retry",
            href=f"/dead?run={run.id}",
        )
        for run in last
        if (dead := run.jobs("dead")) and run.state != "cancelled"
    ]


def _action(action: str, target: object, kind: str = "tier") -> str:
    return f"/actions/{action}?{kind}={target}"
