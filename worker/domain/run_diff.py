"""What changed between two runs, message by message: counted first, then shown by examples.

Better and worse are said of outcomes only (`answered`, then `review`, then `dead`). A tier or a
confidence is lower or higher, and what that is worth is for people to judge.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from models.vocabulary import OPEN_STATES, JobState

RANK = {JobState.ANSWERED: 2, JobState.REVIEW: 1, JobState.DEAD: 0, JobState.CANCELLED: 0}
NOTABLE = Decimal("0.1")
"""A confidence that moved by at least so much is worth an example."""
KINDS = (
    "worse",
    "better",
    "other outcome",
    "higher tier",
    "lower tier",
    "lower confidence",
    "higher confidence",
)
"""Kinds of examples, the most interesting first; a message is an example of the first that fits."""


CountedStep = tuple[str, str, int]
"""What it was in A, what it is in B, and of how many messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A job as one run has it. `rung` is the place of its tier in that run's ladder, -1 where
    there is none."""

    job: int
    state: str
    tier: str | None
    rung: int
    confidence: Decimal | None
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A message in both runs, or in one of them."""

    source: str
    external_id: str
    a: Side | None
    b: Side | None
    same_reply: bool | None = None
    """None where not both have a reply."""

    @property
    def unfinished(self) -> bool:
        """Whether one of them is still being worked on."""
        return any(side is not None and side.state in OPEN_STATES for side in (self.a, self.b))


@dataclass(frozen=True, slots=True)
class Example:
    """A pair and the kind of change that it shows."""

    kind: str
    pair: Pair


@dataclass(slots=True)
class Mean:
    """A running mean."""

    total: Decimal = Decimal(0)
    count: int = 0

    def add(self, value: Decimal) -> None:
        """Takes a value in."""
        self.total, self.count = self.total + value, self.count + 1

    @property
    def value(self) -> Decimal | None:
        """None where nothing was added."""
        return self.total / self.count if self.count else None


@dataclass(slots=True, kw_only=True)
class RunComparison:
    """Counts over messages that are in both runs and finished in both, but for the first four."""

    both: int = 0
    only_a: int = 0
    only_b: int = 0
    unfinished: int = 0
    outcome: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    tier: Counter[str] = field(default_factory=Counter)
    tiers: Counter[tuple[str, str]] = field(default_factory=Counter)
    confidence: Counter[str] = field(default_factory=Counter)
    reply: Counter[str] = field(default_factory=Counter)
    cost: Counter[str] = field(default_factory=Counter)
    confidence_a: Mean = field(default_factory=Mean)
    confidence_b: Mean = field(default_factory=Mean)
    cost_a: Decimal = Decimal(0)
    cost_b: Decimal = Decimal(0)
    examples: dict[str, list[Pair]] = field(default_factory=dict)

    def add(self, pair: Pair, examples: int) -> None:
        """Takes a pair in, keeping it as an example where there is room for its kind."""
        a, b = pair.a, pair.b
        if a is None or b is None:
            self.only_a += b is None
            self.only_b += a is None
            return
        self.both += 1
        if pair.unfinished:
            self.unfinished += 1
            return
        self._count(pair, a, b)
        kind = kind_of(a, b)
        if kind is not None and len(self.examples.setdefault(kind, [])) < examples:
            self.examples[kind].append(pair)

    def _count(self, pair: Pair, a: Side, b: Side) -> None:
        self.outcome[outcome_of(a, b)] += 1
        self.outcomes[a.state, b.state] += 1
        self.tier[_moved(a.rung, b.rung)] += 1
        self.tiers[a.tier or "–", b.tier or "–"] += 1
        if a.confidence is None or b.confidence is None:
            self.confidence["unknown"] += 1
        else:
            self.confidence[_moved(a.confidence, b.confidence)] += 1
            self.confidence_a.add(a.confidence)
            self.confidence_b.add(b.confidence)
        if pair.same_reply is not None:
            self.reply["same" if pair.same_reply else "changed"] += 1
        self.cost[_moved(a.cost, b.cost)] += 1
        self.cost_a += a.cost
        self.cost_b += b.cost


def ordered(counted: Counter[tuple[str, str]]) -> list[CountedStep]:
    """Steps from one run to the other with their messages, the most frequent first."""
    return [
        (a, b, n) for (a, b), n in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]


def compare(pairs: Iterable[Pair], examples: int) -> RunComparison:
    """Counts all pairs; keeps at most `examples` of each kind."""
    comparison = RunComparison()
    for pair in pairs:
        comparison.add(pair, examples)
    return comparison


def outcome_of(a: Side, b: Side) -> str:
    """`same`, `better`, `worse`, or `other` (dead against cancelled)."""
    if a.state == b.state:
        return "same"
    before, after = RANK[JobState(a.state)], RANK[JobState(b.state)]
    return "other" if before == after else "better" if after > before else "worse"


def kind_of(a: Side, b: Side) -> str | None:
    """The first of `KINDS` that fits; None where nothing changed that is worth an example."""
    outcome = outcome_of(a, b)
    if outcome != "same":
        return "other outcome" if outcome == "other" else outcome
    if a.rung != b.rung:
        return f"{_moved(a.rung, b.rung)} tier"
    if a.confidence is None or b.confidence is None:
        return None
    if abs(a.confidence - b.confidence) >= NOTABLE:
        return f"{_moved(a.confidence, b.confidence)} confidence"
    return None


def _moved(a: Any, b: Any) -> str:
    return "same" if a == b else "higher" if b > a else "lower"


def examples_of(comparison: RunComparison) -> list[Example]:
    """All examples, the most interesting kinds first."""
    return [Example(kind, pair) for kind in KINDS for pair in comparison.examples.get(kind, ())]
