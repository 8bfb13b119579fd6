"""Two runs on the same messages, side by side: outcome, tier, confidence, cost, and a sentence."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from models.vocabulary import JobState
from worker.domain.paired import (
    PairedDifference,
    money_words,
    paired_mean,
    paired_share,
    share_words,
)
from worker.domain.run_diff import Pair, Side
from worker.domain.wording import plural


class Verdicts(Protocol):
    """What people said of both answers to a message."""

    @property
    def pairs(self) -> int:
        """Judged pairs."""

    @property
    def only_a(self) -> int:
        """Right in A alone."""

    @property
    def only_b(self) -> int:
        """Right in B alone."""

    @property
    def both(self) -> int:
        """Right in both."""


@dataclass(slots=True, kw_only=True)
class SideSums:
    """What one side came to."""

    run: str
    answered: int = 0
    cost: Decimal = Decimal(0)
    tiers: Counter[str] = field(default_factory=Counter)
    rungs: dict[str, int] = field(default_factory=dict)
    confident: Decimal = Decimal(0)
    rated: int = 0

    def add(self, side: Side) -> None:
        """One more message."""
        self.cost += side.cost
        if side.state != JobState.ANSWERED:
            return
        self.answered += 1
        self.tiers[side.tier or ""] += 1
        self.rungs[side.tier or ""] = side.rung
        if side.confidence is not None:
            self.confident, self.rated = self.confident + side.confidence, self.rated + 1

    @property
    def by_tier(self) -> dict[str, int]:
        """Answers by tier, as its ladder has them."""
        return {tier: self.tiers[tier] for tier in sorted(self.rungs, key=self.rungs.__getitem__)}

    @property
    def confidence(self) -> Decimal | None:
        """Its mean, of the answers that have one."""
        return self.confident / self.rated if self.rated else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """Over the messages that have ended in both."""

    a: SideSums
    b: SideSums
    messages: int
    unfinished: int
    answered: PairedDifference | None
    cost: PairedDifference | None
    right: PairedDifference | None
    verdicts: Verdicts
    simulated: bool

    @property
    def sentence(self) -> str:
        """What may be said of it."""
        a, b = self.a.run, self.b.run
        if self.answered is None:
            return "Nothing has ended in both, so nothing can be said."
        parts = [share_words(self.answered, b, "needs no person", a)]
        if self.cost is not None:
            parts.append(money_words(self.cost, b, a))
        if self.right is not None:
            parts.append(f"judged blind, {share_words(self.right, b, 'is right', a)}")
        words = f"On {plural(self.messages, 'message')}, {'; '.join(parts)}."
        if self.right is None:
            words += " Which answers are better nobody has judged."
        return words + (" Claude was simulated: this says nothing of real answers."
                        if self.simulated else "")  # fmt: skip

    @property
    def right_of(self) -> tuple[int, int]:
        """Answers of each that people found right, among the judged pairs."""
        found = self.verdicts
        return found.both + found.only_a, found.both + found.only_b

    @property
    def neither(self) -> int:
        """Judged pairs of which no answer is right."""
        found = self.verdicts
        return found.pairs - found.both - found.only_a - found.only_b

    @property
    def tiers(self) -> list[str]:
        """Those of both, from the ground up."""
        rungs = self.a.rungs | self.b.rungs
        return sorted(rungs, key=lambda tier: (rungs[tier], tier))

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "messages": self.messages,
            "unfinished": self.unfinished,
            "a": _side_document(self.a),
            "b": _side_document(self.b),
            "answered": _difference(self.answered),
            "cost_usd": _difference(self.cost),
            "right": _difference(self.right),
            "judged": self.verdicts.pairs,
            "verdicts": {
                "both": self.verdicts.both,
                "only_a": self.verdicts.only_a,
                "only_b": self.verdicts.only_b,
                "neither": self.neither,
            },
            "simulated": self.simulated,
            "sentence": self.sentence,
        }


def side_by_side(
    pairs: Iterable[Pair], verdicts: Verdicts, names: tuple[str, str], *, simulated: bool
) -> SideBySide:
    """Sums up pairs of two runs."""
    a, b = SideSums(run=names[0]), SideSums(run=names[1])
    costs, unfinished, only = list[Decimal](), 0, Counter[str]()
    for pair in pairs:
        if pair.a is None or pair.b is None or pair.unfinished:
            unfinished += 1
            continue
        a.add(pair.a)
        b.add(pair.b)
        costs.append(pair.b.cost - pair.a.cost)
        ended = pair.a.state == JobState.ANSWERED, pair.b.state == JobState.ANSWERED
        only.update({"a": ended == (True, False), "b": ended == (False, True)})
    return SideBySide(
        a=a,
        b=b,
        messages=len(costs),
        unfinished=unfinished,
        answered=paired_share(len(costs), only["a"], only["b"]),
        cost=paired_mean(costs),
        right=paired_share(verdicts.pairs, verdicts.only_a, verdicts.only_b),
        verdicts=verdicts,
        simulated=simulated,
    )


def _side_document(side: SideSums) -> dict[str, Any]:
    return {
        "run": side.run,
        "answered": side.answered,
        "by_tier": side.by_tier,
        "confidence": side.confidence,
        "cost_usd": side.cost,
    }


def _difference(found: PairedDifference | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {"pairs": found.pairs, "b_less_a": found.value, "low": found.low, "high": found.high}
