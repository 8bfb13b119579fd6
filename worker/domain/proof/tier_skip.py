"""Whether a middle rung earns its hop: judged by those who *climbed* to it, with the regret of
being wrong.

Let p be the share of climbed messages that stop at the rung, c what an answer costs there and C
what it costs on the rung above. With the hop a message costs c + (1 - p) C, without it C: the hop
pays when p > c / C. Messages that started on the rung say nothing about p, for they are easier.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from worker.domain.proof.exact_tails import lower_bound, upper_bound

PSEUDO_CLIMBS = 10
"""A segment's share is drawn towards that of all segments as by this many climbs."""
LEVEL = 0.05
"""The interval leaves this much on both sides together."""


@dataclass(frozen=True, slots=True)
class Climbs:
    """Messages that climbed to a rung, and how many of their answers were accepted there."""

    climbed: int
    accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """The verdict on a rung for one segment (or all, named ""). Dollars a climbed message: `gain`
    is what the hop saves, with an interval; `regret` is the most that the advice may cost, at the
    bound where it is wrong."""

    segment: str
    climbs: Climbs
    share: float
    needed: float
    gain: float
    low: float
    high: float

    @property
    def pays(self) -> bool:
        """Whether to keep the rung."""
        return self.gain > 0

    @property
    def regret(self) -> float:
        """What following the advice may cost for each climbed message, at the most."""
        return max(0.0, -self.low if self.pays else self.high)

    @property
    def sure(self) -> bool:
        """Whether the whole interval is on one side."""
        return self.low > 0 or self.high < 0


def judge_hop(segment: str, climbs: Climbs, cost: float, above: float, prior: float) -> Hop:
    """The verdict: `cost` and `above` are dollars an answer of climbed messages here and on the
    next rung; `prior` is the share accepted over all segments."""
    share = (climbs.accepted + PSEUDO_CLIMBS * prior) / (climbs.climbed + PSEUDO_CLIMBS)
    worst = lower_bound(climbs.accepted, climbs.climbed, LEVEL / 2)
    best = upper_bound(climbs.accepted, climbs.climbed, LEVEL / 2)
    return Hop(
        segment=segment,
        climbs=climbs,
        share=share,
        needed=cost / above if above else 1.0,
        gain=share * above - cost,
        low=(worst if climbs.climbed else 0.0) * above - cost,
        high=best * above - cost,
    )


def judge_hops(by_segment: Mapping[str, Climbs], cost: float, above: float) -> list[Hop]:
    """All segments together first, then each, the one with the most to lose first."""
    every = Climbs(
        sum(one.climbed for one in by_segment.values()),
        sum(one.accepted for one in by_segment.values()),
    )
    prior = every.accepted / every.climbed if every.climbed else cost / above if above else 1.0
    whole = judge_hop("", every, cost, above, prior)
    parts = [judge_hop(name, one, cost, above, prior) for name, one in by_segment.items()]
    return [whole, *sorted(parts, key=lambda hop: (-hop.regret * hop.climbs.climbed, hop.segment))]
