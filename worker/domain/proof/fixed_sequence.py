"""Which of several thresholds may be certified from the same labels, at one level for all of them.

Looking at twenty thresholds and taking the laxest that looks good is wrong far more often than the
level says. Two ways are right, and both are here: *fixed sequence*, where the order is settled
before the labels are seen, each is tested at the full level and the first that fails ends it
(Maurer, Hothorn and Lehmacher 1995; for risk control: Angelopoulos and others, "Learn then test",
arXiv 2110.01052); and *Bonferroni*, where each is tested at its share of the level in any order.
A level may be shared between the two.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from worker.domain.proof.exact_tails import labels_needed, lower_tail, proves, upper_bound

JUDGED_LEVEL = 0.05
"""At which thresholds are compared where a stronger tier judged first: an order, no claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Errors among the labels at one threshold, and the share of all messages it accepts.

    Where a stronger tier judged first, `thinned` of the errors are among what it had passed, of
    which people looked at the share `looked`: each of them stands for more.
    """

    threshold: float
    errors: int
    labels: int
    coverage: float
    thinned: int = 0
    looked: float = 1.0


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
        going = going and proved(tally, alpha, walk)
        if going:
            found.append(Passed(tally=tally, upper=bound(tally, walk)))
        elif each and proved(tally, alpha, each):
            found.append(Passed(tally=tally, upper=bound(tally, each)))
    return found


def proved(tally: Tally, alpha: float, delta: float) -> bool:
    """Whether the labels prove at this level that at most `alpha` are errors."""
    if tally.looked < 1:
        return bound(tally, delta) <= alpha
    return proves(tally.errors, tally.labels, alpha, delta)


def bound(tally: Tally, delta: float) -> float:
    """The rate of errors is at most this. With a judge before the people there are two rates, each
    bounded at half of the level: of errors that people were certain to see, and of those that they
    saw with the probability `looked`, which are so many times more."""
    if tally.looked >= 1:
        return upper_bound(tally.errors, tally.labels, delta)
    certain = upper_bound(tally.errors - tally.thinned, tally.labels, delta / 2)
    return min(certain + upper_bound(tally.thinned, tally.labels, delta / 2) / tally.looked, 1.0)


def enough_labels(tally: Tally, alpha: float, delta: float) -> int:
    """With how many labels the same errors would have been few enough."""
    if tally.looked >= 1:
        return labels_needed(alpha, delta, tally.errors)
    low, high = tally.errors, max(64, 2 * tally.errors)
    while not proved(replace(tally, labels=high), alpha, delta):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        fits = proved(replace(tally, labels=middle), alpha, delta)
        low, high = (low, middle) if fits else (middle, high)
    return high


def start_labels(alpha: float, delta: float, looked: float) -> int:
    """Where a stronger tier judged first: with how many labels a third of the errors that are
    allowed would be few enough. Those that nobody was certain to see need many labels at any rate,
    so a start at fewer would fail for nothing."""
    labels = 64
    while not proved(_at_a_third(labels, alpha, looked), alpha, delta):
        labels = math.ceil(labels * 1.1)
    return labels


def start_errors(labels: int, alpha: float) -> int:
    """A third of the errors that are allowed among so many labels."""
    return math.ceil(labels * alpha / 3)


def _at_a_third(labels: int, alpha: float, looked: float) -> Tally:
    errors = start_errors(labels, alpha)
    return Tally(threshold=0, errors=errors, labels=labels, coverage=0, looked=looked)


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
        if tally.looked < 1:
            thinned = min(round(tally.thinned * growth), wrong)
            grown = replace(tally, errors=wrong, labels=expected, thinned=thinned)
            return bound(grown, JUDGED_LEVEL), -tally.threshold
        tail = lower_tail(wrong, expected, alpha) if expected else 1.0
        return tail, -tally.threshold

    return sorted(range(len(pilot)), key=promise)
