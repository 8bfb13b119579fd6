"""Workbooks: the first sheet of an .xlsx, or the one that is named, row by row.

openpyxl knows the format: where the sheets are, which numbers are dates. Its own way of going
through the rows holds every string of the workbook and an element for each row, which for a million
messages is a gigabyte, and takes four times as long. So lxml reads the rows here, and drops them as
they are read; strings are held packed, a page at a time, and a page is unpacked when a row asks for
it, which rows do in the order of the file.
"""

import datetime as dt
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from lxml.etree import LxmlError, iterparse
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import column_index_from_string
from openpyxl.worksheet._reader import WorkSheetParser

from worker.domain.backlog import BacklogError, Caps
from worker.intake.packed_strings import Strings
from worker.intake.records import Fields

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
ROW, CELL, TEXT, VALUE = f"{MAIN}row", f"{MAIN}c", f"{MAIN}t", f"{MAIN}v"
STRING, PHONETIC = f"{MAIN}si", f"{MAIN}rPh"
STRINGS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
MOST_ROWS = 1_048_576
"""Excel's own; a row numbered higher would have billions of empty ones before it."""
BROKEN = (
    *(KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, SyntaxError, EOFError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OverflowError, LxmlError),
)
"""What openpyxl, zipfile and the XML parser raise for what is not quite a workbook."""


def read_workbook(path: str, stream: IO[bytes], sheet: str | None, caps: Caps) -> Iterator[Fields]:
    """The rows of a sheet. Raises BacklogError when it cannot be read, or there is none so called;
    in the course of reading, when it breaks off."""
    warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")
    try:
        reader = _Reader(stream, caps)
        reader.read()
    except BROKEN as error:
        raise _broken(path, error) from None
    return _rows(path, reader, _choose(path, reader.sheets, sheet), caps)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook: its title, where it is, and whether people see it."""

    title: str
    place: str
    visible: bool


def _choose(path: str, sheets: list[Sheet], name: str | None) -> Sheet:
    titles = ", ".join(repr(one.title) for one in sheets[:20])
    if name is not None:
        found = next((one for one in sheets if one.title.strip() == name.strip()), None)
        if found is None:
            raise BacklogError(
                f"{path} has no sheet {name!r}; there are: {titles}.", mend="--sheet NAME"
            )
        return found
    seen = [one for one in sheets if one.visible] or sheets
    if not seen:
        raise _broken(path, None)
    return seen[0]


def _rows(path: str, reader: "_Reader", sheet: Sheet, caps: Caps) -> Iterator[Fields]:
    info = reader.archive.getinfo(sheet.place)
    _refuse_bomb(path, info, caps)
    book = reader.wb
    try:
        with reader.archive.open(info) as source:
            parser = _SheetParser(
                source,
                reader.shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,  # type: ignore[attr-defined]
                timedelta_formats=book._timedelta_formats,  # type: ignore[attr-defined]
            )
            for number, cells in parser.rows():
                if number > MOST_ROWS:
                    raise BacklogError(f"{path} has more rows than a sheet can have.")
                if any(cells):
                    yield Fields(number, cells)
    except BROKEN as error:
        raise _broken(path, error) from None


def _broken(path: str, error: BaseException | None) -> BacklogError:
    kind = f" ({type(error).__name__})" if error is not None else ""
    return BacklogError(
        f"{path} is an Excel workbook that cannot be read{kind}.",
        mend=f"open {path} in a spreadsheet, save it as CSV UTF-8, and enqueue that",
    )


def _refuse_bomb(path: str, info: zipfile.ZipInfo, caps: Caps) -> None:
    """What zipfile reads of a member is never more than it declares."""
    dense = info.file_size > 100_000_000 and info.file_size > caps.ratio * max(
        info.compress_size, 1
    )
    if info.file_size > caps.expanded or dense:
        raise BacklogError(f"{path} expands to more than is allowed; it looks like a bomb.")


class _Reader(ExcelReader):
    """openpyxl's, but for the strings."""

    def __init__(self, stream: IO[bytes], caps: Caps) -> None:
        super().__init__(stream, read_only=True, data_only=True, keep_links=False)
        self._caps = caps
        self.sheets: list[Sheet] = []

    def read(self) -> None:
        """What is needed of the workbook: the rest may be large, and is not looked at."""
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)
        self.read_worksheets()

    def read_worksheets(self) -> None:
        """Where the sheets are."""
        for sheet, relation in self.parser.find_sheets():
            if relation.target in self.valid_files and "chartsheet" not in relation.Type:
                self.sheets.append(Sheet(sheet.name, relation.target, sheet.state == "visible"))

    def read_strings(self) -> None:
        """The strings that cells refer to by number."""
        part = self.package.find(STRINGS)  # type: ignore[no-untyped-call]
        if part is not None:
            info = self.archive.getinfo(part.PartName[1:])
            _refuse_bomb("It", info, self._caps)
            with self.archive.open(info) as source:
                self.shared_strings = Strings(_strings(source))  # type: ignore[assignment]


def _strings(source: IO[bytes]) -> Iterator[str]:
    """Each string of the table, without the readings that stand above Japanese ones."""
    for element in elements(source, STRING):
        yield _text(element)


def elements(source: Any, *tags: str) -> Iterator[Any]:
    """Each element of these names, complete; it is gone when the next is asked for. Entities are
    not resolved, and nothing is fetched."""
    for _, element in iterparse(
        source, events=("end",), tag=tags, resolve_entities=False, no_network=True, load_dtd=False
    ):
        yield element
        element.clear(keep_tail=False)
        while (before := element.getprevious()) is not None:
            before.getparent().remove(before)


def _text(element: Any) -> str:
    """Of a string in one piece, or in several of different looks."""
    pieces = []
    for child in element:
        if child.tag == TEXT:
            pieces.append(child.text or "")
        elif child.tag != PHONETIC:
            pieces += [inner.text or "" for inner in child.iter(TEXT)]
    return "".join(pieces).replace("_x000D_", "").replace("\r\n", "\n")


class _SheetParser(WorkSheetParser):
    """openpyxl's, for what is not plain text: numbers that are dates, errors, results."""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row's number, and its cells as text."""
        number = 0
        for row in elements(self.source, ROW):
            number = int(row.get("r") or number + 1)
            yield number, self._cells(row)

    def _cells(self, row: Any) -> list[str]:
        cells: list[str] = []
        for cell in row:
            if cell.tag != CELL:
                continue
            place = _column(cell.get("r")) or len(cells) + 1
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
            return (cell.findtext(VALUE) or "").replace("_x000D_", "")
        if not len(cell):
            return ""
        self.col_counter = self.row_counter = 1
        return as_text(self.parse_cell(cell)["value"])


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
