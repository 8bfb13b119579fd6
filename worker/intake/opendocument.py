"""Sheets of OpenDocument, as LibreOffice saves them: the first that holds something, or the named
one."""

import re
import zipfile
from collections.abc import Callable, Iterator
from typing import IO, Any

from worker.domain.backlog import MOST_COLUMNS, BacklogError, Caps
from worker.intake.elements import (
    FAR,
    Reach,
    attributes,
    elements,
    refuse_bomb,
    what_broke,
)
from worker.intake.records import Fields, fields_of
from worker.intake.sheets import BROKEN, MOST_ROWS

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
WORDS = 20
"""A column with a word costs as much time as so many without."""
_SIGNS = {f"{_TEXT}line-break": "\n", f"{_TEXT}tab": "\t"}


def read_opendocument(
    path: str,
    stream: IO[bytes],
    sheet: str | None,
    caps: Caps,
    on_sheet: Callable[[str], None] = lambda _: None,
) -> Iterator[Fields]:
    """The rows of a sheet. `on_sheet` hears its title. Raises BacklogError when it breaks off, or
    there is none so called."""
    try:
        with zipfile.ZipFile(stream) as archive:
            info = archive.getinfo("content.xml")
            refuse_bomb(path, info, caps)
            with archive.open(info) as source:
                yield from _rows(path, source, sheet, caps, on_sheet)
    except BROKEN as error:
        raise BacklogError(
            f"{path} is an OpenDocument sheet that cannot be read: {what_broke(error)}.",
            mend=f"open {path} in a spreadsheet, save it as CSV UTF-8, and enqueue that",
        ) from None


def opendocument_titles(path: str, stream: IO[bytes], caps: Caps) -> list[str]:
    """The sheets, in their order. Raises what BROKEN names."""
    with zipfile.ZipFile(stream) as archive:
        info = archive.getinfo("content.xml")
        refuse_bomb(path, info, caps)
        with archive.open(info) as source:
            return [
                known.get(f"{_TABLE}name", "") for _, known in attributes(source, f"{_TABLE}table")
            ]


def _rows(
    path: str, source: IO[bytes], sheet: str | None, caps: Caps, on_sheet: Callable[[str], None]
) -> Iterator[Fields]:
    number, table, titles, given, reach = 1, None, [], False, Reach()
    for row in elements(source, f"{_TABLE}table-row"):
        above = next(row.iterancestors(f"{_TABLE}table"))
        if above is not table:
            if table is not None and (given or sheet == titles[-1]):
                return
            number, table = 1, above
            titles.append(above.get(f"{_TABLE}name") or "")
        times = max(int(row.get(f"{_TABLE}number-rows-repeated") or 1), 1)
        if sheet in (None, titles[-1]) and any(cells := _cells(row, caps, reach)):
            if number + times - 1 > MOST_ROWS:
                raise BacklogError(f"{path} has more rows than a sheet can have.")
            reach.over((times - 1) * (FAR + len(cells)))
            if not given:
                on_sheet(titles[-1])
            given = True
            for further in range(times):
                yield fields_of(number + further, cells, caps)
        number += times
    if sheet is not None and sheet not in titles:
        there = ", ".join(map(repr, titles[:20]))
        raise BacklogError(
            f"{path} has no sheet {sheet!r}; there are: {there}.", mend="--sheet NAME"
        )


def _cells(row: Any, caps: Caps, reach: Reach) -> list[str]:
    cells: list[str] = []
    empty = 0
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        times = min(
            int(cell.get(f"{_TABLE}number-columns-repeated") or 1),
            MOST_COLUMNS - len(cells) - empty,
        )
        text = _as_text(cell, caps.original)
        if not text:
            # Perhaps the rest of the row, which is as wide as the sheet.
            empty += times
            continue
        reach.over(empty)
        reach.over(times, WORDS)
        cells += [""] * empty + [text] * times
        empty = 0
    return cells


def _as_text(cell: Any, most: int) -> str:
    """The cell's text, which is no longer than `most` characters: a sign may stand for a thousand
    spaces, and a cell may hold very many of them."""
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in ("float", "currency", "percentage"):
        value = (cell.get(f"{_OFFICE}value") or "").removesuffix(".0")
        seen = "".join(_pieces(cell)) if kind == "float" and value.isdecimal() else ""
        # An id is what people see: `00042`, and not the number behind it.
        return seen if _SEEN.fullmatch(seen) and seen.endswith(value) else value
    if kind == "date":
        return cell.get(f"{_OFFICE}date-value") or ""
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value") or ""
    pieces: list[str] = []
    for piece in _pieces(cell):
        most -= len(piece)
        if most < 0:
            break
        pieces.append(piece)
    return "".join(pieces)


_SEEN = re.compile(r"[A-Za-z-]{0,20}0*[0-9]{1,18}")


def _pieces(cell: Any) -> Iterator[str]:
    between = ""
    for child in cell:
        if child.tag == f"{_TEXT}p":
            yield between
            yield from _paragraph(child)
            between = "\n"


def _paragraph(element: Any) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag == f"{_TEXT}s":
            yield " " * min(int(child.get(f"{_TEXT}c") or 1), 1_000)
        elif child.tag in _SIGNS:
            yield _SIGNS[child.tag]
        elif child.tag != f"{_OFFICE}annotation":
            yield from _paragraph(child)
        yield child.tail or ""
