"""Exact binomial tails: what so many errors in so many labels prove, with no approximation.

One-sided Clopper-Pearson bounds by bisection (Clopper and Pearson, Biometrika 26, 1934), held to
scipy's by a test. Time is linear in the errors, not in the labels.
"""

import math
from functools import lru_cache

_STEPS = 100
"""Halvings of the unit interval, at most; 53 reach the last bit of a float near one."""
_REMEMBERED = 1 << 14
"""The same few counts come again and again, of segments above all."""
_NOTHING = 1e-18
"""A term this small beside the sum adds nothing to it."""


@lru_cache(maxsize=_REMEMBERED)
def lower_tail(errors: int, labels: int, rate: float) -> float:
    """P(X <= errors) of X ~ Binomial(labels, rate). Raises ValueError on impossible counts."""
    if not 0 <= errors <= labels or not 0 <= rate <= 1:
        raise ValueError(f"no binomial tail for {errors} of {labels} at {rate}")
    if errors == labels or rate == 0:
        return 1.0
    if rate == 1:
        return 0.0
    if errors > labels * rate:
        return 1.0 - _sum_down(labels - errors - 1, labels, 1 - rate)
    return _sum_down(errors, labels, rate)


def _sum_down(last: int, labels: int, rate: float) -> float:
    """The terms from `last` down to none, `last` below the mean: each is smaller than the one
    before, so the sum may end when they no longer count."""
    term = total = math.exp(_log_term(last, labels, rate))
    odds = (1 - rate) / rate
    for k in range(last, 0, -1):
        term *= k / (labels - k + 1) * odds
        total += term
        if term < total * _NOTHING:
            break
    return min(total, 1.0)


def _log_term(k: int, n: int, rate: float) -> float:
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return choose + k * math.log(rate) + (n - k) * math.log1p(-rate)


@lru_cache(maxsize=_REMEMBERED)
def upper_bound(errors: int, labels: int, delta: float) -> float:
    """The rate that the true one exceeds with a probability of at most `delta`; 1 of no labels."""
    if labels == 0 or errors == labels:
        return 1.0
    return _bisect(errors, labels, delta)


def lower_bound(errors: int, labels: int, delta: float) -> float:
    """The rate that the true one is below with a probability of at most `delta`."""
    return 1.0 - upper_bound(labels - errors, labels, delta)


def _bisect(errors: int, labels: int, delta: float) -> float:
    low, high = errors / labels, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if lower_tail(errors, labels, middle) > delta:
            low = middle
        else:
            high = middle
    return high


def proves(errors: int, labels: int, alpha: float, delta: float) -> bool:
    """Whether so few errors would be seen with a probability of at most `delta` if the true rate
    were above `alpha`."""
    return labels > 0 and lower_tail(errors, labels, alpha) <= delta


@lru_cache(maxsize=_REMEMBERED)
def labels_needed(alpha: float, delta: float, errors: int = 0) -> int:
    """The fewest labels of which `errors` wrong ones still prove a rate of at most `alpha`.
    `alpha` and `delta` lie between 0 and 1, both ends excluded; raises ValueError."""
    if not (0 < alpha < 1 and 0 < delta < 1):
        raise ValueError(f"no number of labels proves {alpha} at {delta}")
    few, enough = errors, errors + 1
    while not proves(errors, enough, alpha, delta):
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        if proves(errors, middle, alpha, delta):
            enough = middle
        else:
            few = middle
    return enough
