"""The scorer: how likely an answer is right, from what is known without reading it.

A plain logistic regression with a ridge, fitted by Newton's method: on a few signals and the
segment it ranks answers as well as scikit-learn's does (a test compares them), and its weights fit
on a page. It is stored as JSON and carries no text. It is fitted on one part of the labels and a
certificate rests on the other; `certificates` takes one labelled set and splits it, so that the
same labels cannot serve for both.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.domain.proof.graded import GradedAnswer, GradedMessage
from worker.domain.proof.linear_algebra import solve

RIDGE = 1.0
"""Penalty on each squared weight but the constant's, with signals scaled to a deviation of one."""
MOST_ROWS = 5_000
"""More labels than this change the weights by less than they are worth."""
MOST_SEGMENTS = 64
"""Segments with a weight of their own: those with most labels. Time grows with the cube."""
MOST_STEPS = 25
ENOUGH = 1e-7
_EDGE = 0.005
"""Stated confidence is cut to [0.005, 0.995] before its logit: models say 1.0 too lightly."""

VERSION = 1
PLACES = 4
Row = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and deviation of a signal where it was fitted."""

    mean: float
    deviation: float

    def apply(self, value: float) -> float:
        """In deviations from the mean."""
        return (value - self.mean) / self.deviation


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Weights of the constant, the signals (scaled) and the segments; an unknown segment has
    none."""

    constant: float
    signals: Mapping[str, float]
    scales: Mapping[str, Scale]
    segments: Mapping[str, float]
    labels: int

    def score(self, message: GradedMessage, answer: GradedAnswer) -> float:
        """From 0 to 1, to four places as it is stored: how likely this answer is right."""
        total = self.constant + self.segments.get(message.segment, 0.0)
        for name, value in signals_of(message, answer).items():
            if name in self.signals:
                total += self.signals[name] * self.scales[name].apply(value)
        return round(_logistic(total), PLACES)

    def as_document(self) -> dict[str, Any]:
        """JSON, from which `read` makes the same scorer."""
        return {
            "version": VERSION,
            "constant": self.constant,
            "signals": dict(self.signals),
            "scales": {name: [s.mean, s.deviation] for name, s in self.scales.items()},
            "segments": dict(self.segments),
            "labels": self.labels,
        }

    @property
    def digest(self) -> str:
        """Twelve characters that change when a weight does."""
        text = json.dumps(self.as_document(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read(document: Mapping[str, Any]) -> Scorer:
    """The scorer of `as_document`. Raises ValueError on another version's."""
    if document.get("version") != VERSION:
        raise ValueError(f"a scorer of version {document.get('version')}; this Rung reads 1")
    return Scorer(
        constant=document["constant"],
        signals=document["signals"],
        scales={name: Scale(*pair) for name, pair in document["scales"].items()},
        segments=document["segments"],
        labels=document["labels"],
    )


def signals_of(message: GradedMessage, answer: GradedAnswer) -> dict[str, float]:
    """What is known of an answer, by name. What is not known is told by a signal of its own."""
    found = {"message_length": math.log1p(message.chars)} if message.chars else {}
    found["no_confidence"] = float(answer.confidence is None)
    if answer.confidence is not None:
        inside = min(max(answer.confidence, _EDGE), 1 - _EDGE)
        found["confidence"] = math.log(inside / (1 - inside))
        found["certain"] = float(answer.confidence >= 1)
    if answer.agreement is not None:
        found["agreement"] = answer.agreement
    if answer.length is not None:
        found["answer_length"] = math.log1p(answer.length)
    return found


def fit(rows: Sequence[tuple[GradedMessage, GradedAnswer, bool]]) -> Scorer:
    """The scorer of labelled answers: message, answer, and whether it was good. Of no labels it
    is the constant one half."""
    rows = rows[:MOST_ROWS]
    signals = [signals_of(message, answer) for message, answer, _ in rows]
    scales = _scales(signals)
    counts = Counter(message.segment for message, _, _ in rows)
    segments = sorted(sorted(counts, key=lambda name: (-counts[name], name))[:MOST_SEGMENTS])
    names = sorted(scales)
    place = {name: i + 1 for i, name in enumerate(names)}
    seat = {name: i + 1 + len(names) for i, name in enumerate(segments)}
    design: list[Row] = [
        [(0, 1.0)]
        + [(place[n], scales[n].apply(v)) for n, v in found.items() if n in place]
        + [(seat[name], 1.0) for name in (message.segment,) if name in seat]
        for found, (message, _, _) in zip(signals, rows, strict=True)
    ]
    weights = newton(design, [good for _, _, good in rows], 1 + len(names) + len(segments))
    return Scorer(
        constant=weights[0],
        signals={name: weights[place[name]] for name in names},
        scales=scales,
        segments={name: weights[seat[name]] for name in segments},
        labels=len(rows),
    )


def _scales(signals: Iterable[Mapping[str, float]]) -> dict[str, Scale]:
    """Signals that vary; one that is the same everywhere tells nothing."""
    values: dict[str, list[float]] = {}
    for found in signals:
        for name, value in found.items():
            values.setdefault(name, []).append(value)
    scales = {}
    for name, seen in values.items():
        mean = math.fsum(seen) / len(seen)
        deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in seen) / len(seen))
        if deviation > 1e-9:
            scales[name] = Scale(mean, deviation)
    return scales


def newton(design: Sequence[Row], good: Sequence[bool], size: int) -> list[float]:
    """Weights that make the penalised likelihood greatest. Rows are sparse: (column, value),
    column 0 the constant, which is not penalised (but by a hair, so that one class alone has
    finite weights)."""
    weights = [0.0] * size
    for _ in range(MOST_STEPS):
        gradient, curvature = _slope(design, good, weights)
        step = solve(curvature, gradient)
        weights = [w + s for w, s in zip(weights, step, strict=True)]
        if max(map(abs, step)) < ENOUGH:
            break
    return weights


def _slope(
    design: Sequence[Row], good: Sequence[bool], weights: Sequence[float]
) -> tuple[list[float], list[list[float]]]:
    """Gradient and negative curvature of the penalised likelihood."""
    size = len(weights)
    penalty = [1e-6] + [RIDGE] * (size - 1)
    gradient = [-p * w for p, w in zip(penalty, weights, strict=True)]
    curvature = [[0.0] * size for _ in range(size)]
    for i in range(size):
        curvature[i][i] = penalty[i]
    for row, outcome in zip(design, good, strict=True):
        likely = _logistic(math.fsum(weights[i] * value for i, value in row))
        pull, spread = float(outcome) - likely, likely * (1 - likely)
        for i, value in row:
            gradient[i] += pull * value
            line, part = curvature[i], spread * value
            for j, other in row:
                line[j] += part * other
    return gradient, curvature


def _logistic(value: float) -> float:
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    grown = math.exp(value)
    return grown / (1 + grown)
