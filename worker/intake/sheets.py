"""Workbooks: the first sheet of an .xlsx that holds something, or the named one, row by row.

openpyxl knows what cells mean. Its own way of going through a workbook holds every string, every
style and an element for each row, which for a million messages is a gigabyte, and takes four times
as long. So lxml reads the rows here, and drops them as they are read; strings are read as far as a
row asks for them, which rows do in the order of the file, and are held packed, a page at a time.
"""

import datetime as dt
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from lxml.etree import LxmlError
from openpyxl.utils.cell import column_index_from_string
from openpyxl.worksheet._reader import WorkSheetParser

from worker.domain.backlog import BacklogError, Caps
from worker.intake.cell_words import UNCALCULATED
from worker.intake.elements import Reach, elements, refuse_bomb, what_broke
from worker.intake.packed_strings import Strings
from worker.intake.records import Fields, fields_of
from worker.intake.workbooks import MAIN, Sheet, Workbook

ROW, CELL, TEXT, VALUE = f"{MAIN}row", f"{MAIN}c", f"{MAIN}t", f"{MAIN}v"
FORMULA = f"{MAIN}f"
ROWS = f"{MAIN}sheetData"
STRING, PHONETIC = f"{MAIN}si", f"{MAIN}rPh"
_NUMBERED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_CHARACTERS = {"0009": "\t", "000A": "\n", "000D": "\n", "005F": "_", "00A0": "\xa0"}
"""Those that say something; the others are signs for machines."""
MOST_ROWS = 1_048_576
"""Excel's own; a row numbered higher would have billions of empty ones before it."""
SURELY_STRINGS = 1_000_000
"""Above these, strings that differ take a byte of the packed file each; empty ones a hundredth."""
BROKEN = (
    *(KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, SyntaxError, EOFError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OverflowError, LxmlError),
)
"""What openpyxl, zipfile and the XML parser raise for what is not quite a workbook."""


def read_workbook(
    path: str,
    stream: IO[bytes],
    sheet: str | None,
    caps: Caps,
    on_sheet: Callable[[str], None] = lambda _: None,
) -> Iterator[Fields]:
    """The rows of a sheet. `on_sheet` hears its title, where it is one of several. Raises
    BacklogError when it cannot be read, or there is none so called; in the course of reading, when
    it breaks off."""
    warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")
    try:
        archive = zipfile.ZipFile(stream)
        book = Workbook(path, archive, caps)
        parser = _SheetParser(
            _strings(path, archive, book.strings, caps), book.epoch, *book.dates(), book.shown
        )
    except BROKEN as error:
        raise _broken(path, error) from None
    chosen = _choose(path, book.sheets, sheet)
    return _first(
        ((one.title, _rows(path, archive, parser, one, caps)) for one in chosen),
        on_sheet if len(chosen) > 1 else lambda _: None,
    )


def _first(
    sheets: Iterator[tuple[str, Iterator[Fields]]], on_sheet: Callable[[str], None]
) -> Iterator[Fields]:
    """The rows of the first sheet that has some."""
    for title, rows in sheets:
        first = next(rows, None)
        if first is not None:
            on_sheet(title)
            yield first
            yield from rows
            return


def workbook_titles(path: str, stream: IO[bytes], caps: Caps) -> list[str]:
    """The sheets that people see. Raises what BROKEN names."""
    book = Workbook(path, zipfile.ZipFile(stream), caps)
    return [one.title for one in book.sheets if one.visible]


def _choose(path: str, sheets: list[Sheet], name: str | None) -> list[Sheet]:
    """The sheet that was named, or those that people see."""
    titles = ", ".join(repr(one.title) for one in sheets[:20])
    if name is not None:
        found = next((one for one in sheets if one.title.strip() == name.strip()), None)
        if found is None:
            raise BacklogError(
                f"{path} has no sheet {name!r}; there are: {titles}.", mend="--sheet NAME"
            )
        return [found]
    seen = [one for one in sheets if one.visible] or sheets
    if not seen:
        raise _broken(path, None)
    return seen


def _rows(
    path: str, archive: zipfile.ZipFile, parser: "_SheetParser", sheet: Sheet, caps: Caps
) -> Iterator[Fields]:
    info = archive.getinfo(sheet.place)
    refuse_bomb(path, info, caps)
    try:
        with archive.open(info) as source:
            for number, cells in parser.rows(source):
                if number > MOST_ROWS:
                    raise BacklogError(f"{path} has more rows than a sheet can have.")
                if any(cells):
                    yield fields_of(number, cells, caps)
    except BROKEN as error:
        raise _broken(path, error) from None


def _broken(path: str, error: BaseException | None) -> BacklogError:
    return BacklogError(
        f"{path} is an Excel workbook that cannot be read: {what_broke(error)}.",
        mend=f"open {path} in a spreadsheet, save it as CSV UTF-8, and enqueue that",
    )


def _strings(path: str, archive: zipfile.ZipFile, place: str, caps: Caps) -> Strings:
    """The strings that cells refer to by number, without the readings that stand above Japanese
    ones."""
    if not place:
        return Strings(iter(()))
    refuse_bomb(path, archive.getinfo(place), caps)
    return Strings(_read_strings(path, archive, place))


def _read_strings(path: str, archive: zipfile.ZipFile, place: str) -> Iterator[str]:
    most = max(SURELY_STRINGS, archive.getinfo(place).compress_size)
    with archive.open(place) as source:
        for element, _ in zip(elements(source, STRING), _no_more_than(most, path), strict=False):
            yield _text(element)


def _no_more_than(most: int, path: str) -> Iterator[int]:
    """So many turns. Raises BacklogError at the next."""
    yield from range(most)
    raise BacklogError(f"{path} holds more strings than bytes; it looks like a bomb.")


def _text(element: Any) -> str:
    """Of a string in one piece, or in several of different looks."""
    pieces = []
    for child in element:
        if child.tag == TEXT:
            pieces.append(child.text or "")
        elif child.tag != PHONETIC:
            pieces += [inner.text or "" for inner in child.iter(TEXT)]
    return _unescaped("".join(pieces)).replace("\r\n", "\n")


def _unescaped(text: str) -> str:
    """With the characters that a workbook writes by their numbers: `_x0009_`."""
    if "_x" not in text:
        return text
    text = text.replace("_x000D_\n", "\n").replace("_x000D__x000A_", "\n")
    return _NUMBERED.sub(lambda found: _CHARACTERS.get(found[1].upper(), ""), text)


class _SheetParser(WorkSheetParser):
    """openpyxl's, for what is not plain text: numbers that are dates, errors, results."""

    def __init__(
        self,
        strings: Strings,
        epoch: dt.datetime,
        dates: set[int],
        spans: set[int],
        shown: Mapping[int, tuple[str, int]],
    ) -> None:
        super().__init__(
            io.BytesIO(),
            strings,
            data_only=True,
            epoch=epoch,
            date_formats=dates,
            timedelta_formats=spans,
        )
        self._reach, self._shown = Reach(), shown

    def rows(self, source: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
        """Each row's number, and its cells as text."""
        number = 0
        for row in elements(source, ROW, until=ROWS):
            number = int(row.get("r") or number + 1)
            yield number, self._cells(row)

    def _cells(self, row: Any) -> list[str]:
        cells: list[str] = []
        for cell in row:
            if cell.tag != CELL:
                continue
            place = _column(cell.get("r")) or len(cells) + 1
            self._reach.over(place - len(cells))
            cells += [""] * (place - 1 - len(cells))
            cells[place - 1 : place] = [self._as_text(cell)]
        return cells

    def _as_text(self, cell: Any) -> str:
        kind = cell.get("t", "n")
        if kind == "s":
            number = cell.findtext(VALUE)
            return self.shared_strings[int(number)] if number else ""
        if kind == "inlineStr":
            return "".join(_text(child) for child in cell)
        if kind == "str":
            return _unescaped(cell.findtext(VALUE) or "")
        if not len(cell):
            return ""
        self.col_counter = self.row_counter = 1
        text = as_text(self.parse_cell(cell)["value"])
        if not text and cell.find(FORMULA) is not None:
            return UNCALCULATED
        if self._shown and text.isdecimal():
            before, digits = self._shown.get(int(cell.get("s") or 0), ("", 0))
            return f"{before}{text.zfill(digits)}"
        return text


def _column(coordinate: str | None) -> int:
    """The number of the column, counted from 1. Raises ValueError where it is none."""
    if not coordinate:
        return 0
    return int(column_index_from_string(coordinate.rstrip("0123456789")))


def as_text(value: Any) -> str:
    """A cell's value as CSV would have it: whole numbers as their digits, times in ISO's form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    return str(value)
