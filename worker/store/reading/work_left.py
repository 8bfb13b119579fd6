"""What is left to do of a run: what a forecast goes by."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from models.vocabulary import PERSON, ROUTING
from worker.domain.completion import WorkLeft
from worker.store.queue.leaving_batch import turnaround_s
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.screens import ClimbCount
from worker.store.reading.status import (
    batches_of,
)
from worker.store.reading.surrounding import Surrounding


def work_left(
    connection: Connection,
    run: RunStanding,
    around: Surrounding,
    counts: Mapping[tuple[str, str], int],
    steps: Sequence[ClimbCount],
    done: Mapping[str, int],
) -> WorkLeft:
    """What a forecast goes by, from what `counts_of`, `escalations_of` and `done_of` say of the
    run."""
    ladder = [line.queue for line in around.queues if line.queue != ROUTING]
    climbed: Counter[tuple[str, str]] = Counter()
    for step in steps:
        climbed[step.from_tier, step.to_tier] += step.escalations
    batched = {q: counts.get(("submitted", _tier(q)), 0) for q in (ROUTING, *ladder)}
    ages = batches_of(connection, run.id) if any(batched.values()) else []
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
        batch_age_s=min((batch.age_s for batch in ages), default=0.0),
    )


def _tier(queue: str) -> str:
    """As the counters name it: what is not routed yet has none."""
    return "" if queue == ROUTING else queue


def _started(tier: str, here: Mapping[str, int], climbed: Mapping[tuple[str, str], int]) -> int:
    """Jobs that routing sent to a tier: what is or ended there, less who came, and who left."""
    came = sum(jobs for (_, to), jobs in climbed.items() if to == tier)
    left = sum(jobs for (at, to), jobs in climbed.items() if at == tier and to != PERSON)
    return max(here.get(tier, 0) - came + left, 0)
