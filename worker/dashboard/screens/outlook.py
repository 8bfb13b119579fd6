"""Will it be done on time? The pace of the last minute, carried on. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from models.vocabulary import ROUTING
from worker.domain.wording import clock, count, listed, plural, span
from worker.store.reading.standings import RunStanding

Level = Literal["good", "warn", "bad", "calm"]
LONG_HOLD_S = 60.0
MEASURED_AFTER = dt.timedelta(seconds=20)
"""What a run does in its first seconds says nothing of its end."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A sentence about a run, how good it is, and when the run will be done if that is known."""

    level: Level
    words: str
    done_at: dt.datetime | None = None


def blocked(counts: Mapping[tuple[str, str], int], queues: Sequence[Mapping[str, Any]]) -> str:
    """What has no end before somebody lifts it: the queue that stands still with the most messages
    of a run, whose jobs are given by (state, tier). Empty when none does."""
    found = []
    for line in queues:
        state, tier = ("queued", "") if line["queue"] == ROUTING else ("routed", line["queue"])
        waiting = counts.get((state, tier), 0)
        if waiting and (why := _stands_still(line)):
            found.append(
                (waiting, f"not before {line['queue']} {why}: {count(waiting)} wait there")
            )
    return max(found, default=(0, ""))[1]


def _stands_still(line: Mapping[str, Any]) -> str:
    """What has to happen before the queue goes on."""
    if line["paused"]:
        return "is resumed"
    if line["breaker"] == "open":
        return "answers again"
    if line["held_s"] > LONG_HOLD_S:
        return "may send again (Claude asked for a pause)"
    return "" if line["workers"] else "has a worker"


def outlook(
    run: RunStanding, a_minute: float | None, *, halted: bool = False, waits: str = ""
) -> Outlook:
    """Of one run, at `a_minute` ended jobs. `halted` says that everything is paused; `waits` is
    what `blocked` says."""
    now, deadline = run.now, run.deadline
    if run.finished_at is not None:
        return _over(run)
    if run.waiting_for:
        level: Level = "bad" if run.out_of_money else "calm"
        return Outlook(level, f"{run.money_words}{_due(deadline, now)}")
    if run.state == "paused":
        why = run.state_reason or "by hand"
        return Outlook("warn", f"paused: {why}{_due(deadline, now)}")
    if halted:
        return Outlook("warn", f"everything is paused{_due(deadline, now)}")
    if run.accepting and not run.total:
        return Outlook("calm", "messages are being handed in")
    if deadline is not None and deadline <= now:
        late = span((now - deadline).total_seconds())
        return Outlook("bad", f"late: its deadline passed {late} ago")
    if waits:
        return Outlook("warn", f"{waits}{_due(deadline, now)}")
    if a_minute is None or run.now - run.created_at < MEASURED_AFTER:
        return Outlook("calm", "the pace is being measured")
    if a_minute <= 0:
        return Outlook("warn" if run.open else "good", "nothing has ended in the last minute")
    done_at = now + dt.timedelta(minutes=run.open / a_minute)
    return _pace(done_at, deadline, now)


def _due(deadline: dt.datetime | None, now: dt.datetime) -> str:
    """What a run that stands still has to fear."""
    if deadline is None:
        return ""
    if deadline <= now:
        return ", and its deadline has passed"
    return f", with {span((deadline - now).total_seconds())} left to its deadline"


def _pace(done_at: dt.datetime, deadline: dt.datetime | None, now: dt.datetime) -> Outlook:
    left, at = span((done_at - now).total_seconds()), clock(done_at, now)
    if deadline is None:
        return Outlook("good", f"done in about {left}, at {at}", done_at)
    spare = (deadline - done_at).total_seconds()
    if spare >= 0:
        words = f"on time: done in about {left}, at {at}, {span(spare)} before its deadline"
        return Outlook("good", words, done_at)
    words = f"late: at this pace done at {at}, {span(-spare)} after its deadline"
    return Outlook("bad", words, done_at)


def _over(run: RunStanding) -> Outlook:
    finished = run.finished_at or run.now
    took = span((finished - run.created_at).total_seconds())
    if run.state == "cancelled":
        return Outlook("calm", f"cancelled after {took}")
    if run.deadline is not None and finished > run.deadline:
        after = span((finished - run.deadline).total_seconds())
        return Outlook("warn", f"finished in {took}, {after} after its deadline")
    return Outlook("good", f"finished in {took}")


def _came_to(last: RunStanding) -> str:
    """How a run that has ended went, by what somebody still has to look at."""
    answered, total = last.jobs("answered"), last.total
    left = [
        f"{count(last.jobs(state))} {words}"
        for state, words in (("review", "wait for a person"), ("dead", "dead"))
        if last.jobs(state)
    ]
    ended = "was cancelled" if last.state == "cancelled" else "has ended"
    tail = f", {listed(left)}" if left else ""
    return f"{ended}: {count(answered)} of {count(total)} answered{tail}"


def headline(
    runs: Sequence[RunStanding],
    outlooks: list[Outlook],
    last: RunStanding | None,
    stopped: Sequence[str] = (),
) -> Outlook:
    """The first sentence of the first page. `stopped` are queues where messages wait and nothing
    is sent, if that is so of all that have any."""
    if not runs:
        if last is None:
            return Outlook("calm", "Nothing has been handed in yet.")
        return Outlook(
            "calm", f"Nothing is under way. The last run, {last.name}, {_came_to(last)}."
        )
    total, ended = sum(run.total for run in runs), sum(run.ended for run in runs)
    worst = max(outlooks, key=lambda found: ("good", "calm", "warn", "bad").index(found.level))
    name = runs[outlooks.index(worst)].name
    done = f"{count(ended)} of {plural(total, 'message')} {'is' if ended == 1 else 'are'} done"
    if stopped:
        return Outlook("bad", f"Nothing goes on: {listed(stopped)} cannot send. {done}.")
    if len(runs) == 1:
        words = worst.words[0].upper() + worst.words[1:]
        return Outlook(worst.level, f"{words}. {done}.")
    done = f"{done}, in {len(runs)} runs"
    if worst.level in ("bad", "warn"):
        return Outlook(worst.level, f"{name} is {worst.words}. {done}.")
    last_done = max((o.done_at for o in outlooks if o.done_at), default=None)
    when = f", all at about {clock(last_done, runs[0].now)}" if last_done else ""
    return Outlook(worst.level, f"{done}{when}.")
