"""When will a run be done? The slowest queue decides. Pure.

A queue with a backlog has what waits in it, and what will still come into it from below at the
shares that the run has shown so far; it is done when that is worked off at the pace of the last two
minutes. One without a backlog does what it is given, so that its pace is not its own: what waits in
it counts, and the queues below decide. Batches are done by their own turnaround. The run is done
when the last of its queues is.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from models.vocabulary import ROUTING
from worker.domain.lane_choice import CLIMBS, TELLING_ANSWERS

STANDSTILL_S, LONG_GAP = 15.0, 4.0
"""Nothing of the run went on for so long, and for so many times as long as usual: what was before
says nothing of its pace."""
ENOUGH_S = 8.0
"""Two counts nearer than this say nothing of a pace."""
FEW_DONE = 5
LONG_S = 60.0
"""Fewer than these in a shorter time than that may be chance."""
PLENTY_DONE, PLENTY_S = 40, 10.0
"""So many in no shorter a time are a pace, whatever was before: a run may have begun slowly."""
BACKLOG_S = 5.0
"""A queue that has work for longer than this is not kept waiting by those below it."""
LEAST_BATCH = 0.1
"""Of its turnaround: a batch that should be back already may take so much longer."""


@dataclass(frozen=True, slots=True)
class PaceSample:
    """What a run had done at a moment, by queue; `ended` for jobs in a terminal state."""

    at: dt.datetime
    done: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkLeft:
    """What of a run is open, and what it has shown so far. `waiting` by queue: not begun or in
    flight; `batched` by queue: in batches at Claude. `climbed` by (from, to); `lane` as of the run;
    `turnaround_s` and `batch_age_s` (of the newest batch) in seconds."""

    ladder: Sequence[str]
    waiting: Mapping[str, int]
    batched: Mapping[str, int] = field(default_factory=dict)
    answered: Mapping[str, int] = field(default_factory=dict)
    started: Mapping[str, int] = field(default_factory=dict)
    climbed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    lane: str = "realtime"
    turnaround_s: float = 0.0
    batch_age_s: float = 0.0

    @property
    def open(self) -> int:
        """Jobs that have not ended."""
        return sum(self.waiting.values()) + sum(self.batched.values())


def paces(samples: Sequence[PaceSample]) -> dict[str, float]:
    """How many a second, by queue, since the run last stood still; nothing of a queue of which
    nothing can be told. `samples` in the order of their time, the last one of now."""
    since = _moving_since(samples)
    if len(since) < 2 or _between(since[0], since[-1]) < ENOUGH_S:
        return {}
    found = {queue: _pace(queue, since) for queue in since[-1].done}
    return {queue: pace for queue, pace in found.items() if pace is not None}


def _pace(queue: str, samples: Sequence[PaceSample]) -> float | None:
    """Over the shortest time back from now that says enough, or else over all of it. How the first
    few were done says nothing: they may have been let through one by one, on trial."""
    last, many, seconds = samples[-1], 0, 0.0
    for sample in reversed(samples[:-1]):
        before = sample.done.get(queue, 0)
        tried, held = before < FEW_DONE, seconds >= ENOUGH_S and many >= FEW_DONE
        if tried and (held or _between(samples[0], last) < LONG_S):
            break
        many, seconds = last.done[queue] - before, _between(sample, last)
        if many >= PLENTY_DONE and seconds >= PLENTY_S:
            break
    enough = (many >= FEW_DONE and seconds >= ENOUGH_S) or (many > 0 and seconds >= LONG_S)
    return many / seconds if enough else None


def stands_still(samples: Sequence[PaceSample]) -> bool:
    """Whether nothing of the run has changed for a minute."""
    recent = [s for s in samples if _between(s, samples[-1]) <= 1.1 * LONG_S]
    return _between(recent[0], recent[-1]) >= 0.9 * LONG_S and all(
        sample.done == recent[-1].done for sample in recent
    )


def _moving_since(samples: Sequence[PaceSample]) -> Sequence[PaceSample]:
    """The samples after the last standstill, from the last one that saw it."""
    if len(samples) < 2:
        return samples
    moved = [n for n in range(1, len(samples)) if samples[n].done != samples[n - 1].done]
    places = [0, *moved, len(samples) - 1]
    gaps = [_between(samples[a], samples[b]) for a, b in pairwise(places)]
    usual = (sum(gaps) - max(gaps)) / max(len(gaps) - 1, 1)
    begin = 0
    for end, gap in zip(places[1:], gaps, strict=True):
        if gap >= max(STANDSTILL_S, LONG_GAP * usual):
            begin = end - 1 if end in moved else end
    return samples[begin:]


def _between(earlier: PaceSample, later: PaceSample) -> float:
    return (later.at - earlier.at).total_seconds()


def seconds_left(left: WorkLeft, a_second: Mapping[str, float], ended: str) -> float | None:
    """Until the run is done; None when no pace tells. `ended` is the key of jobs that ended."""
    if not left.open:
        return 0.0
    work = expected_work(left)
    overall = a_second.get(ended, 0.0)
    needed = [_batch_seconds(left, work)]
    for queue, waiting in left.waiting.items() if left.lane != "batch" else ():
        pace = a_second.get(queue, 0.0)
        if pace > 0:
            needed.append(_queue_seconds(left, work.get(queue, 0.0), waiting, pace, overall))
        elif waiting > FEW_DONE and left.answered.get(queue, 0):
            return None
        elif waiting and overall > 0:
            needed.append(left.open / overall)
        elif waiting:
            return None
    return max(needed)


def _queue_seconds(left: WorkLeft, work: float, waiting: int, pace: float, overall: float) -> float:
    """Of one queue, at its pace and the run's. In the mixed lane, what climbs goes in batches."""
    if waiting > FEW_DONE and waiting / pace > BACKLOG_S:
        return (work if left.lane != "mixed" else waiting) / pace
    own = waiting / pace
    return min(own, left.open / overall) if overall > 0 else own


def expected_work(left: WorkLeft) -> dict[str, float]:
    """Answers that each queue still has to give: what is there, and what will come from below."""
    unrouted = left.waiting.get(ROUTING, 0) + left.batched.get(ROUTING, 0)
    work = {ROUTING: float(unrouted)}
    begun = sum(left.started.values())
    for place, tier in enumerate(left.ladder):
        share = left.started.get(tier, 0) / begun if begun else float(place == 0)
        work[tier] = left.waiting.get(tier, 0) + left.batched.get(tier, 0) + unrouted * share
        for lower in left.ladder[:place]:
            work[tier] += work[lower] * climbing(left, lower, tier)
    return {queue: jobs for queue, jobs in work.items() if jobs >= 1}


def climbing(left: WorkLeft, lower: str, tier: str) -> float:
    """The share of a tier's answers that climb to another one: the run's own once it says enough,
    and what is usual until then."""
    answered = left.answered.get(lower, 0)
    if answered >= TELLING_ANSWERS:
        return left.climbed.get((lower, tier), 0) / answered
    place = left.ladder.index(lower) + 1
    return CLIMBS if place < len(left.ladder) and left.ladder[place] == tier else 0.0


def _batch_seconds(left: WorkLeft, work: Mapping[str, float]) -> float:
    """What is at Claude comes back after the turnaround; each rung above is a batch more."""
    if left.lane == "realtime":
        return 0.0
    places = [ROUTING, *left.ladder]
    at_claude = [place for place, queue in enumerate(places) if left.batched.get(queue, 0)]
    unsent = [
        place
        for place, queue in enumerate(places)
        if left.lane == "batch" and left.waiting.get(queue, 0)
    ]
    if not at_claude and not unsent:
        return 0.0
    first = left.turnaround_s
    if at_claude and not unsent:
        # One that should be back already may take as long again as it is late.
        late = left.batch_age_s - left.turnaround_s
        first = max(abs(late), LEAST_BATCH * left.turnaround_s)
    lowest = min(at_claude + unsent)
    above = sum(queue in work for queue in places[lowest + 1 :])
    return first + above * left.turnaround_s
