"""The first sentence of the first page. Pure."""

import datetime as dt
import math
from collections.abc import Sequence

from worker.domain.wording import clock, count, listed, plural, said_of, span
from worker.store.reading.outlook import Outlook, due
from worker.store.reading.run_money import HELD_BACK
from worker.store.reading.run_standing import RunStanding


def _came_to(last: RunStanding) -> str:
    """How a run that has ended went, by what somebody still has to look at."""
    answered, total = last.jobs("answered"), last.total
    left = [
        f"{count(jobs)} {words}"
        for jobs, words in (
            (last.decided, f"{'was' if last.decided == 1 else 'were'} decided by people"),
            (last.for_people, f"wait{'s' if last.for_people == 1 else ''} for a person"),
            (last.jobs("dead"), f"{'is' if last.jobs('dead') == 1 else 'are'} dead"),
        )
        if jobs
    ]
    ended = "was cancelled" if last.state == "cancelled" else "has ended"
    tail = f", {listed(left)}" if left else ""
    return f"{ended}: {count(answered)} of {count(total)} answered{tail}"


def short(run: RunStanding, seen: Outlook) -> str:
    """Without the sums of a budget: they stand beside the button that helps."""
    if run.out_of_money or run.short:
        return f"{run.stop_word if run.out_of_money else HELD_BACK}{due(run.deadline, run.now)}"
    return seen.words


def _nearest(runs: Sequence[RunStanding]) -> str:
    """The deadline that a standstill threatens first."""
    found = [(run.deadline, run) for run in runs if run.deadline is not None]
    if not found:
        return ""
    deadline, run = min(found, key=lambda one: one[0])
    return f"; {run.name} has to be done by {clock(deadline, run.now)}{_left(deadline, run.now)}"


def _left(deadline: dt.datetime, now: dt.datetime) -> str:
    left = (deadline - now).total_seconds()
    return f", in {span(left)}" if left > 0 else ", which has passed"


def _urgency(one: tuple[RunStanding, Outlook]) -> tuple[int, float]:
    """What is worse comes first; of what is as bad, what has to be done sooner."""
    run, seen = one
    due_at = run.deadline.timestamp() if run.deadline is not None else math.inf
    return ("good", "calm", "warn", "bad").index(seen.level), -due_at


def _too(others: Sequence[Outlook]) -> str:
    """That more is wrong than the one thing that is said."""
    needs = "needs" if len(others) == 1 else "need"
    return f"{plural(len(others), 'other run')} {needs} help too. " if others else ""


def headline(
    runs: Sequence[RunStanding],
    outlooks: list[Outlook],
    last: RunStanding | None,
    stopped: Sequence[str] = (),
    *,
    halted: bool = False,
    unmanned: bool = False,
    without_redis: bool = False,
) -> Outlook:
    """The first sentence of the first page. `stopped` are queues where messages wait and nothing
    is sent, if that is so of all that have any; `halted` says that everything is paused,
    `unmanned` that no worker runs, `without_redis` that Redis does not answer."""
    if not runs:
        if last is None:
            return Outlook(level="calm", words="Nothing has been submitted yet.")
        return Outlook(
            level="calm",
            words=f"Nothing is under way. The last run, {last.name}, {_came_to(last)}.",
        )
    total, ended = sum(run.total for run in runs), sum(run.ended for run in runs)
    first, worst = max(zip(runs, outlooks, strict=True), key=_urgency)
    done = f"{count(ended)} of {plural(total, 'message')} {'is' if ended == 1 else 'are'} done"
    if len(runs) > 1:
        done += f", in {len(runs)} runs"
    if halted:
        return Outlook(
            level="bad", words=f"Nothing goes on: everything is paused. {done}{_nearest(runs)}."
        )
    if stopped:
        why = "no worker is running" if unmanned else f"{listed(stopped)} cannot send"
        # No worker starts without it either.
        why = "Redis does not answer" if without_redis else why
        return Outlook(level="bad", words=f"Nothing goes on: {why}. {done}{_nearest(runs)}.")
    words = short(first, worst)
    if len(runs) == 1:
        return Outlook(level=worst.level, words=f"{words[0].upper()}{words[1:]}. {done}.")
    if worst.level in ("bad", "warn"):
        too = _too([one for one in outlooks if one.level == "bad"][1:])
        return Outlook(level=worst.level, words=f"{said_of(first.name, words)}. {too}{done}.")
    last_done = max((o.done_at for o in outlooks if o.done_at), default=None)
    when = f", all at about {clock(last_done, runs[0].now)}" if last_done else ""
    return Outlook(level=worst.level, words=f"{done}{when}.")
