"""Which of several thresholds may be certified from the same labels, at one level for all of them.

Looking at twenty thresholds and taking the laxest that looks good is wrong far more often than the
level says. Two ways are right, and both are here: *fixed sequence*, where the order is settled
before the labels are seen, each is tested at the full level and the first that fails ends it
(Maurer, Hothorn and Lehmacher 1995; for risk control: Angelopoulos and others, "Learn then test",
arXiv 2110.01052); and *Bonferroni*, where each is tested at its share of the level in any order.
A level may be shared between the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.domain.proof.exact_tails import lower_tail, proves, upper_bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Errors among the labels at one threshold, and the share of all messages it accepts."""

    threshold: float
    errors: int
    labels: int
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A tally that proves the claim, with the bound at the level it was tested at."""

    tally: Tally
    upper: float


def passing(
    ordered: Sequence[Tally], alpha: float, delta: float, bonferroni: float = 0.0
) -> list[Passed]:
    """Everything that is proved together at `delta`: the walk along `ordered` at
    `1 - bonferroni` of it, and each tally by itself at what is left, shared equally."""
    walk, each = delta * (1 - bonferroni), delta * bonferroni / max(len(ordered), 1)
    found = []
    going = True
    for tally in ordered:
        going = going and proves(tally.errors, tally.labels, alpha, walk)
        if going:
            found.append(Passed(tally=tally, upper=_bound(tally, walk)))
        elif each and proves(tally.errors, tally.labels, alpha, each):
            found.append(Passed(tally=tally, upper=_bound(tally, each)))
    return found


def _bound(tally: Tally, delta: float) -> float:
    return upper_bound(tally.errors, tally.labels, delta)


def widest(passed: Sequence[Passed]) -> Passed | None:
    """The one that accepts most, and of two that accept the same the laxer; None of none."""
    return max(passed, key=lambda p: (p.tally.coverage, -p.tally.threshold), default=None)


def by_promise(
    pilot: Sequence[Tally], alpha: float, growth: float, errors_beyond: float = 0.5
) -> list[int]:
    """Places of the pilot's tallies, the most promising first: where as many errors for each label
    would, with `growth` times the labels, be the least likely at a rate of `alpha`. The pilot's
    labels must not serve for the test."""

    def promise(place: int) -> tuple[float, float]:
        tally = pilot[place]
        rate = (tally.errors + errors_beyond) / (tally.labels + 1)
        expected = round(tally.labels * growth)
        wrong = min(round(rate * expected), expected)
        tail = lower_tail(wrong, expected, alpha) if expected else 1.0
        return tail, -tally.threshold

    return sorted(range(len(pilot)), key=promise)
