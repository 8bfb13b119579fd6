"""The ladder's picture as values: rungs, arrows, and where they stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from worker.dashboard.screens.drawn_words import LINE, DrawnLine, in_lines
from worker.dashboard.screens.links import Linked


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """Up from a rung: how many, to where if not to the next rung, and the first reasons, each a
    figure of its own in `why`."""

    jobs: int
    words: str
    why: str
    weight: float
    """Of the arrow, 1 to 10, by share of all messages."""
    href: str | None = None

    @property
    def figures(self) -> tuple[Linked, ...]:
        """The same, as the drawing links it."""
        return (Linked(self.words, self.href),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One row of the picture. `stopped` and `busy` are shares of all messages, 0 to 1; `figures`
    stand beside the bar, and below them those of what is `open`."""

    name: str
    kind: str
    title: str
    stopped: float
    figures: tuple[Linked, ...]
    note: str = ""
    busy: float = 0.0
    open: tuple[Linked, ...] = ()
    climb: Arrow | None = None

    @property
    def words(self) -> str:
        """What stands beside the bar."""
        return " · ".join(one.words for one in self.figures)

    @property
    def under_way(self) -> str:
        """What stands below that."""
        return " · ".join(one.words for one in self.open)


@dataclass(frozen=True, slots=True)
class Row:
    """A rung where it stands: the upper edge of its bar, and every line of its words."""

    rung: Rung
    y: int
    lines: tuple[DrawnLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Where things stand, in units of the view box. `words_x` and `words_y` are the place of the
    first figure, from the left edge and from the upper edge of its bar; `why_y` that of the last
    line beside an arrow. A row is higher where its words need more lines than two."""

    kind: str
    width: int
    left: int
    right: int
    row: int
    top: int
    thick: int
    words_x: int
    words_y: int
    why_y: int
    rungs: tuple[Rung, ...] = ()

    @property
    def height(self) -> int:
        """Of all rows, and what stands below the last bar."""
        last = self.rows[-1]
        return last.y + 62 + LINE * _further(_figures(last.rung, self._room(self.words_x)))

    @property
    def bar(self) -> int:
        """Length of a whole bar."""
        return self.right - self.left

    @property
    def arrow_x(self) -> int:
        """The middle of the arrows."""
        return self.left + 34

    @property
    def rows(self) -> tuple[Row, ...]:
        """From the top down."""
        return tuple(self._rows())

    def _rows(self) -> Iterator[Row]:
        beside, y, before = self.arrow_x + 22, self.top, 0
        for place, rung in enumerate(self.rungs):
            said = _figures(rung, self._room(self.words_x))
            climb = _climbs(rung, self._room(beside))
            if place:
                y += self.row + LINE * (before + _further(climb))
            before = _further(said)
            top, first = y + self.words_y, y + self.why_y - (LINE - 2) * (len(climb) - 1)
            lines = [
                *_placed(said, self.words_x, top, LINE),
                *_placed(climb, beside, first, LINE - 2),
            ]
            yield Row(rung, y, tuple(lines))

    def _room(self, x: int) -> int:
        """For words that begin at `x`."""
        return self.width - x


def _placed(
    lines: Sequence[tuple[str, tuple[Linked, ...]]], x: int, top: int, step: int
) -> Iterator[DrawnLine]:
    for n, (kind, figures) in enumerate(lines):
        yield DrawnLine(kind=kind, x=x, y=top + step * n, figures=figures)


def _figures(rung: Rung, room: int) -> list[tuple[str, tuple[Linked, ...]]]:
    return [
        *(("words", line) for line in in_lines(rung.figures, "words", room)),
        *(("busy-words", line) for line in in_lines(rung.open, "busy-words", room)),
    ]


def _climbs(rung: Rung, room: int) -> list[tuple[str, tuple[Linked, ...]]]:
    if rung.climb is None:
        return []
    why = [Linked(words) for words in rung.climb.why.split(" · ")]
    return [
        *(("climbed", line) for line in in_lines(rung.climb.figures, "climbed", room)),
        *(("why", line) for line in in_lines(why, "why", room)),
    ]


def _further(lines: Sequence[object]) -> int:
    """Lines for which a row has no room of its own."""
    return max(len(lines) - 2, 0)


WIDE = Drawing(
    kind="wide",
    width=720,
    left=118,
    right=420,
    row=78,
    top=12,
    thick=28,
    words_x=434,
    words_y=12,
    why_y=-8,
)
NARROW = Drawing(
    kind="narrow",
    width=360,
    left=18,
    right=348,
    row=118,
    top=34,
    thick=14,
    words_x=18,
    words_y=30,
    why_y=-24,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """Both drawings, and the same in a sentence for those who cannot see it."""

    rungs: tuple[Rung, ...]
    sentence: str

    @property
    def wide(self) -> Drawing:
        """For desks and paper."""
        return replace(WIDE, rungs=self.rungs)

    @property
    def narrow(self) -> Drawing:
        """For phones: names stand above their bars."""
        return replace(NARROW, rungs=self.rungs)
