"""What the next backlog will come to, from records: by stratum, with a term between days.

Two things make naive intervals worthless: tomorrow's mix is not the mix of the record, so means
and spreads are taken by stratum and weighted by what is at hand; and whole days differ from each
other by more than their messages explain, so each day's level counts as one draw, not as thousands.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from worker.domain.proof.quantiles import normal, student

GUESSED_DAYS = 0.1
"""Relative spread between days that is assumed where fewer than two days are recorded."""
AGREEING_DAYS = 0.08
"""What counts as one more day's finding where there are more: a few days may agree by chance."""
PSEUDO = FEW = 5
"""A stratum's mean is drawn towards that of all as by this many messages; of fewer, it was hardly
seen."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One recorded message: its stratum, its day and its amount (dollars, seconds, or 0 and 1)."""

    stratum: str
    day: str
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A total with its quantiles: `expected`, and what it will be below with 10, 50 and 90 %.
    `recorded` messages on `days` days stand behind it; `between_days` is the relative spread of
    days that was found or assumed; `strangers` of the messages are of strata hardly seen."""

    expected: float
    p10: float
    p50: float
    p90: float
    deviation: float
    degrees: float
    messages: int
    recorded: int
    days: int
    between_days: float
    strangers: int

    def quantile(self, share: float) -> float:
        """The total below which it stays with a probability of `share`; never below zero."""
        spread = student(share, self.degrees) if math.isfinite(self.degrees) else normal(share)
        return max(0.0, self.expected + spread * self.deviation)


@dataclass(frozen=True, slots=True)
class _Stratum:
    count: int
    mean: float
    variance: float


def forecast(record: Sequence[Observed], coming: Mapping[str, int]) -> Forecast:
    """The total over `coming` (messages by stratum). Raises ValueError without a record."""
    if not record:
        raise ValueError("there is no record to forecast from")
    strata, whole = _strata(record)
    expected = noise = 0.0
    for name, count in coming.items():
        one = strata.get(name, whole)
        expected += count * one.mean
        noise += count * one.variance + count**2 * one.variance / one.count
    spread, days = _between_days(record, strata)
    level = (expected * spread) ** 2 * (1 + 1 / days)
    deviation = math.sqrt(noise + level)
    degrees = _degrees(noise, level, len(record), days)
    made = Forecast(
        expected=expected,
        p10=0.0,
        p50=expected,
        p90=0.0,
        deviation=deviation,
        degrees=degrees,
        messages=sum(coming.values()),
        recorded=len(record),
        days=days,
        between_days=spread,
        strangers=sum(count for name, count in coming.items() if _hardly_seen(strata.get(name))),
    )
    return _with_quantiles(made)


def _hardly_seen(one: _Stratum | None) -> bool:
    return one is None or one.count < FEW


def _with_quantiles(made: Forecast) -> Forecast:
    return replace(made, p10=made.quantile(0.1), p90=made.quantile(0.9))


def _strata(record: Sequence[Observed]) -> tuple[dict[str, _Stratum], _Stratum]:
    """Mean and variance of each stratum, small ones drawn towards the whole."""
    amounts: dict[str, list[float]] = {}
    for one in record:
        amounts.setdefault(one.stratum, []).append(one.amount)
    every = [one.amount for one in record]
    whole = _moments(every)
    found = {}
    for name, seen in amounts.items():
        own = _moments(seen)
        weight = len(seen) + PSEUDO
        mean = (len(seen) * own.mean + PSEUDO * whole.mean) / weight
        variance = (len(seen) * own.variance + PSEUDO * whole.variance) / weight
        found[name] = _Stratum(len(seen), mean, variance)
    return found, whole


def _moments(seen: Sequence[float]) -> _Stratum:
    mean = math.fsum(seen) / len(seen)
    variance = math.fsum((v - mean) ** 2 for v in seen) / max(len(seen) - 1, 1)
    return _Stratum(len(seen), mean, variance)


def _between_days(record: Sequence[Observed], strata: Mapping[str, _Stratum]) -> tuple[float, int]:
    """Relative spread of days beyond what their messages explain, and the number of days."""
    days: dict[str, list[float]] = {}
    for one in record:
        stratum = strata[one.stratum]
        sums = days.setdefault(one.day, [0.0, 0.0, 0.0])
        sums[0] += one.amount
        sums[1] += stratum.mean
        sums[2] += stratum.variance
    if len(days) < 2:
        return GUESSED_DAYS, 1
    levels = [(got / due, noise / due**2) for got, due, noise in days.values() if due > 0]
    if len(levels) < 2:
        return GUESSED_DAYS, max(len(levels), 1)
    mean = math.fsum(level for level, _ in levels) / len(levels)
    between = math.fsum((level - mean) ** 2 for level, _ in levels) / (len(levels) - 1)
    within = math.fsum(noise for _, noise in levels) / len(levels)
    found = (len(levels) - 1) * max(between - within, 0.0) + AGREEING_DAYS**2
    return math.sqrt(found / len(levels)), len(levels)


def _degrees(noise: float, level: float, recorded: int, days: int) -> float:
    """Welch and Satterthwaite's degrees of freedom of the two parts together."""
    if noise + level == 0:
        return math.inf
    first = noise**2 / max(recorded - 1, 1)
    second = level**2 / max(days - 1, 1) if days > 1 else 0.0
    below = first + second
    return (noise + level) ** 2 / below if below else math.inf
