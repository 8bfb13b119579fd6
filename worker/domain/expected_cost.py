"""What running jobs once more will probably cost, with an interval."""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

FEW = 3
"""Recorded costs below which a mean and a spread say nothing."""
SIGMAS = Decimal("1.96")
"""Half width of a 95 % interval in standard errors."""
CENTS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Costs:
    """Recorded dollars a job: how many jobs, their mean and their sample standard deviation."""

    jobs: int
    mean: Decimal
    spread: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Dollars: the middle and a 95 % interval (or a guess, where `basis` says so)."""

    usd: Decimal
    low: Decimal
    high: Decimal
    basis: str

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "usd": self.usd,
            "low_usd": self.low,
            "high_usd": self.high,
            "basis": self.basis,
        }


def from_costs(jobs: int, costs: Costs, factor: Decimal, basis: str) -> Expected:
    """The sum of `jobs` draws from what is recorded, times `factor` (half in the batch lane).

    Its variance has two parts: that of the jobs themselves, n·s², and that of the mean being known
    from only k records, n²·s²/k.
    """
    middle = jobs * costs.mean
    variance = jobs * costs.spread**2 * (1 + Decimal(jobs) / max(costs.jobs, 1))
    half = SIGMAS * Decimal(math.sqrt(variance))
    return Expected(
        usd=(factor * middle).quantize(CENTS),
        low=(factor * max(middle - half, Decimal(0))).quantize(CENTS),
        high=(factor * (middle + half)).quantize(CENTS),
        basis=basis,
    )


def expected_of(jobs: int, costs: Costs, factor: Decimal, basis: str) -> Expected | None:
    """As `from_costs`; None where too few are recorded."""
    return from_costs(jobs, costs, factor, basis) if costs.jobs >= FEW else None


def assumed(usd: Decimal, basis: str) -> Expected:
    """A guess with nothing recorded behind it: it may be half or double."""
    return Expected(
        usd=usd.quantize(CENTS),
        low=(usd / 2).quantize(CENTS),
        high=(usd * 2).quantize(CENTS),
        basis=basis,
    )


def better_known(jobs: int, own: Costs, others: Costs) -> tuple[Costs, bool] | None:
    """The costs to go by: those of the very jobs, where they are known for half of them at least;
    else those of other jobs under the same policy. The flag says that they are the jobs' own.
    None when too few are recorded."""
    if own.jobs >= FEW and (2 * own.jobs >= jobs or own.jobs >= others.jobs):
        return own, True
    if others.jobs >= FEW:
        return others, False
    return None
