"""Words in drawings, which do not wrap by themselves: broken into lines that have room. Pure.

A browser takes the font that the reader's system has, so widths are those of a wide one.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from worker.dashboard.screens.links import Linked

LINE = 16
"""From one line to the next, in units of the view box."""
SIZES = {"words": 13.5, "busy-words": 12.5, "climbed": 12.5, "why": 11.5}
"""Of the style sheet's classes, in units."""
BOLD = frozenset({"words", "climbed"})
NARROW_SIGNS = frozenset(" ,.:·’|")
SIGN, NARROW_SIGN, BOLDER = 0.64, 0.36, 1.09
"""Widths in ems, and how much wider a bold face is."""
BETWEEN = " · "
BREAKS = (r"(?<=,) ", " ")
"""Where a figure's words are broken: after a comma, if that is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLine:
    """Figures side by side; `kind` is a class of the style sheet."""

    kind: str
    x: int
    y: int
    figures: tuple[Linked, ...]


def width(words: str, kind: str) -> float:
    """Of words in this class, in units, rather too much than too little."""
    ems = sum(NARROW_SIGN if sign in NARROW_SIGNS else SIGN for sign in words)
    return ems * SIZES[kind] * (BOLDER if kind in BOLD else 1)


def in_lines(figures: Sequence[Linked], kind: str, room: float) -> list[tuple[Linked, ...]]:
    """Lines no wider than `room` units. A figure is broken only where it is wider than a line; all
    its parts lead to the same jobs."""
    lines: list[list[Linked]] = []
    for figure in figures:
        for words in _broken(figure.words, lambda said: width(said, kind) <= room):
            said = BETWEEN.join([*(one.words for one in lines[-1]), words]) if lines else ""
            if lines and width(said, kind) <= room and words == figure.words:
                lines[-1].append(figure)
            else:
                lines.append([Linked(words, figure.href)])
    return [tuple(line) for line in lines]


def _broken(words: str, fits: Callable[[str], bool]) -> list[str]:
    found = [words]
    for at in BREAKS:
        if all(map(fits, found)):
            break
        found = []
        for part in re.split(at, words):
            longer = f"{found[-1]} {part}" if found else part
            found[-1:] = [longer] if found and fits(longer) else [*found[-1:], part]
    return found
