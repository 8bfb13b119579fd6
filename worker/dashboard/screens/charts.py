"""Charts of one run: figures in, shapes and words out. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from worker.dashboard.screens.plots import (
    HEIGHT,
    WIDTH,
    Plot,
    PlotLine,
    PlotPlace,
    bar,
    round_top,
    ticks,
    whole,
)
from worker.domain.wording import clock, count, dollars, percent, plural, reason, span
from worker.store.reading.sampling import BINS, STEPS, Sample
from worker.store.reading.screens import ClimbCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """One row of a bar chart; lengths are 0 to 100."""

    title: str
    tier: str
    first: float
    second: float
    words: str


FAR = 4
"""A budget or a deadline that is so many times further than what happened is named, not drawn: the
curve would lie flat in a corner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendSoFar:
    """What a curve of the spend is drawn against. Dollars; `cap` and `deadline` may be missing."""

    spent: Decimal
    cap: Decimal | None = None
    deadline: dt.datetime | None = None


def histograms(sample: Sample, tiers: Sequence[str]) -> list[tuple[str, Plot]]:
    """For each tier that was asked how sure it is, in the order of the ladder."""
    found = []
    for tier in tiers:
        rows = [row for row in sample.confidence if row["tier"] == tier]
        if rows:
            found.append((tier, _histogram(tier, rows, sample.thresholds.get(tier))))
    return found


def _histogram(tier: str, rows: list[dict[str, Any]], threshold: float | None) -> Plot:
    heights = [[0, 0] for _ in range(BINS)]
    for row in rows:
        heights[row["bin"]][0 if row["passed"] else 1] += row["answers"]
    top, wide = round_top(max(sum(pair) for pair in heights)), WIDTH / BINS
    bars, places = [], []
    for place, (passed, failed) in enumerate(heights):
        x, low, high = place * wide, HEIGHT * passed / top, HEIGHT * failed / top
        bars += [bar(x, wide, low, "passed")] if passed else []
        bars += [bar(x, wide, high, "failed", below=low)] if failed else []
        span_ = f"{place / BINS:.2f} to {(place + 1) / BINS:.2f}"
        said = f"{span_}: {count(passed)} accepted, {count(failed)} not"
        places.append(PlotPlace(x=round(x, 2), width=round(wide, 2), words=said))
    answers = sum(sum(pair) for pair in heights)
    passed = sum(pair[0] for pair in heights)
    were = "was" if answers == 1 else "were"
    words = f"{count(passed)} of {plural(answers, 'answer')} {were} accepted"
    legend = [("passed", "accepted"), *([("failed", "not accepted")] if passed < answers else [])]
    lines: tuple[PlotLine, ...] = ()
    if threshold is not None:
        words += f"; {threshold:.2f} is asked"
        legend.append(("asked", f"{threshold:.2f} is asked"))
        lines = (PlotLine(d=f"M{WIDTH * threshold:.1f} 0V{HEIGHT:.0f}", kind="asked"),)
    return Plot(
        title=tier,
        unit="answers by confidence",
        words=words,
        ys=ticks(top, whole),
        xs=("0", "0.5", "1"),
        bars=tuple(bars),
        places=tuple(places),
        lines=lines,
        legend=tuple(legend),
    )


def latencies(sample: Sample, tiers: Sequence[str]) -> list[Bars]:
    """Medians of waiting and calling, classification first, then by the ladder."""
    order = {tier: place for place, tier in enumerate(tiers)}
    rows = sorted(
        sample.latency, key=lambda row: (row["stage"] != "route", order.get(row["tier"], 99))
    )
    longest = max((row["waited_s"][0] + row["took_s"][0] for row in rows), default=0.0) or 1.0
    return [
        Bars(
            title="classify" if row["stage"] == "route" else "answer",
            tier=row["tier"] or "",
            first=100 * row["waited_s"][0] / longest,
            second=100 * row["took_s"][0] / longest,
            words=f"waited {span(row['waited_s'][0])}, called {span(row['took_s'][0])};"
            f" one in ten waited over {span(row['waited_s'][1])} or called over"
            f" {span(row['took_s'][1])}",
        )
        for row in rows
    ]


def reasons(steps: Sequence[ClimbCount], total: int) -> list[Bars]:
    """Escalations by step and reason, the most frequent first."""
    most = max((step.escalations for step in steps), default=0) or 1
    return [
        Bars(
            title=f"{step.from_tier} → {step.to_tier}",
            tier=step.to_tier,
            first=100 * step.escalations / most,
            second=0.0,
            words=f"{reason(step.reason)}: {count(step.escalations)}"
            + (f", {percent(step.escalations / total)} of all messages" if total else ""),
        )
        for step in steps[:12]
    ]


def spending(sample: Sample, so_far: SpendSoFar) -> Plot | None:
    """The course of the spend: its shape from the sample, its scale from the ledger. None before
    two attempts have ended."""
    steps = {row["step"]: row["cost"] for row in sample.costs}
    total = sum(steps.values(), Decimal(0))
    if len(sample.costs) < 2 or not total:
        return None
    first = sample.costs[0]
    begun, ended = first["begun"], first["ended"]
    last = so_far.deadline if _near(begun, ended, so_far.deadline) else None
    end = max(ended, last) if last else ended
    share = max((ended - begun).total_seconds(), 0.001) / max((end - begun).total_seconds(), 0.001)
    near = so_far.cap is not None and so_far.cap <= FAR * so_far.spent
    top = round_top(float(max(so_far.spent, so_far.cap or 0) if near else so_far.spent), 0.0002)
    points, places, sofar = [f"0,{HEIGHT:.0f}"], [], 0.0
    wide = WIDTH * share / STEPS
    for step in range(STEPS):
        sofar += float(steps.get(step, 0) / total * so_far.spent)
        points.append(f"{wide * (step + 1):.1f},{HEIGHT - HEIGHT * sofar / top:.1f}")
        moment = _moment(begun + (ended - begun) * (step + 1) / STEPS, end - begun)
        words = f"until {moment}: {dollars(sofar)}"
        places.append(PlotPlace(x=round(wide * step, 2), width=round(wide, 2), words=words))
    curve = " ".join(points)
    lines, legend = _limits(so_far, begun, end, last, top if near else None)
    return Plot(
        title="Spend",
        unit="dollars",
        words=f"{dollars(so_far.spent)} by {_moment(ended, end - begun)}",
        ys=ticks(top, dollars),
        xs=tuple(_moment(begun + (end - begun) * part / 2, end - begun) for part in range(3)),
        area=f"{curve} {wide * STEPS:.1f},{HEIGHT:.0f}",
        curve=curve,
        places=tuple(places),
        lines=lines,
        legend=legend,
    )


def _near(begun: dt.datetime, ended: dt.datetime, deadline: dt.datetime | None) -> bool:
    return deadline is not None and begun < deadline <= begun + FAR * (ended - begun)


def _limits(
    so_far: SpendSoFar,
    begun: dt.datetime,
    end: dt.datetime,
    deadline: dt.datetime | None,
    top: float | None,
) -> tuple[tuple[PlotLine, ...], tuple[tuple[str, str], ...]]:
    """The lines of budget and deadline, and their words; what is too far off has words alone."""
    lines, legend = [], [("spent", "spent")]
    if so_far.cap is not None:
        above = "" if top else ", off this chart"
        legend.append(("budget", f"budget {dollars(so_far.cap)}{above}"))
    if so_far.cap is not None and top:
        y = HEIGHT - HEIGHT * float(so_far.cap) / top
        lines.append(PlotLine(d=f"M0 {y:.1f}H{WIDTH:.0f}", kind="budget"))
    if so_far.deadline is not None:
        beyond = "" if deadline else ", off this chart"
        legend.append(("deadline", f"deadline {clock(so_far.deadline, end)}{beyond}"))
    if deadline is not None:
        x = WIDTH * (deadline - begun) / max(end - begun, dt.timedelta(milliseconds=1))
        lines.append(PlotLine(d=f"M{x:.1f} 0V{HEIGHT:.0f}", kind="deadline"))
    return tuple(lines), tuple(legend)


def _moment(at: dt.datetime, over: dt.timedelta) -> str:
    """With seconds where the whole is short."""
    short = over < dt.timedelta(minutes=20)
    return at.astimezone(dt.UTC).strftime("%H:%M:%S") if short else clock(at, at)
