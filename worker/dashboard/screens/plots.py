"""Charts with axes: figures in, shapes and words out. Pure.

The shapes stand in a box of `WIDTH` by `HEIGHT` that is stretched to its place; the words stand
beside it as text, so that they are as large on a phone as on paper. Ticks are evenly spaced.
"""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from worker.domain.wording import clock, count, dollars
from worker.store.reading.minutes import MinutePast

WIDTH, HEIGHT = 600.0, 120.0
GAP = 0.14
"""Of a bar's place, left free."""
STEPS = (1, 2, 4, 6, 8, 10)
LEAST = 15
"""Minutes: a shorter history is no picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotBar:
    """A bar; `kind` is a class of the style sheet."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotPlace:
    """A stretch of the axis below, from top to bottom, and what hovering and arrow keys say of it:
    a value of nothing can be pointed at, too."""

    x: float
    width: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotLine:
    """A line across: `d` is its path. `kind` is a class of the style sheet."""

    d: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A chart. Ticks are words, evenly spaced: `ys` from the top, `xs` from the left. `legend` has
    a class and words for each kind of shape; `words` sums it up, for ears and for paper."""

    title: str
    unit: str
    words: str
    ys: tuple[str, ...]
    xs: tuple[str, ...]
    bars: tuple[PlotBar, ...] = ()
    places: tuple[PlotPlace, ...] = ()
    area: str = ""
    curve: str = ""
    lines: tuple[PlotLine, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()


def round_top(most: float, least: float = 2.0) -> float:
    """The upper end of an axis: a round figure, whose half is one too."""
    most = max(most, least)
    scale = 10.0 ** math.floor(math.log10(most))
    return next(step * scale for step in STEPS if step * scale >= most * (1 - 1e-9))


def ticks(top: float, say: Callable[[float], str]) -> tuple[str, str, str]:
    """The words of an axis, from its top down."""
    return say(top), say(top / 2), say(0.0)


def whole(number: float) -> str:
    """`12`, `0.5`, `1,200`."""
    return count(number) if number == round(number) else f"{number:.1f}"


def hour(minutes: Sequence[MinutePast]) -> list[Plot]:
    """The last hour: done a minute, waiting, failed calls, spend. A history that has just begun
    is shown from there, and nothing before that."""
    first = next((place for place, one in enumerate(minutes) if one.known), None)
    if first is None:
        return []
    minutes = minutes[max(min(first, len(minutes) - LEAST), 0) :]
    return [
        _minutes("Done", "messages a minute", minutes, lambda one: one.done, whole),
        _minutes("Waiting", "messages", minutes, lambda one: float(one.waiting), whole),
        _minutes("Failed calls", "a minute", minutes, lambda one: one.failed, whole, kind="bad"),
        _minutes("Spend", "dollars a minute", minutes, lambda one: one.spent, dollars),
    ]


def _minutes(
    title: str,
    unit: str,
    minutes: Sequence[MinutePast],
    value: Callable[[MinutePast], float],
    say: Callable[[float], str],
    *,
    kind: str = "good",
) -> Plot:
    known = [one for one in minutes if one.known]
    most = max((value(one) for one in known), default=0.0)
    top = round_top(most, 2.0 if say is whole else 0.0002)
    wide, bars, places = WIDTH / len(minutes), [], []
    for place, one in enumerate(minutes):
        said = _said(value(one), say) if one.known else "not known"
        words = f"{clock(one.at, one.at)}: {said}"
        places.append(PlotPlace(x=round(place * wide, 2), width=round(wide, 2), words=words))
        high = HEIGHT * value(one) / top if one.known else HEIGHT
        if high:
            bars.append(bar(place * wide, wide, high, kind if one.known else "unknown"))
    highest = max(known, key=value, default=None)
    last = _said(value(minutes[-1]), say) if minutes[-1].known else "not known"
    summed = f"{last} at {clock(minutes[-1].at, minutes[-1].at)}"
    if highest is not None and value(highest) > value(minutes[-1]):
        summed += f"; most at {clock(highest.at, highest.at)}: {_said(value(highest), say)}"
    return Plot(
        title=title,
        unit=unit,
        words=summed,
        ys=ticks(top, say),
        xs=_clocks(minutes[0].at, minutes[-1].at + dt.timedelta(minutes=1)),
        bars=tuple(bars),
        places=tuple(places),
    )


def bar(x: float, wide: float, high: float, kind: str, *, below: float = 0.0) -> PlotBar:
    """A bar of this height, in its place, on what is `below`."""
    return PlotBar(
        x=round(x, 2),
        y=round(HEIGHT - below - high, 2),
        width=round(wide * (1 - GAP), 2),
        height=round(high, 2),
        kind=kind,
    )


def _said(value: float, say: Callable[[float], str]) -> str:
    return say(round(value)) if say is whole and value >= 0.95 else say(round(value, 6))


def _clocks(begin: dt.datetime, end: dt.datetime) -> tuple[str, str, str]:
    middle = begin + (end - begin) / 2
    return clock(begin, begin), clock(middle, middle), clock(end, end)
