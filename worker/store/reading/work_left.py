"""What is left to do of a run, and how long that takes: what a forecast goes by."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from models.vocabulary import PERSON, ROUTING
from worker.domain.completion import WorkLeft, seconds_left
from worker.store.queue.leaving_batch import turnaround_s
from worker.store.queue.paces import ENDED
from worker.store.reading.batches import OpenBatch, batches_of
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.screens import ClimbCount
from worker.store.reading.surrounding import Surrounding


def work_left(
    connection: Connection,
    run: RunStanding,
    around: Surrounding,
    counts: Mapping[tuple[str, str], int],
    steps: Sequence[ClimbCount],
    done: Mapping[str, int],
    batches: Sequence[OpenBatch] | None = None,
) -> WorkLeft:
    """What a forecast goes by, from what `counts_of`, `escalations_of` and `done_of` say of the
    run; `batches` as `batches_of` has them, where the caller has read them already."""
    ladder = _ladder(run, around, counts)
    climbed: Counter[tuple[str, str]] = Counter()
    for step in steps:
        climbed[step.from_tier, step.to_tier] += step.escalations
    batched = {q: counts.get(("submitted", _tier(q)), 0) for q in (ROUTING, *ladder)}
    if batches is None:
        batches = batches_of(connection, run) if any(batched.values()) else []
    here: Counter[str] = Counter()
    for (_, tier), jobs in counts.items():
        here[tier] += jobs
    return WorkLeft(
        ladder=ladder,
        waiting={
            queue: counts.get(("queued" if queue == ROUTING else "routed", _tier(queue)), 0)
            for queue in (ROUTING, *ladder)
        },
        batched=batched,
        answered={tier: done.get(tier, 0) for tier in ladder},
        started={tier: _started(tier, here, climbed) for tier in ladder},
        climbed=climbed,
        lane=run.lane,
        turnaround_s=(
            turnaround_s(connection, around.assumed_turnaround_s) if run.lane != "realtime" else 0
        ),
        batch_age_s=min((batch.age_s for batch in batches), default=0.0),
    )


def _ladder(
    run: RunStanding, around: Surrounding, counts: Mapping[tuple[str, str], int]
) -> list[str]:
    """Its policy's tiers, and those where any of its jobs are all the same: nothing climbs to, or
    waits a turnaround for, a tier that the policy does not ask."""
    own = {*run.ladder, *(tier for _, tier in counts)} if run.ladder else None
    tiers = [line.queue for line in around.queues if line.queue != ROUTING]
    return [tier for tier in tiers if own is None or tier in own]


def forecast(
    run: RunStanding, left: WorkLeft, a_second: Mapping[str, float]
) -> tuple[float | None, bool]:
    """Seconds until a run is done (None: nobody knows yet), and whether it will leave the batch
    lane before that: where batches alone would miss its deadline, they are not what it goes by.
    With nothing at Claude any more it goes by what it does in the realtime lane."""
    needed = seconds_left(left, a_second, ENDED)
    if run.deadline is None or run.lane == "realtime" or needed is None:
        return needed, False
    if run.now + dt.timedelta(seconds=needed) <= run.deadline:
        return needed, False
    if any(left.batched.values()):
        return None, True
    at_once = seconds_left(replace(left, lane="realtime"), a_second, ENDED)
    return at_once, at_once is None


def _tier(queue: str) -> str:
    """As the counters name it: what is not routed yet has none."""
    return "" if queue == ROUTING else queue


def _started(tier: str, here: Mapping[str, int], climbed: Mapping[tuple[str, str], int]) -> int:
    """Jobs that routing sent to a tier: what is or ended there, less who came, and who left."""
    came = sum(jobs for (_, to), jobs in climbed.items() if to == tier)
    left = sum(jobs for (at, to), jobs in climbed.items() if at == tier and to != PERSON)
    return max(here.get(tier, 0) - came + left, 0)
