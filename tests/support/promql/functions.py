"""PromQL's functions that look at samples or labels."""

import itertools
import math
import re
from collections.abc import Sequence

from tests.support.promql.parsing import NotUnderstood
from tests.support.promql.series import Labels, Sample

Vector = dict[Labels, float]
NAME = "__name__"


def without(labels: Labels, *names: str) -> Labels:
    """Labels less some."""
    return frozenset(pair for pair in labels if pair[0] not in names)


def over_range(name: str, samples: Sequence[Sample], start: float, end: float) -> float | None:
    """The value of a range function; None where there are too few samples."""
    known = [(one.at, one.value) for one in samples if one.value is not None]
    if name == "max_over_time":
        return max((value for _, value in known), default=None)
    if len(known) < 2:
        return None
    grown = _increase(known, start, end)
    match name:
        case "increase":
            return grown
        case "rate":
            return grown / (end - start)
    raise NotUnderstood(f"{name} is not known here")


def _increase(known: Sequence[tuple[float, float]], start: float, end: float) -> float:
    """As Prometheus has it (`extrapolatedRate`): carried on to the ends of the range where the
    samples come near to them, and never to below zero."""
    values = [value for _, value in known]
    grown = values[-1] - values[0]
    for before, after in itertools.pairwise(values):
        if after < before:
            grown += before
    (first, _), (last, _) = known[0], known[-1]
    sampled = last - first
    between = sampled / (len(known) - 1)
    head, tail = first - start, end - last
    if grown > 0 and values[0] >= 0:
        head = min(head, sampled * values[0] / grown)
    near = between * 1.1
    reach = sampled + (head if head < near else between / 2)
    reach += tail if tail < near else between / 2
    return grown * reach / sampled


def quantile(share: float, buckets: Vector) -> Vector:
    """`histogram_quantile`, over buckets with a label `le`."""
    grouped: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in buckets.items():
        bound = dict(labels).get("le")
        if bound is not None:
            grouped.setdefault(without(labels, "le", NAME), []).append((float(bound), count))
    return {labels: _quantile(share, sorted(found)) for labels, found in grouped.items()}


def _quantile(share: float, buckets: Sequence[tuple[float, float]]) -> float:
    total = buckets[-1][1]
    if len(buckets) < 2 or total == 0 or not math.isinf(buckets[-1][0]):
        return math.nan
    rank = share * total
    place = next(n for n, (_, count) in enumerate(buckets) if count >= rank)
    if place == len(buckets) - 1:
        return buckets[-2][0]
    low, below = buckets[place - 1] if place else (0.0, 0.0)
    high, count = buckets[place]
    if count == below:
        return high
    return low + (high - low) * (rank - below) / (count - below)


def replaced(vector: Vector, target: str, new: str, source: str, pattern: str) -> Vector:
    """`label_replace`."""
    result: Vector = {}
    for labels, value in vector.items():
        match = re.fullmatch(pattern, dict(labels).get(source, ""))
        if match is not None:
            written = match.expand(re.sub(r"\$(\d)", r"\\\1", new))
            labels = without(labels, target) | {(target, written)}
        result[labels] = value
    return result
