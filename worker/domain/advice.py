"""The honest question: does this pipeline pay at all?

Advice rests on recorded runs and says on how many messages. Thresholds are stated beside each
piece of advice, so that whoever disagrees knows with what.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from worker.domain.advice_facts import Facts, RungFacts
from worker.domain.proof.exact_tails import lower_bound, upper_bound
from worker.domain.proof.tier_skip import Hop
from worker.domain.shadow_advice import lower_starts, tier_quality
from worker.domain.wording import dollars, percent

LOW_VOLUME = 500
"""Messages a day below which the saving hardly pays for looking after a pipeline."""
SMALL_SAVING_USD = Decimal(1)
"""Dollars a day: the same."""
UNIFORMLY_HARD = Decimal("0.5")
"""Share that climbs from where it started, above which starting there is mostly a detour."""
MOSTLY_TOP = Decimal("0.7")
"""Share that ends on the top rung, above which the rungs below are mostly a detour."""
FEW = 100
"""Messages below which no advice is worth much."""
SLOW_FACTOR = Decimal(2)
"""A climbed answer takes this many times as long as a direct one would."""


LEVEL = 0.05
"""What an interval of a sample leaves on both sides together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One finding: good news or bad, in a sentence, and the figures that it rests on."""

    pays: bool
    topic: str
    sentence: str
    figures: str


def advise(facts: Facts) -> list[Advice]:
    """Everything worth saying; the verdict on the whole comes first."""
    if facts.messages < FEW:
        return [
            Advice(
                pays=False,
                topic="evidence",
                sentence=f"Too few messages to say anything: run at least {FEW}.",
                figures=f"{facts.messages} messages",
            )
        ]
    return [
        *_verdict(facts),
        *_volume(facts),
        *_hardness(facts),
        *_rungs(facts),
        *_latency(facts),
        *_shadows(facts),
    ]


def _verdict(facts: Facts) -> Iterator[Advice]:
    if facts.all_on_top is None or not facts.all_on_top:
        yield Advice(
            pays=False,
            topic="price",
            sentence="The top tier has no price, so nothing can be compared.",
            figures="–",
        )
        return
    saved = facts.all_on_top - facts.total
    share = saved / facts.all_on_top
    figures = (
        f"{dollars(facts.total)} against {dollars(facts.all_on_top)} all on the top tier,"
        f" for {facts.basis}"
    )
    if saved > 0:
        yield Advice(
            pays=True,
            topic="saving",
            sentence=f"The pipeline saves {percent(share)} of the model bill.",
            figures=figures,
        )
    else:
        sentence = "The pipeline costs more than sending everything to the top tier: do that."
        yield Advice(pays=False, topic="saving", sentence=sentence, figures=figures)


def _volume(facts: Facts) -> Iterator[Advice]:
    per_day = facts.messages / max(facts.days, 1)
    saved = ((facts.all_on_top or Decimal(0)) - facts.total) / max(facts.days, 1)
    figures = (
        f"{per_day:,.0f} messages and {dollars(saved)} saved a day,"
        f" over {facts.days} {'day' if facts.days == 1 else 'days'}"
    )
    if per_day < LOW_VOLUME or saved < SMALL_SAVING_USD:
        yield Advice(
            pays=False,
            topic="volume",
            sentence="At this volume one model for everything is cheaper to look after: what is"
            f" saved is below {dollars(SMALL_SAVING_USD)} a day or the volume below {LOW_VOLUME}"
            " messages.",
            figures=figures,
        )


def _hardness(facts: Facts) -> Iterator[Advice]:
    if Decimal(facts.climbed) / max(facts.seen, 1) > UNIFORMLY_HARD:
        yield Advice(
            pays=False,
            topic="hardness",
            sentence="Most messages do not stop where they start: start them higher"
            " (start.otherwise, or rules), or use one tier.",
            figures=f"{_share(facts.climbed, facts.seen, facts)} of {facts.seen:,} messages climbed"
            " at least one rung",
        )
    top = Decimal(facts.on_top) / facts.messages
    if top > MOSTLY_TOP and len(facts.rungs) > 1:
        yield Advice(
            pays=False,
            topic="top",
            sentence="The messages are uniformly hard: most end on the top tier whatever is tried"
            " before. Send everything there (policy single:TIER), and look again when they change.",
            figures=(
                f"{percent(top)} of {facts.messages:,} messages ended on {facts.rungs[-1].tier}"
            ),
        )


def _rungs(facts: Facts) -> Iterator[Advice]:
    """A rung pays when what it accepts would have cost more above than its own attempts cost. The
    bottom is judged by all that came to it; a rung above by those who climbed, for what starts
    there says nothing of them."""
    for place, rung in enumerate(facts.rungs):
        if rung.next_cost is None:
            continue
        if place and rung.hops:
            yield from _hop(rung, facts)
            continue
        if rung.tried < FEW:
            continue
        needed = rung.mean_cost / rung.next_cost if rung.next_cost else Decimal(1)
        pays = rung.resolves > needed
        figures = (
            f"{_share(rung.accepted, rung.tried, facts)} of {rung.tried:,} messages accepted,"
            f" {percent(needed)} needed to pay" + _quality(facts, rung.tier)
        )
        yield _worth(rung.tier, pays, figures)


def _hop(rung: RungFacts, facts: Facts) -> Iterator[Advice]:
    """By those who climbed: first all, then each segment where the advice is another."""
    whole, *parts = rung.hops
    if whole.climbs.climbed < FEW:
        return
    yield _worth(rung.tier, whole.pays, _hop_figures(whole) + _quality(facts, rung.tier))
    for hop in parts:
        if hop.sure and hop.pays is not whole.pays:
            topic = f"rung {rung.tier} for {hop.segment or 'the rest'}"
            word = "earns its place" if hop.pays else "does not earn its place"
            sentence = f"For {hop.segment or 'the rest'}, {rung.tier} {word}."
            yield Advice(pays=hop.pays, topic=topic, sentence=sentence, figures=_hop_figures(hop))


def _hop_figures(hop: Hop) -> str:
    return (
        f"{percent(hop.climbs.accepted / max(hop.climbs.climbed, 1))} of {hop.climbs.climbed:,}"
        f" that climbed accepted, {percent(hop.needed)} needed to pay; the hop saves"
        f" {dollars(hop.gain)} a climbed message ({dollars(hop.low)} to {dollars(hop.high)}),"
        f" and this advice costs at most {dollars(hop.regret)} if it is wrong"
    )


def _quality(facts: Facts, tier: str) -> str:
    """Accepted is not right: what people found stands beside it, or that nobody has looked."""
    seen = facts.quality.get(tier)
    if seen is None or not seen.judged:
        return "; nobody has judged whether they are right (rung audit)"
    at_least = 1 - upper_bound(seen.judged - seen.right, seen.judged, 0.05)
    return f"; {seen.right} of {seen.judged} judged were right (at least {percent(at_least)})"


def _share(part: int, whole: int, facts: Facts) -> str:
    """A share in percent; where not all messages were looked at, with what it may be of all."""
    said = percent(Decimal(part) / max(whole, 1))
    if facts.looked_at is None:
        return said
    low, high = (bound(part, whole, LEVEL / 2) for bound in (lower_bound, upper_bound))
    return f"{said} ({percent(low, 1)} to {percent(high, 1)})"


def _worth(tier: str, pays: bool, figures: str) -> Advice:
    if pays:
        return Advice(
            pays=True, topic=f"rung {tier}", sentence=f"{tier} earns its place.", figures=figures
        )
    sentence = f"{tier} accepts too little to be worth the hop: leave it out."
    return Advice(pays=False, topic=f"rung {tier}", sentence=sentence, figures=figures)


def _shadows(facts: Facts) -> Iterator[Advice]:
    """What nobody would know without asking more than was needed."""
    for topic, sentence, figures in lower_starts(facts.shadows):
        yield Advice(pays=False, topic=topic, sentence=sentence, figures=figures)
    if (said := tier_quality(facts.shadows)) is not None:
        pays, sentence, figures = said
        yield Advice(pays=pays, topic="quality", sentence=sentence, figures=figures)


def _latency(facts: Facts) -> Iterator[Advice]:
    if not facts.climbed or not facts.rungs:
        return
    direct = facts.rungs[-1].seconds
    climbed = sum((rung.seconds for rung in facts.rungs), Decimal(0))
    if direct and climbed / direct > SLOW_FACTOR:
        yield Advice(
            pays=False,
            topic="latency",
            sentence="Where somebody waits for the answer, send it straight to the top tier: a"
            " message that climbs the whole ladder waits for every rung.",
            figures=f"{climbed:.1f} s for all rungs in turn, {direct:.1f} s on the top one alone,"
            f" waiting in line aside; {facts.climbed:,} of {facts.seen:,} messages climbed",
        )
