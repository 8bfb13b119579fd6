"""The frontier as a drawing: dollars to the right, quality upwards. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.domain.proof.frontier import Point
from worker.domain.proof.frontier_plans import AS_IT_RAN
from worker.domain.wording import dollars

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 76, 46, 46, 46
"""Room for the words of the axes, which are written larger on a phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A policy on the drawing, in pixels; `low` and `high` are the ends of its interval, and
    `known` says whether there is a point between them, `told` whether anything is known at all.
    `ran` is the policy that was in force."""

    name: str
    x: float
    y: float
    low: float
    high: float
    known: bool
    told: bool
    ran: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """Where the words of both axes stand, in pixels: dollars below, shares right at the left."""

    xs: tuple[tuple[float, str], ...]
    ys: tuple[tuple[float, str], ...]


def scales(points: Sequence[Point]) -> Scales:
    """Three ticks for each axis: its ends and its middle. Not for no points."""
    dearest = max(float(p.cost) for p in points) or 1.0
    worst = min(p.quality.low for p in points)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    parts = (0.0, 0.5, 1.0)
    return Scales(
        xs=tuple((round(LEFT + part * wide, 1), dollars(part * dearest)) for part in parts),
        ys=tuple(
            (
                round(HEIGHT - BOTTOM - part * high, 1),
                f"{round(100 * (worst + part * (1 - worst)), 1):g} %",
            )
            for part in parts
        ),
    )


def curve(points: Sequence[Point]) -> list[Mark]:
    """Every policy, the cheapest first."""
    if not points:
        return []
    dearest = max(float(p.cost) for p in points) or 1.0
    worst = min(p.quality.low for p in points)

    def up(quality: float) -> float:
        share = (quality - worst) / ((1 - worst) or 1.0)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    return [
        Mark(
            name=p.name,
            x=round(LEFT + float(p.cost) / dearest * (WIDTH - LEFT - RIGHT), 1),
            y=up(p.quality.point if p.quality.point is not None else p.quality.low),
            low=up(p.quality.low),
            high=up(p.quality.high),
            known=p.quality.point is not None,
            told=p.quality.tells(),
            ran=p.name == AS_IT_RAN,
        )
        for p in points
    ]
