"""Will it be done on time? One sentence, read alike for every surface: pages, commands, the API and
notices."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from models.vocabulary import RunLane
from worker.domain.completion import PaceSample, expected_work, paces, stands_still
from worker.domain.deadlines import Progress, risk
from worker.domain.wording import clock, count, span
from worker.store.queue.paces import pace_samples
from worker.store.reading.batches import OpenBatch
from worker.store.reading.blocked import NOT_BLOCKED, Blocked, ToCome, blocked
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.screens import counts_of, done_of, escalations_of
from worker.store.reading.status import in_flight_of
from worker.store.reading.surrounding import Surrounding
from worker.store.reading.work_left import forecast, work_left

Level = Literal["good", "warn", "bad", "calm"]
MOMENT_S = 1.0
MEASURED_AFTER = dt.timedelta(seconds=20)
"""What a run does in its first seconds says nothing of its end, but for one that waits for batches.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A sentence about a run, how good it is, and when the run will be done if that is known."""

    level: Level
    words: str
    done_at: dt.datetime | None = None
    queue: str = ""
    """That stands still, and that it waits for."""

    @property
    def sentence(self) -> str:
        """The words as a sentence of their own."""
        return f"{self.words[0].upper()}{self.words[1:]}."

    def as_document(self) -> dict[str, Any]:
        """As commands and the API give it."""
        return {"level": self.level, "words": self.words, "done_at": self.done_at}


def outlook(
    run: RunStanding,
    left_s: float | None,
    *,
    hurried: bool = False,
    still: bool = False,
    halted: bool = False,
    waits: Blocked = NOT_BLOCKED,
) -> Outlook:
    """Of one run that needs `left_s` seconds more (None: nobody knows yet). `hurried`
    says that it leaves the batch lane before that would miss its deadline, `still` that
    nothing of it has moved for a minute, `halted` that everything is paused; `waits` is what
    `blocked` says."""
    now, deadline = run.now, run.deadline
    if run.finished_at is not None:
        return ended_outlook(run)
    if run.out_of_money or run.short:
        level: Level = "bad" if run.out_of_money else "warn"
        return Outlook(level=level, words=f"{run.money_words}{due(deadline, now)}")
    if run.state == "paused":
        return Outlook(level="warn", words=f"{run.pause_words}{due(deadline, now)}")
    if halted:
        return Outlook(level="warn", words=f"everything is paused{due(deadline, now)}")
    if run.accepting and not run.total:
        return Outlook(level="calm", words="messages are being submitted")
    if deadline is not None and deadline <= now:
        late = span((now - deadline).total_seconds())
        return Outlook(level="bad", words=f"late: its deadline passed {late} ago")
    if waits.words:
        if deadline is not None and waits.until is not None and waits.until > deadline:
            late = span((waits.until - deadline).total_seconds())
            return Outlook(
                level="bad", words=f"{waits.words}, {late} after its deadline", queue=waits.queue
            )
        level = "calm" if waits.calm else "warn"
        return Outlook(level=level, words=f"{waits.words}{due(deadline, now)}", queue=waits.queue)
    if still and run.open:
        return Outlook(level="warn", words="nothing has moved in the last minute")
    if hurried:
        words = "in batches while there is time for them, then one by one at full price"
        return Outlook(level="calm", words=f"{words}{due(deadline, now)}")
    if left_s is None or (run.lane != "batch" and run.now - run.created_at < MEASURED_AFTER):
        return Outlook(level="calm", words="the pace is being measured")
    return _pace(now + dt.timedelta(seconds=left_s), deadline, now)


def due(deadline: dt.datetime | None, now: dt.datetime) -> str:
    """What a run that stands still has to fear."""
    if deadline is None:
        return ""
    if deadline <= now:
        return ", and its deadline has passed"
    left = span((deadline - now).total_seconds())
    return f", and the deadline is at {clock(deadline, now)}, in {left}"


def _pace(done_at: dt.datetime, deadline: dt.datetime | None, now: dt.datetime) -> Outlook:
    at = clock(done_at, now)
    left_s = (done_at - now).total_seconds()
    done = "done in a moment" if left_s < MOMENT_S else f"done in about {span(left_s)}, at {at}"
    if deadline is None:
        return Outlook(level="good", words=done, done_at=done_at)
    spare = (deadline - done_at).total_seconds()
    if spare >= 0:
        words = f"on time: {done}, {span(spare)} before its deadline"
        return Outlook(level="good", words=words, done_at=done_at)
    words = f"late: at this pace done at {at}, {span(-spare)} after its deadline"
    return Outlook(level="bad", words=words, done_at=done_at)


def ended_outlook(run: RunStanding) -> Outlook:
    """Of a run that is over."""
    finished = run.finished_at or run.now
    took = span((finished - run.created_at).total_seconds())
    if run.state == "cancelled":
        return Outlook(level="calm", words=f"cancelled after {took}")
    if run.deadline is not None and finished > run.deadline:
        after = span((finished - run.deadline).total_seconds())
        return Outlook(level="warn", words=f"finished in {took}, {after} after its deadline")
    return Outlook(level="good", words=f"finished in {took}")


def read_outlooks(
    connection: Connection,
    runs: Sequence[RunStanding],
    around: Surrounding,
    batches: Sequence[OpenBatch] | None = None,
) -> list[Outlook]:
    """For each run, will it be done on time? The same for everybody who asks at the same moment.
    `batches` are those of the one run that is asked for, where the caller has read them."""
    live = [run.id for run in runs if run.finished_at is None]
    samples, done = pace_samples(connection, live), done_of(connection, live)
    flying = in_flight_of(connection, live) if live else {}
    return [
        _read(
            connection,
            run,
            around,
            samples[run.id],
            done[run.id],
            flying[run.id],
            batches if len(runs) == 1 else None,
        )
        if run.finished_at is None
        else ended_outlook(run)
        for run in runs
    ]


def deadline_risks(
    connection: Connection, around: Surrounding, runs: Iterable[RunStanding]
) -> list[tuple[RunStanding, str | None]]:
    """Those of live runs whose deadline is yet to come, and why each may miss it (None: it does
    not)."""
    due_yet = [run for run in runs if run.deadline is not None and run.deadline > run.now]
    found = read_outlooks(connection, due_yet, around)
    return [(run, at_risk(run, seen)) for run, seen in zip(due_yet, found, strict=True)]


def at_risk(run: RunStanding, seen: Outlook) -> str | None:
    """Why a run may miss its deadline, in a sentence without a full stop: by its forecast, or
    where there is none (it stands still, say), by what it has done of what there is to do."""
    if run.deadline is None or run.finished_at is not None:
        return None
    if seen.done_at is not None:
        return seen.words if seen.done_at > run.deadline else None
    so_far = (run.now - run.created_at).total_seconds()
    left = (run.deadline - run.now).total_seconds()
    why = risk(Progress(ended=run.ended, left=run.open, elapsed_s=so_far, left_s=left))
    return f"{seen.words}; {why}" if why is not None else None


def _without_redis(run: RunStanding) -> Blocked:
    """What is in batches comes back without it."""
    if run.lane == RunLane.BATCH or not run.open:
        return NOT_BLOCKED
    are = "is" if run.open == 1 else "are"
    return Blocked(words=f"not done before Redis answers again: {count(run.open)} {are} open")


def _read(
    connection: Connection,
    run: RunStanding,
    around: Surrounding,
    samples: list[PaceSample],
    done: Mapping[str, int],
    flying: Mapping[str, int],
    batches: Sequence[OpenBatch] | None,
) -> Outlook:
    counts = counts_of(connection, [run.id])
    steps = escalations_of(connection, [run.id])
    samples = [*samples, PaceSample(run.now, done)]
    left = work_left(connection, run, around, counts, steps, done, batches)
    left_s, hurried = forecast(run, left, paces(samples))
    to_come = ToCome(work=expected_work(left), left_s=left_s)
    waits = blocked(counts, around.queues, run.now, flying, to_come)
    return outlook(
        run,
        left_s,
        hurried=hurried,
        still=stands_still(samples) and not left.batched,
        halted=around.halted,
        waits=waits if waits.words or not around.redis_away else _without_redis(run),
    )
