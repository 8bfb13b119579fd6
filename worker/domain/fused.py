"""One order out of several, by reciprocal ranks. Pure."""

from collections.abc import Sequence

RANK_ADDS = 60
"""Softens the difference between the first places, as is usual."""


def fused(orders: Sequence[Sequence[str]], most: int) -> list[str]:
    """The best of several lists of names, each best first; of two that are equal, the one that an
    earlier list has."""
    scores: dict[str, float] = {}
    for order in orders:
        for rank, name in enumerate(dict.fromkeys(order)):
            scores[name] = scores.get(name, 0.0) + 1 / (RANK_ADDS + rank)
    return sorted(scores, key=lambda name: -scores[name])[:most]
