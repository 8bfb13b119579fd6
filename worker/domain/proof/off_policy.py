"""What a policy that was not in force would have reached, from records of one that was.

An outcome is in the record with a known probability: certainly where the message climbed there, by
the draw of a shadow or an audit where it did not. Weighting by one over that probability
(Horvitz and Thompson 1952) is unbiased; a model of the outcome, corrected by the weighted errors
that it makes, is unbiased too and much narrower (doubly robust: Robins, Rotnitzky and Zhao 1994).
Where an outcome could never have been seen nothing identifies it: then there are bounds and no
point.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from worker.domain.proof.quantiles import normal
from worker.domain.wording import percent

LEVEL = 0.95
TOLD = 0.999
"""An interval as wide as that part of all that is possible tells nothing."""
FEW_SEEN = 20
"""Drawn outcomes below which the spread of their errors is not known well enough for a point."""


class Glimpse(NamedTuple):
    """One message's outcome: its value from 0 to 1 (None: not in the record), the probability that
    it would be in the record, and what a model that was not fitted on it expects. A tuple, for a
    frontier is made of twenty for each message."""

    value: float | None
    probability: float
    guess: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean with an interval; `point` is None where nothing identifies it, and the interval then
    is what is possible. `known` of `of` outcomes are in the record."""

    point: float | None
    low: float
    high: float
    known: int
    of: int

    def tells(self, widest: float = 1.0) -> bool:
        """Whether its interval says anything of what may lie `widest` apart: a share's ends lie 1
        apart, a difference's 2."""
        return self.high - self.low < TOLD * widest

    def between(self, *, signed: bool = False) -> str:
        """`90.1 % to 93.4 %`, a dash where it says nothing; of a difference with its sign."""
        if not self.tells(2.0 if signed else 1.0):
            return "–"
        sign = "+" if signed else ""
        return f"{percent(self.low, 1, sign)} to {percent(self.high, 1, sign)}"


def estimate(
    glimpses: Sequence[Glimpse], method: Callable[[Glimpse], float] | None = None
) -> Estimate:
    """The mean outcome: plain where all is known, doubly robust where the rest is known by a draw,
    bounds where it is not."""
    if any(g.probability <= 0 and g.value is None for g in glimpses) or _too_few(glimpses):
        return bounds(glimpses)
    return _mean([(method or doubly_robust)(g) for g in glimpses], glimpses)


def _too_few(glimpses: Sequence[Glimpse]) -> bool:
    hidden = any(g.value is None for g in glimpses)
    drawn = sum(g.value is not None and g.probability < 1 for g in glimpses)
    return not glimpses or (hidden and drawn < FEW_SEEN)


def doubly_robust(glimpse: Glimpse) -> float:
    """What one message adds: the model's guess, and its weighted error where that was seen."""
    if glimpse.value is None:
        return glimpse.guess
    return glimpse.guess + (glimpse.value - glimpse.guess) / glimpse.probability


def bounds(glimpses: Sequence[Glimpse]) -> Estimate:
    """The least and the most that the mean can be."""
    known = [g.value for g in glimpses if g.value is not None]
    of = len(glimpses)
    low = math.fsum(known) / of if of else 0.0
    high = low + (of - len(known)) / of if of else 1.0
    return Estimate(point=None, low=low, high=high, known=len(known), of=of)


def _mean(values: Sequence[float], glimpses: Sequence[Glimpse]) -> Estimate:
    of = len(values)
    mean = math.fsum(values) / of
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / max(of - 1, 1) / of)
    half = normal((1 + LEVEL) / 2) * spread
    return Estimate(
        point=min(max(mean, 0.0), 1.0),
        low=max(0.0, mean - half),
        high=min(1.0, mean + half),
        known=sum(g.value is not None for g in glimpses),
        of=of,
    )


def difference(
    first: Sequence[Glimpse],
    second: Sequence[Glimpse],
    means: tuple[Estimate, Estimate] | None = None,
) -> Estimate:
    """Mean of the first less mean of the second, message by message, so that what they share
    cancels. Bounds where either is not identified. `means` are their estimates, where they have
    been made."""
    ends = means or (estimate(first), estimate(second))
    known = sum(
        a.value is not None and b.value is not None for a, b in zip(first, second, strict=True)
    )
    if ends[0].point is None or ends[1].point is None:
        low, high = ends[0].low - ends[1].high, ends[0].high - ends[1].low
        return Estimate(point=None, low=low, high=high, known=known, of=len(first))
    gaps = [doubly_robust(a) - doubly_robust(b) for a, b in zip(first, second, strict=True)]
    mean = math.fsum(gaps) / len(gaps)
    variance = math.fsum((g - mean) ** 2 for g in gaps) / max(len(gaps) - 1, 1) / len(gaps)
    half = normal((1 + LEVEL) / 2) * math.sqrt(variance)
    return Estimate(point=mean, low=mean - half, high=mean + half, known=known, of=len(first))
