"""The ladder's picture as values: rungs, arrows, and where they stand."""

from dataclasses import dataclass, replace

from worker.dashboard.screens.links import Linked


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """Up from a rung: how many, to where if not to the next rung, and the first reasons."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Where things stand, in units of the view box."""

    kind: str
    width: int
    left: int
    right: int
    row: int
    top: int
    thick: int
    words_x: int
    rungs: tuple[Rung, ...] = ()

    @property
    def height(self) -> int:
        """Of all rows, and what stands below the last bar."""
        return self.y(len(self.rungs) - 1) + 62

    @property
    def bar(self) -> int:
        """Length of a whole bar."""
        return self.right - self.left

    def y(self, place: int) -> int:
        """The upper edge of a row's bar."""
        return self.top + place * self.row


WIDE = Drawing(kind="wide", width=720, left=118, right=420, row=78, top=12, thick=28, words_x=434)
NARROW = Drawing(
    kind="narrow", width=360, left=18, right=348, row=118, top=34, thick=14, words_x=18
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
