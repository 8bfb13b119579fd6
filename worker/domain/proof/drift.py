"""Drift: whether the audits of accepted answers still bear a certificate out, looked at after every
audit without paying for looking.

Two levels. *Red* is an e-process: under any error rate of at most alpha its wealth exceeds 1/delta
at any time with a probability of at most delta (Ville's inequality), so it may void a certificate.
*Amber* is an e-detector of Shiryaev and Roberts' kind (Shin, Ramdas and Rinaldo 2023,
arXiv 2203.03532): it forgets the good past, so it is quick, and rings falsely about once in
`AMBER_LENGTH` audits; it only asks for the stricter threshold.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

AMBER_LENGTH = 5_000
"""Audits between two false ambers, on average, while the error rate is exactly alpha."""
_ALTERNATIVES = (1.2, 1.5, 2.0, 3.0, 5.0)
"""Error rates to bet on, as multiples of alpha, each with the same stake."""
_HIGHEST = 0.95
_MOST = 1e12
"""Evidence is cut off here: more says no more, and floats stay finite."""


class Watch(StrEnum):
    """What the audits say of a certificate."""

    VALID = "valid"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vigil:
    """The running evidence on one certificate: for each alternative rate the log-wealth of the
    e-process and the statistic of the detector. A few numbers, however many audits."""

    alpha: float
    wealth: tuple[float, ...]
    detector: tuple[float, ...]
    audits: int = 0
    errors: int = 0
    most: float = 0.0
    """The greatest log-evidence so far: red stays red."""

    @property
    def log_evidence(self) -> float:
        """Natural logarithm of the e-process now."""
        top = max(self.wealth)
        return top + math.log(math.fsum(math.exp(w - top) for w in self.wealth) / len(self.wealth))

    @property
    def alarm(self) -> float:
        """The detector's statistic now."""
        return math.fsum(self.detector) / len(self.detector)

    def watch(self, delta: float) -> Watch:
        """Red once the evidence has ever reached 1/delta, else amber while the detector rings."""
        if self.most >= math.log(1 / delta):
            return Watch.RED
        return Watch.AMBER if self.alarm >= AMBER_LENGTH else Watch.VALID


def rates(alpha: float) -> tuple[float, ...]:
    """The alternatives that are bet on."""
    return tuple(min(alpha * factor, (alpha + _HIGHEST) / 2) for factor in _ALTERNATIVES)


def begin(alpha: float) -> Vigil:
    """No audit yet: wealth of one, nothing detected. Raises ValueError unless 0 < alpha < 0.95."""
    if not 0 < alpha < _HIGHEST:
        raise ValueError(f"nothing to watch at an error rate of {alpha}")
    none = (0.0,) * len(_ALTERNATIVES)
    return Vigil(alpha=alpha, wealth=none, detector=none)


def heard(vigil: Vigil, wrong: bool) -> Vigil:
    """One audit more."""
    factors = [_factor(vigil.alpha, rate, wrong) for rate in rates(vigil.alpha)]
    wealth = tuple(w + math.log(f) for w, f in zip(vigil.wealth, factors, strict=True))
    detector = tuple(min((1 + r) * f, _MOST) for r, f in zip(vigil.detector, factors, strict=True))
    made = Vigil(
        alpha=vigil.alpha,
        wealth=wealth,
        detector=detector,
        audits=vigil.audits + 1,
        errors=vigil.errors + wrong,
        most=vigil.most,
    )
    return Vigil(
        alpha=made.alpha,
        wealth=wealth,
        detector=detector,
        audits=made.audits,
        errors=made.errors,
        most=max(vigil.most, made.log_evidence),
    )


def heard_all(vigil: Vigil, audits: Iterable[bool]) -> Vigil:
    """Audits in the order in which they were given."""
    for wrong in audits:
        vigil = heard(vigil, wrong)
    return vigil


def _factor(alpha: float, rate: float, wrong: bool) -> float:
    """The likelihood ratio of `rate` against alpha; its mean is at most 1 below alpha."""
    return rate / alpha if wrong else (1 - rate) / (1 - alpha)


def first_alarm(audits: Sequence[bool], alpha: float, delta: float) -> dict[Watch, int]:
    """After how many audits each level first rang, counted from 1."""
    vigil = begin(alpha)
    found: dict[Watch, int] = {}
    for number, wrong in enumerate(audits, start=1):
        vigil = heard(vigil, wrong)
        found.setdefault(vigil.watch(delta), number)
    found.pop(Watch.VALID, None)
    return found
