"""Two ways of answering the same messages: paired differences with their intervals, and what may be
said of them in a sentence.

Shares: Bonett and Price's interval for a difference of paired proportions (two are added to each
kind of pair in which the two differ), which holds its level down to a few dozen pairs. Money: the
mean of the differences, by its standard error.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from worker.domain.wording import dollars

Z = 1.959963985
"""Of the two-sided 95 % level."""
LEAST_PAIRS = 2
SMALLEST = 0.0001
"""Dollars for a thousand messages; what is written of less says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """B less A, over `pairs`, and the 95 % interval around it."""

    pairs: int
    value: float
    low: float
    high: float

    @property
    def shown(self) -> bool:
        """Whether the interval leaves out that there is no difference."""
        return self.low > 0 or self.high < 0


def paired_share(pairs: int, only_a: int, only_b: int) -> PairedDifference | None:
    """Of a share: `only_a` pairs had it in A alone. None without pairs."""
    if not pairs:
        return None
    total = pairs + 2
    a, b = (only_a + 1) / total, (only_b + 1) / total
    spread = Z * math.sqrt((a + b - (b - a) ** 2) / total)
    return PairedDifference(
        pairs=pairs,
        value=(only_b - only_a) / pairs,
        low=max(b - a - spread, -1),
        high=min(b - a + spread, 1),
    )


def paired_mean(differences: Sequence[Decimal | float]) -> PairedDifference | None:
    """Of an amount: B less A of each pair. None of fewer than two."""
    count = len(differences)
    if count < LEAST_PAIRS:
        return None
    values = [float(one) for one in differences]
    mean = math.fsum(values) / count
    variance = math.fsum((one - mean) ** 2 for one in values) / (count - 1)
    spread = Z * math.sqrt(variance / count)
    return PairedDifference(pairs=count, value=mean, low=mean - spread, high=mean + spread)


def share_words(found: PairedDifference, b: str, what: str, a: str) -> str:
    """`b` is right 7.5 points more often than `a` (95 %: 1.2 to 13.8)."""
    value, more, low, high = _from_zero(found, 100)
    words = f"{b} {what} {value:.1f} points {more} often than {a}"
    return _judged(found, f"{words} (95 %: {low:.1f} to {high:.1f}, on {found.pairs})")


def money_words(found: PairedDifference, b: str, a: str) -> str:
    """`b` costs $1.20 less than `a` for a thousand messages (95 %: $0.90 to $1.50)."""
    value, more, low, high = _from_zero(found, 1_000)
    if max(value, abs(low), abs(high)) < SMALLEST:
        return f"{b} costs as much as {a}, to {dollars(SMALLEST)} for a thousand messages"
    words = f"{b} costs {dollars(value)} {more} than {a} for a thousand messages"
    return _judged(found, f"{words} (95 %: {dollars(low)} to {dollars(high)})")


def _from_zero(found: PairedDifference, scale: int) -> tuple[float, str, float, float]:
    """How far apart, `more` or `less`, and the interval as seen from that side."""
    sign, more = (scale, "more") if found.value >= 0 else (-scale, "less")
    low, high = sorted((sign * found.low, sign * found.high))
    return abs(sign * found.value), more, low, high


def _judged(found: PairedDifference, words: str) -> str:
    return words if found.shown else f"{words}, which shows no difference"
