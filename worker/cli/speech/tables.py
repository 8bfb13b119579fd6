"""A table that stays readable where it does not fit: its rows become records, one below another."""

from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

NARROW = 60
"""Columns of a terminal on which figures have no room for bars beside them."""
PIECE = 12
"""Characters at which a word may be parted: an address or a model's name need not fit whole."""


CLOSE = (0, 1, 0, 0)
"""One space between columns, where two would not leave room for their words."""


class FittingTable(Table):
    """Rich's table; where the terminal is too narrow for its words, its columns move together, and
    where that is not enough, each row stands by itself, a line a column, instead of columns of a
    letter or two."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # What does not fit goes on in the next line, where rich would cut it.
        self.columns = [replace(column, overflow="fold") for column in self.columns]
        widths = [self._widths(console, options, column) for column in self.columns]
        spare = self._spare(options, widths)
        if spare < 0 and len(self.columns) >= 3:
            self.padding, self.pad_edge = CLOSE, False
            spare = self._spare(options, widths)
        if len(self.columns) < 3 or spare >= 0:
            self._share_out(spare, widths)
            yield from super().__rich_console__(console, options)
            return
        yield from self._records()

    def _spare(self, options: ConsoleOptions, widths: list[tuple[int, int]]) -> int:
        """Characters beside the widths below which words would be parted."""
        _, right, _, left = self.padding
        edges = 0 if self.pad_edge else left + right
        room = options.max_width - len(self.columns) * (left + right) + edges
        return room - sum(least for least, _ in widths)

    def _share_out(self, spare: int, widths: list[tuple[int, int]]) -> None:
        """Where not all fit whole, each gets its words' width, and of what is left by what it
        lacks: rich would narrow them by their share of the whole, and part short words."""
        lacking = sum(most - least for least, most in widths)
        if not 0 <= spare < lacking:
            return
        for column, (least, most) in zip(self.columns, widths, strict=True):
            column.width = least + spare * (most - least) // lacking

    def _widths(self, console: Console, options: ConsoleOptions, column: Column) -> tuple[int, int]:
        """Characters below which words would be parted, and on which all fits in a line."""
        wide = options.update(max_width=10_000)
        found = [Measurement.get(console, wide, cell) for cell in (column.header, *column.cells)]
        words = (one.maximum if column.no_wrap else min(one.minimum, PIECE) for one in found)
        least = max(*words, column.min_width or 0, 0)
        return least, max(least, *(one.maximum for one in found))

    def _records(self) -> Iterator[ConsoleRenderable]:
        if self.title:
            yield Text(str(self.title))
        for number, cells in enumerate(
            zip(*(column.cells for column in self.columns), strict=True)
        ):
            if number:
                yield Text()
            record = Table(box=None, show_header=False, pad_edge=False)
            record.add_column(no_wrap=True, style="dim")
            record.add_column()
            for column, cell in zip(self.columns, cells, strict=True):
                if str(cell):
                    record.add_row(column.header, cell)
            yield record
