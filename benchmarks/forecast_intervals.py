"""How often a forecast's intervals hold."""

import random

from benchmarks.figures import Figure
from worker.domain.proof.forecast import Observed, forecast


def forecasting(draws: int) -> list[Figure]:
    """How often 90 % intervals hold: a mix that changes, and days that differ."""
    mix = [holding(days=5, each=each, spread=0.0, draws=draws) for each in (100, 400)]
    level = holding(days=5, each=400, spread=0.1, draws=draws)
    return [
        Figure("forecast holds, mix changes, 500 recorded", mix[0][0], 0.85, False),
        Figure("forecast holds, mix changes, 2,000 recorded", mix[1][0], 0.85, False),
        Figure("forecast holds, days differ by 10 %", level[0], 0.80, False),
        Figure("width against the oracle's, days differ", level[1], 1.5, True),
    ]


def holding(*, days: int, each: int, spread: float, draws: int) -> tuple[float, float]:
    """Share of intervals that hold, and their width against one that knows every mean."""
    chance, held, wide = random.Random(11), 0, 0.0
    means = {"easy": 0.001, "middle": 0.01, "hard": 0.05}

    def mixed(count: int) -> dict[str, int]:
        weights = [chance.gammavariate(60 * share, 1) for share in (0.6, 0.3, 0.1)]
        drawn = chance.choices(list(means), weights, k=count)
        return {name: drawn.count(name) for name in means}

    for _ in range(draws):
        record = []
        for day in range(days):
            level = chance.gauss(1, spread)
            for name, count in mixed(each).items():
                record += [
                    Observed(name, str(day), level * means[name] * chance.expovariate(1))
                    for _ in range(count)
                ]
        coming, level = mixed(2_000), chance.gauss(1, spread)
        total = sum(
            level * means[name] * chance.expovariate(1)
            for name, count in coming.items()
            for _ in range(count)
        )
        made = forecast(record, coming)
        low, high = made.quantile(0.05), made.quantile(0.95)
        truth = sum(count * means[name] for name, count in coming.items())
        noise = sum(count * means[name] ** 2 for name, count in coming.items())
        oracle = 2 * 1.645 * (noise + (spread * truth) ** 2) ** 0.5
        held += low <= total <= high
        wide += (high - low) / oracle / draws
    return held / draws, wide
