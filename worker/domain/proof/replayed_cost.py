"""What a recorded message would have cost under a policy: its own answers where they are recorded,
the means of their tier where they are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from worker.domain.proof.changed_decisions import RecordedAnswer, passes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedJob:
    """A finished job as it was answered: dollars at realtime prices. `routing` is what came before
    the first answer; `costs` are, by fence, those of its answers."""

    stratum: str
    day: str
    start: str
    routing: float
    answers: Sequence[RecordedAnswer]
    costs: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class TierMeans:
    """Of a tier's recorded answers: dollars each, and the share that passes at a threshold."""

    cost: float
    passes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedCost:
    """Expected dollars at realtime prices, those for the first rung and for what climbs apart, and
    the probability that it ends with a person."""

    first: float
    climbs: float
    person: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladderlike:
    """What of a policy decides cost: tiers in order, thresholds (None: no confidence is asked for)
    and whether the top's last answer goes to a person when it does not pass. `standards` are what a
    certificate asks for beside them, of the tier that it is about."""

    ladder: Sequence[str]
    thresholds: Mapping[str, float | None]
    standards: Mapping[str, float] = field(default_factory=dict)
    means: Mapping[str, TierMeans] = field(default_factory=dict)


def replayed(job: RecordedJob, policy: Ladderlike) -> ReplayedCost:
    """The job under the policy."""
    latest = {a.tier: a for a in sorted(job.answers, key=lambda answer: answer.fence)}
    start = job.start if job.start in policy.ladder else policy.ladder[0]
    reach, first, climbs = 1.0, job.routing, 0.0
    for place, tier in enumerate(policy.ladder[policy.ladder.index(start) :]):
        answer = latest.get(tier)
        means = policy.means.get(tier, TierMeans(0.0, 1.0))
        cost = job.costs.get(answer.fence, means.cost) if answer is not None else means.cost
        if place:
            climbs += reach * cost
        else:
            first += reach * cost
        if answer is None:
            reach *= 1 - means.passes
        elif passes(answer, policy.thresholds.get(tier), policy.standards.get(tier)):
            reach = 0.0
        if not reach:
            break
    return ReplayedCost(first=first, climbs=climbs, person=reach)


def tier_means(
    jobs: Sequence[RecordedJob],
    thresholds: Mapping[str, float | None],
    standards: Mapping[str, float],
) -> dict[str, TierMeans]:
    """Means over everything recorded, at these thresholds and standards."""
    sums: dict[str, list[float]] = {}
    for job in jobs:
        for answer in job.answers:
            one = sums.setdefault(answer.tier, [0.0, 0.0, 0.0])
            one[0] += job.costs.get(answer.fence, 0.0)
            one[1] += passes(answer, thresholds.get(answer.tier), standards.get(answer.tier))
            one[2] += 1
    return {tier: TierMeans(one[0] / one[2], one[1] / one[2]) for tier, one in sums.items()}
