"""What keeps a run from its end: a queue that stands still, in which its messages wait, or to which
they will come. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from models.vocabulary import OPEN_STATES, ROUTING
from worker.domain.trials import tried_words
from worker.domain.wording import clock, count
from worker.store.reading.status import QueueStanding

LONG_HOLD_S = 60.0
SURE_TO_COME = 3.0
"""Where so many are expected to climb or to be routed to a queue, one does in 95 of 100 runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """What has no end before it is lifted, in words; `until` is when that is, where it is known,
    and `queue` what stands still, if it is not all of them."""

    words: str = ""
    until: dt.datetime | None = None
    queue: str = ""
    calm: bool = False
    """Whether it is lifted by what is under way anyhow, as a trial is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCome:
    """What is expected of a run: `work`, answers that each queue still has to give, and `left_s`,
    the seconds that all of it takes if nothing stands still (None: nobody knows yet)."""

    work: Mapping[str, float]
    left_s: float | None


NOT_BLOCKED = Blocked()
NOTHING_TO_COME = ToCome(work={}, left_s=None)


def blocked(
    counts: Mapping[tuple[str, str], int],
    queues: Sequence[QueueStanding],
    now: dt.datetime,
    in_flight: Mapping[str, int] = MappingProxyType({}),
    to_come: ToCome = NOTHING_TO_COME,
) -> Blocked:
    """The queue that stands still with the most messages of a run, whose jobs are given by (state,
    tier), those `in_flight` by queue; or else the one to which the most `to_come` will come.
    Nothing when none does."""
    left = sum(jobs for (state, _), jobs in counts.items() if state in OPEN_STATES)
    if left and not any(line.workers for line in queues):
        # Nor does anybody end what was in flight, or look at a batch.
        is_ = "is" if left == 1 else "are"
        return Blocked(words=f"not done before a worker is running: {count(left)} {is_} open")
    there, coming = [(0.0, NOT_BLOCKED)], [(0.0, NOT_BLOCKED)]
    for line in queues:
        if not (why := _stands_still(line, now)).words:
            continue
        state, tier = ("queued", "") if line.queue == ROUTING else ("routed", line.queue)
        waiting = counts.get((state, tier), 0) - in_flight.get(line.queue, 0)
        here = counts.get((state, tier), 0) + counts.get(("submitted", tier), 0)
        expected = to_come.work.get(line.queue, 0.0) - here
        before = f"not done before {line.queue} {why.words}"
        if waiting > 0:
            wait = f"{count(waiting)} {'waits' if waiting == 1 else 'wait'} there"
            words = f"{before}: {wait}"
            found = Blocked(words=words, until=why.until, queue=line.queue, calm=why.calm)
            there.append((waiting, found))
        elif expected >= SURE_TO_COME and _meets(why, to_come.left_s, now):
            come = f"about {count(expected)} will come there"
            coming.append(
                (expected, Blocked(words=f"{before}: {come}", until=why.until, queue=line.queue))
            )
    return max(there if len(there) > 1 else coming, key=lambda one: one[0])[1]


def _meets(why: Blocked, left_s: float | None, now: dt.datetime) -> bool:
    """Whether what comes to a queue later still finds it standing: one that goes on by itself
    before the run would be done in any case is no news, nor is a trial."""
    if why.calm:
        return False
    if why.until is None:
        return True
    return left_s is not None and why.until > now + dt.timedelta(seconds=left_s)


def _stands_still(line: QueueStanding, now: dt.datetime) -> Blocked:
    """What has to happen before the queue goes on."""
    if line.stands:
        return Blocked(words="is resumed")
    if line.breaker != "closed":  # Half-open, one call at a time tries whether it is well.
        return Blocked(words="answers again")
    if line.held_s > LONG_HOLD_S:
        until = now + dt.timedelta(seconds=line.held_s)
        words = f"may send again, at {clock(until, now)} (Claude asked for a pause)"
        return Blocked(words=words, until=until)
    if not line.workers:
        return Blocked(words="has a worker")
    if line.trial_good is not None:
        tried = tried_words(line.trial_good, line.trial_bad or 0)
        return Blocked(words=f"is through its trial ({tried})", calm=True)
    return NOT_BLOCKED
