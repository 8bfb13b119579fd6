"""What shadows add to advice: how often each tier is right on the same messages, and whether what
starts higher might start lower."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from worker.domain.proof.exact_tails import lower_bound, upper_bound
from worker.domain.proof.tier_skip import Hop
from worker.domain.wording import dollars, listed, percent

FEW_SHADOWS = 30
"""Shadows below which nothing is said of them."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Quality:
    """What people found of answers: so many of those judged were right."""

    right: int
    judged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LowerStart:
    """Messages that started at `start`, of which the rung `below` was asked as well: its hops as if
    they had started there, for all of them first, then by segment."""

    start: str
    below: str
    hops: Sequence[Hop]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowFacts:
    """Of messages that every tier was asked about: what people found, by tier in the order of the
    ladder, and what would have come of starting lower."""

    quality: Mapping[str, Quality] = field(default_factory=dict)
    lower: Sequence[LowerStart] = ()


def tier_quality(facts: ShadowFacts) -> tuple[bool, str, str] | None:
    """Whether the cheapest tier is right as often as any, in a sentence with its figures; None
    while too few were judged to compare tiers."""
    known = {tier: q for tier, q in facts.quality.items() if q.judged >= FEW_SHADOWS}
    if len(known) < 2:
        return None
    figures = "; ".join(
        f"{tier} {q.right} of {q.judged} ({_between(q)})" for tier, q in known.items()
    )
    shares = {tier: q.right / q.judged for tier, q in known.items()}
    said = listed([f"{tier} {percent(share)}" for tier, share in shares.items()])
    sentence = (
        f"Of messages that every tier was asked about, so many were answered rightly: {said}."
    )
    return next(iter(shares.values())) >= max(shares.values()), sentence, figures


def _between(one: Quality) -> str:
    wrong = one.judged - one.right
    low = 1 - upper_bound(wrong, one.judged, LEVEL / 2)
    high = 1 - lower_bound(wrong, one.judged, LEVEL / 2)
    return f"{percent(low)} to {percent(high)}"


def lower_starts(facts: ShadowFacts) -> Iterator[tuple[str, str, str]]:
    """Topic, sentence and figures, where starting lower surely pays: for all that start at a tier,
    or for those segments alone of which it is sure."""
    for one in facts.lower:
        whole, *parts = one.hops
        for hop in [whole] if _pays(whole) else [part for part in parts if _pays(part)]:
            what = f"what starts at {one.start}" + (f" ({hop.segment})" if hop.segment else "")
            accepted = hop.climbs.accepted / hop.climbs.climbed
            yield (
                f"start {one.below} for {one.start}" + (f" {hop.segment}" if hop.segment else ""),
                f"Start {what} at {one.below}.",
                f"{percent(accepted)} of {hop.climbs.climbed:,} shadows would have been accepted"
                f" there, {percent(hop.needed)} needed to pay; it saves"
                f" {dollars(hop.gain)} a message ({dollars(hop.low)} to {dollars(hop.high)})",
            )


def _pays(hop: Hop) -> bool:
    return hop.climbs.climbed >= FEW_SHADOWS and hop.low > 0
