"""A table that stays readable where it does not fit: its rows become records, one below another."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

PIECE = 12
"""Characters at which a word may be parted: an address or a model's name need not fit whole."""


class FittingTable(Table):
    """Rich's table; where the terminal is too narrow for its words, each row stands by itself, a
    line a column, instead of columns of a letter or two."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if len(self.columns) < 3 or self._narrowest(console, options) <= options.max_width:
            yield from super().__rich_console__(console, options)
            return
        yield from self._records()

    def _narrowest(self, console: Console, options: ConsoleOptions) -> int:
        """Characters below which words would be parted."""
        _, right, _, left = self.padding
        wide = options.update(max_width=10_000)
        total = len(self.columns) * (left + right)
        for column in self.columns:
            found = [
                Measurement.get(console, wide, cell) for cell in (column.header, *column.cells)
            ]
            words = (one.maximum if column.no_wrap else min(one.minimum, PIECE) for one in found)
            total += max(*words, column.min_width or 0, 0)
        return total

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
