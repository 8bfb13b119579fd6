"""The frontier: what policies would cost and how often they would be right, on recorded outcomes.

A plan is replayed on every message: asked from its first rung on, taken at the first whose answer
is valid and whose score reaches the threshold, on the last rung in any case.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from models.vocabulary import PERSON
from worker.domain.proof.claims import stated
from worker.domain.proof.graded import GradedAnswer, GradedMessage
from worker.domain.proof.off_policy import LEVEL, Estimate, Glimpse, difference, estimate
from worker.domain.proof.quantiles import normal
from worker.domain.proof.unasked_costs import UnaskedCosts

NOTHING = Decimal(0)
Score = Callable[[GradedMessage, GradedAnswer], float]


@dataclass(frozen=True, slots=True)
class Step:
    """A rung of a plan; `threshold` None takes whatever it says."""

    tier: str
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A named way up the ladder. `by_segment` lets segments go ways of their own; `share` is the
    part of the messages, at random, that goes `steps` while the others go `otherwise`. A plan that
    is `routed` needs to know a message's segment first, which costs what its routing did."""

    name: str
    steps: tuple[Step, ...]
    by_segment: Mapping[str, tuple[Step, ...]] | None = None
    share: float = 1.0
    otherwise: tuple[Step, ...] = ()
    routed: bool = False

    def way(self, message: GradedMessage) -> tuple[Step, ...]:
        """The rungs in turn for this message."""
        return (self.by_segment or {}).get(message.segment, self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One message under a plan: dollars, whether the answer taken is right (None: not known), the
    probability that this would be known, and the tier it ended at."""

    cost: Decimal
    right: bool | None
    probability: float
    tier: str
    assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A plan on the frontier: dollars for all messages, quality as a share, and its distance to
    always the top tier. `assumed_costs` counts messages whose cost is partly inferred, for the rung
    was never asked. `ends` are messages by the tier they end at."""

    name: str
    cost: Decimal
    quality: Estimate
    against_top: Estimate
    ends: Mapping[str, float]
    assumed_costs: int
    cost_error: float
    """Were these messages a sample of more, the dollars of all would lie within this share of what
    the sample's say, 19 times in 20."""
    saved: float | None = None
    """Share of the bill of always the top tier; negative when it costs more."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What plans are compared with, message by message, and its mean."""

    glimpses: Sequence[Glimpse]
    quality: Estimate

    @classmethod
    def of(cls, found: Sequence[Glimpse]) -> "Baseline":
        """With its mean, made once for all plans."""
        return cls(found, estimate(found))


def walk(
    message: GradedMessage,
    steps: Sequence[Step],
    costs: UnaskedCosts,
    score: Score = stated,
    paid: Decimal = NOTHING,
) -> Walk:
    """The message under `steps`, with what was `paid` before. A rung that was never asked ends the
    walk in the dark: its cost is inferred, and nothing is known of its answer, which a shadow would
    have told. One hash draws everything of a message, so the walk is known with the least of its
    probabilities."""
    cost, seen = paid, 1.0
    for step in steps:
        answer = message.answered(step.tier)
        if answer is None:
            cost += costs.of(message, step.tier)
            return Walk(
                cost=cost,
                right=None,
                probability=min(seen, message.shadow),
                tier=step.tier,
                assumed=True,
            )
        cost, seen = cost + answer.cost, min(seen, answer.asked)
        last = step is steps[-1]
        if last or taken(message, answer, step, score):
            return Walk(
                cost=cost,
                right=answer.right,
                probability=min(seen, answer.probability),
                tier=step.tier,
            )
    raise ValueError("a plan without a rung")


def taken(message: GradedMessage, answer: GradedAnswer, step: Step, score: Score) -> bool:
    """Whether the rung's answer is good enough to stop at."""
    if step.threshold is None:
        return True
    return answer.valid and score(message, answer) >= step.threshold


def walks(
    messages: Sequence[GradedMessage],
    plan: Plan,
    costs: UnaskedCosts,
    score: Score = stated,
) -> list[Walk]:
    """Every message under the plan's first way."""
    return [
        walk(one, plan.way(one), costs, score, one.routing if plan.routed else NOTHING)
        for one in messages
    ]


def glimpses(found: Sequence[Walk], guesses: Sequence[Mapping[str, float]]) -> list[Glimpse]:
    """Walks as an estimate reads them; `guesses` are a model's, by tier."""
    return [
        Glimpse(
            None if w.right is None else float(w.right),
            w.probability,
            guess.get(w.tier, 0.5),
        )
        for w, guess in zip(found, guesses, strict=True)
    ]


def point(
    plan: Plan,
    messages: Sequence[GradedMessage],
    top: Baseline,
    costs: UnaskedCosts,
    guesses: Sequence[Mapping[str, float]],
    score: Score = stated,
) -> Point:
    """The plan's place; `top` is always the top tier, on the same messages."""
    found = walks(messages, plan, costs, score)
    seen = glimpses(found, guesses)
    if plan.share < 1:
        other = walks(messages, Plan(name="", steps=plan.otherwise), costs, score)
        part = Decimal(str(plan.share))
        paid = [a.cost * part + b.cost * (1 - part) for a, b in zip(found, other, strict=True)]
        seen = _blend(seen, glimpses(other, guesses), plan.share)
        mixed = point_of(plan.name, found, seen, top)
        return replace(mixed, cost=sum(paid, Decimal(0)), cost_error=_error_of(paid))
    return point_of(plan.name, found, seen, top)


def point_of(name: str, found: Sequence[Walk], seen: Sequence[Glimpse], top: Baseline) -> Point:
    """The place of walks that were made, or that really happened."""
    ends: dict[str, float] = {}
    for one in found:
        ends[one.tier] = ends.get(one.tier, 0.0) + 1 / len(found)
    quality = estimate(seen)
    return Point(
        name=name,
        cost=sum((w.cost for w in found), Decimal(0)),
        cost_error=_error_of([w.cost for w in found]),
        quality=quality,
        against_top=difference(seen, top.glimpses, (quality, top.quality)),
        ends=ends,
        assumed_costs=sum(w.assumed for w in found),
    )


def _error_of(costs: Sequence[Decimal]) -> float:
    """Half of the interval of their mean, as a share of it."""
    paid = list(map(float, costs))
    mean = math.fsum(paid) / len(paid)
    variance = math.fsum((one - mean) ** 2 for one in paid) / max(len(paid) - 1, 1) / len(paid)
    return normal((1 + LEVEL) / 2) * math.sqrt(variance) / mean if mean else 0.0


def of_all(points: Sequence[Point], messages: int, of: int) -> list[Point]:
    """Points of a sample of `messages`, with the dollars of all of which it is."""
    whole = Decimal(of) / max(messages, 1)
    return [replace(one, cost=one.cost * whole) for one in points]


def as_it_ran(messages: Sequence[GradedMessage], ladder: Sequence[str]) -> list[Walk]:
    """What happened: what routing cost and every answer that was needed, the last of which is what
    came of it. A message that went to a person unanswered has no right answer."""
    found = []
    for message in messages:
        answered = [(t, message.answers[t]) for t in ladder if t in message.answers]
        asked = [(t, a) for t, a in answered if a.asked >= 1]
        cost = sum((a.cost for _, a in asked), message.routing)
        if not asked:
            found.append(Walk(cost=cost, right=False, probability=1.0, tier=PERSON))
            continue
        tier, taken_one = asked[-1]
        found.append(
            Walk(cost=cost, right=taken_one.right, probability=taken_one.probability, tier=tier)
        )
    return found


def _blend(first: Sequence[Glimpse], second: Sequence[Glimpse], share: float) -> list[Glimpse]:
    """Outcomes of a random mixture: known where both are, with the smaller probability."""
    made = []
    for a, b in zip(first, second, strict=True):
        known = a.value is not None and b.value is not None
        value = share * (a.value or 0.0) + (1 - share) * (b.value or 0.0) if known else None
        guess = share * a.guess + (1 - share) * b.guess
        made.append(Glimpse(value, min(a.probability, b.probability), guess))
    return made
