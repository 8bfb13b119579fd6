"""Forecasts: intervals that hold what comes, with the mix and the day changing."""

import random

import pytest
from scipy import stats

from worker.domain.proof.forecast import GUESSED_DAYS, Observed, forecast
from worker.domain.proof.quantiles import student

MEANS = {"easy": 0.001, "middle": 0.01, "hard": 0.05}


def amount(chance: random.Random, stratum: str) -> float:
    return MEANS[stratum] * chance.expovariate(1)


def mixed(chance: random.Random, count: int) -> dict[str, int]:
    """A day's mix, as a Dirichlet draw with 60 pseudo-counts around 60/30/10."""
    weights = [chance.gammavariate(60 * share, 1) for share in (0.6, 0.3, 0.1)]
    drawn = chance.choices(list(MEANS), weights, k=count)
    return {name: drawn.count(name) for name in MEANS}


def recorded(chance: random.Random, days: int, each: int, spread: float) -> list[Observed]:
    found = []
    for day in range(days):
        level = chance.gauss(1, spread)
        for stratum, count in mixed(chance, each).items():
            found += [
                Observed(stratum, str(day), level * amount(chance, stratum)) for _ in range(count)
            ]
    return found


def coverage(days: int, each: int, spread: float, rounds: int = 60) -> tuple[float, float]:
    """How often the 90 % interval holds the total, and its mean width."""
    chance, held, wide = random.Random(9), 0, 0.0
    for _ in range(rounds):
        record = recorded(chance, days, each, spread)
        coming = mixed(chance, 2_000)
        level = chance.gauss(1, spread)
        total = sum(level * amount(chance, s) for s, count in coming.items() for _ in range(count))
        made = forecast(record, coming)
        low, high = made.quantile(0.05), made.quantile(0.95)
        held += low <= total <= high
        wide += (high - low) / total / rounds
    return held / rounds, wide


def test_a_changing_mix_is_held() -> None:
    held, wide = coverage(days=5, each=100, spread=0.0)
    assert held >= 0.85
    assert wide < 0.6


def test_a_changing_level_is_held() -> None:
    held, wide = coverage(days=5, each=400, spread=0.1)
    assert held >= 0.8
    assert wide < 0.8


def test_quantiles_are_in_order_and_nothing_is_below_zero() -> None:
    made = forecast([Observed("a", "1", 0.0), Observed("a", "1", 1.0)], {"a": 10})
    assert 0 <= made.p10 <= made.p50 <= made.p90
    assert made.quantile(0.0001) == 0


def test_one_day_says_nothing_of_days_and_a_spread_is_assumed() -> None:
    made = forecast([Observed("a", "1", 1.0)] * 50, {"a": 100})
    assert (made.between_days, made.days) == (GUESSED_DAYS, 1)
    assert made.p90 > made.p50 == pytest.approx(100)


def test_strangers_are_counted_and_priced_as_the_whole() -> None:
    record = [Observed("a", "1", 1.0)] * 30 + [Observed("b", "2", 3.0)] * 30
    made = forecast(record, {"c": 10, "a": 1})
    assert made.strangers == 10
    assert made.expected == pytest.approx(21, rel=0.05)


def test_there_is_no_forecast_from_nothing() -> None:
    with pytest.raises(ValueError, match="no record"):
        forecast([], {"a": 1})


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 19, 200])
@pytest.mark.parametrize("share", [0.9, 0.95, 0.05])
def test_students_quantiles_are_scipys(degrees: int, share: float) -> None:
    assert student(share, degrees) == pytest.approx(float(stats.t.ppf(share, degrees)), rel=0.006)
