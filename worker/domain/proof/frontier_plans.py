"""The policies that a frontier compares, and all of them evaluated together."""

from collections.abc import Sequence
from dataclasses import replace

from worker.domain.proof.claims import stated
from worker.domain.proof.frontier import (
    Baseline,
    Plan,
    Point,
    Score,
    Step,
    as_it_ran,
    glimpses,
    point,
    point_of,
    walks,
)
from worker.domain.proof.graded import GradedMessage, split
from worker.domain.proof.outcome_model import guesses
from worker.domain.proof.unasked_costs import NO_PRICES, LanePrices, unasked_costs

THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
ROUTE_SHARES = (0.8, 0.9, 0.95)
"""A route sends a segment to the cheapest tier that is right on this share of it."""
PILOT_SHARE = 0.3
SALT = "rung route 1"
AS_IT_RAN = "as it ran"


def plans_for(messages: Sequence[GradedMessage], ladder: Sequence[str]) -> list[Plan]:
    """The usual ones. Routes learn from a part of the messages by hash."""
    pilot, _ = split(messages, PILOT_SHARE, SALT)
    routes = [route_plan(pilot, ladder, share) for share in ROUTE_SHARES]
    return [*standard_plans(ladder, THRESHOLDS), *(routes if len(ladder) > 1 else [])]


def parse_plan(words: str, ladder: Sequence[str]) -> Plan:
    """`haiku`, or `haiku@0.9>sonnet@0.8>opus`: each rung but the last with its threshold. Raises
    ValueError with a sentence."""
    steps = [_step(part.strip()) for part in words.split(">")]
    for step in steps:
        if step.tier not in ladder:
            raise ValueError(f"{step.tier!r} is no tier; there are {', '.join(ladder)}")
    rungs = [ladder.index(step.tier) for step in steps]
    if rungs != sorted(set(rungs)):
        raise ValueError(f"{words.strip()!r} does not climb")
    if any(step.threshold is None for step in steps[:-1]):
        raise ValueError(f"every rung but the last of {words.strip()!r} needs a threshold")
    if len(steps) == 1:
        return Plan(name=f"always {steps[0].tier}", steps=(Step(steps[0].tier),))
    return ladder_plan([s.tier for s in steps], [s.threshold or 0.0 for s in steps[:-1]])


def _step(part: str) -> Step:
    tier, at, number = part.partition("@")
    if not at:
        return Step(tier)
    try:
        threshold = float(number)
    except ValueError:
        raise ValueError(f"{number!r} is no threshold") from None
    if not 0 <= threshold <= 1:
        raise ValueError(f"a threshold of {number}: it must be from 0 to 1")
    return Step(tier, threshold)


def evaluate(
    messages: Sequence[GradedMessage],
    ladder: Sequence[str],
    plans: Sequence[Plan] | None = None,
    score: Score = stated,
    *,
    recorded: bool = False,
    prices: LanePrices = NO_PRICES,
) -> list[Point]:
    """Every plan's place on the frontier, the cheapest first, with what each saves against always
    the top tier. `recorded` messages were answered by a policy, which is shown as it ran. `prices`
    help to say what answers would have cost that nobody asked for."""
    costs = unasked_costs(messages, prices)
    guessed = guesses(messages, ladder)
    if not messages:
        return []
    always = Plan(name=f"always {ladder[-1]}", steps=(Step(ladder[-1]),))
    top = Baseline.of(glimpses(walks(messages, always, costs), guessed))
    bill = point(always, messages, top, costs, guessed).cost
    chosen = plans_for(messages, ladder) if plans is None else plans
    found = [point(plan, messages, top, costs, guessed, score) for plan in chosen]
    if recorded:
        ran = as_it_ran(messages, ladder)
        found.append(point_of(AS_IT_RAN, ran, glimpses(ran, guessed), top))
    saved = [replace(p, saved=float(1 - p.cost / bill) if bill else None) for p in found]
    return sorted(saved, key=lambda p: (p.cost, p.name))


def standard_plans(ladder: Sequence[str], thresholds: Sequence[float]) -> list[Plan]:
    """Always one tier, half and half at random, and ladders with each threshold: all rungs, and
    the bottom with the top alone."""
    plans = [Plan(name=f"always {tier}", steps=(Step(tier),)) for tier in ladder]
    bottom, top = ladder[0], ladder[-1]
    if bottom == top:
        return plans
    plans.append(
        Plan(
            name=f"random half {top}",
            steps=(Step(top),),
            by_segment=None,
            share=0.5,
            otherwise=(Step(bottom),),
        )
    )
    for rungs in dict.fromkeys((tuple(ladder), (bottom, top))):
        for threshold in thresholds:
            plans.append(ladder_plan(rungs, (threshold,) * (len(rungs) - 1)))
    return plans


def ladder_plan(rungs: Sequence[str], thresholds: Sequence[float]) -> Plan:
    """`haiku>opus 0.95`: each rung but the last with its threshold."""
    steps = [Step(tier, t) for tier, t in zip(rungs[:-1], thresholds, strict=True)]
    name = ">".join(rungs) + " " + "/".join(f"{t:.2f}" for t in thresholds)
    return Plan(name=name, steps=(*steps, Step(rungs[-1])))


def route_plan(pilot: Sequence[GradedMessage], ladder: Sequence[str], enough: float) -> Plan:
    """Each segment straight to the cheapest tier that is right on `enough` of it, before anything
    is asked; learned from `pilot`."""
    ways = {}
    for segment in sorted({message.segment for message in pilot}):
        own = [m for m in pilot if m.segment == segment]
        tier = next((t for t in ladder if _rate(own, t) >= enough), ladder[-1])
        ways[segment] = (Step(tier),)
    return Plan(name=f"route {enough:.2f}", steps=(Step(ladder[-1]),), by_segment=ways, routed=True)


def _rate(messages: Sequence[GradedMessage], tier: str) -> float:
    answers = [m.answers[tier].right for m in messages if tier in m.answers]
    known = [right for right in answers if right is not None]
    return sum(known) / len(known) if known else 0.0
