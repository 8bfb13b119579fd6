"""Charts of one run: figures in, shapes out. Pure; units are those of each chart's view box."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from worker.domain.wording import count, percent, reason, span
from worker.store.reading.sampling import BINS, STEPS, Sample


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, and what it means."""

    x: float
    y: float
    width: float
    height: float
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Confidence of one tier's answers. `line` is where the threshold stands, 0 to 100."""

    tier: str
    boxes: tuple[Box, ...]
    line: float | None
    threshold: float | None
    answers: int
    words: str


@dataclass(frozen=True, slots=True)
class Bars:
    """One row of a bar chart; lengths are 0 to 100."""

    title: str
    tier: str
    first: float
    second: float
    words: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Dollars over time: an area in a box of 600 by 160, with words for its corners."""

    area: str
    line: str
    begun: Any
    ended: Any


HEIGHT = 60.0
CURVE_WIDTH, CURVE_HEIGHT = 600.0, 160.0


def histograms(sample: Sample, tiers: Sequence[str]) -> list[Histogram]:
    """For each tier that was asked how sure it is, in the order of the ladder."""
    found = []
    for tier in tiers:
        rows = [row for row in sample.confidence if row["tier"] == tier]
        if rows:
            found.append(_histogram(tier, rows, sample.thresholds.get(tier)))
    return found


def _histogram(tier: str, rows: list[dict[str, Any]], threshold: float | None) -> Histogram:
    heights = [[0, 0] for _ in range(BINS)]
    for row in rows:
        heights[row["bin"]][0 if row["passed"] else 1] += row["answers"]
    most, wide = max(sum(pair) for pair in heights), 100 / BINS
    boxes = []
    for place, (passed, failed) in enumerate(heights):
        low, high = HEIGHT * passed / most, HEIGHT * failed / most
        if passed:
            boxes.append(Box(place * wide, HEIGHT - low, wide * 0.86, low, "passed"))
        if failed:
            boxes.append(Box(place * wide, HEIGHT - low - high, wide * 0.86, high, "failed"))
    answers = sum(sum(pair) for pair in heights)
    passed = sum(pair[0] for pair in heights)
    words = f"{count(passed)} of {count(answers)} answers of {tier} passed"
    if threshold is not None:
        words += f"; {threshold:.2f} is asked"
    line = threshold * 100 if threshold is not None else None
    return Histogram(tier, tuple(boxes), line, threshold, answers, words)


def latencies(sample: Sample, tiers: Sequence[str]) -> list[Bars]:
    """Medians of waiting and calling, classification first, then by the ladder."""
    order = {tier: place for place, tier in enumerate(tiers)}
    rows = sorted(
        sample.latency, key=lambda row: (row["stage"] != "route", order.get(row["tier"], 99))
    )
    longest = max((row["waited_s"][0] + row["took_s"][0] for row in rows), default=0.0) or 1.0
    return [
        Bars(
            "classify" if row["stage"] == "route" else "answer",
            row["tier"] or "",
            100 * row["waited_s"][0] / longest,
            100 * row["took_s"][0] / longest,
            f"waited {span(row['waited_s'][0])}, called {span(row['took_s'][0])};"
            f" one in ten waited over {span(row['waited_s'][1])} or called over"
            f" {span(row['took_s'][1])}",
        )
        for row in rows
    ]


def reasons(steps: Sequence[dict[str, Any]], total: int) -> list[Bars]:
    """Escalations by step and reason, the most frequent first."""
    most = max((step["escalations"] for step in steps), default=0) or 1
    return [
        Bars(
            f"{step['from_tier']} → {step['to_tier']}",
            step["to_tier"],
            100 * step["escalations"] / most,
            0.0,
            f"{reason(step['reason'])}: {count(step['escalations'])}"
            + (f", {percent(step['escalations'] / total)} of all messages" if total else ""),
        )
        for step in steps[:12]
    ]


def spending(sample: Sample) -> Curve | None:
    """The course of the spend, from the sample: its shape, with no scale. None before two
    attempts have ended."""
    if len(sample.costs) < 2:
        return None
    steps = {row["step"]: row["cost"] for row in sample.costs}
    total = sum(steps.values(), Decimal(0))
    if not total:
        return None
    points, sofar = ["0,160"], Decimal(0)
    for step in range(STEPS):
        sofar += steps.get(step, Decimal(0))
        x = CURVE_WIDTH * (step + 1) / STEPS
        y = CURVE_HEIGHT - (CURVE_HEIGHT - 8) * float(sofar / total)
        points.append(f"{x:.1f},{y:.1f}")
    line = " ".join(points)
    first = sample.costs[0]
    return Curve(f"{line} 600,160", line, first["begun"], first["ended"])
