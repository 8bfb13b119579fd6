"""Sheets of OpenDocument, as LibreOffice saves them: the first, or the one that is named."""

import zipfile
from collections.abc import Iterator
from typing import IO, Any

from worker.domain.backlog import BacklogError, Caps
from worker.intake.records import Fields
from worker.intake.sheets import BROKEN, MOST_ROWS, elements

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
MOST_COLUMNS = 16_384
_SIGNS = {f"{_TEXT}line-break": "\n", f"{_TEXT}tab": "\t"}


def read_opendocument(
    path: str, stream: IO[bytes], sheet: str | None, caps: Caps
) -> Iterator[Fields]:
    """The rows of a sheet. Raises BacklogError when it breaks off, or there is none so called."""
    try:
        with zipfile.ZipFile(stream) as archive:
            info = archive.getinfo("content.xml")
            if info.file_size > caps.expanded:
                raise BacklogError(f"{path} expands to more than is allowed; it looks like a bomb.")
            with archive.open(info) as source:
                yield from _rows(path, source, sheet)
    except BROKEN as error:
        raise BacklogError(
            f"{path} is an OpenDocument sheet that cannot be read ({type(error).__name__}).",
            mend=f"open {path} in a spreadsheet, save it as CSV UTF-8, and enqueue that",
        ) from None


def _rows(path: str, source: IO[bytes], sheet: str | None) -> Iterator[Fields]:
    number, table, titles = 1, None, []
    for row in elements(source, f"{_TABLE}table-row"):
        above = next(row.iterancestors(f"{_TABLE}table"))
        if above is not table:
            if table is not None and sheet in (None, titles[-1]):
                return
            number, table = 1, above
            titles.append(above.get(f"{_TABLE}name") or "")
        times = int(row.get(f"{_TABLE}number-rows-repeated") or 1)
        if sheet in (None, titles[-1]) and any(cells := _cells(row)):
            for further in range(min(times, MOST_ROWS)):
                yield Fields(number + further, cells)
        number += times
    if sheet is not None and sheet not in titles:
        there = ", ".join(map(repr, titles[:20]))
        raise BacklogError(
            f"{path} has no sheet {sheet!r}; there are: {there}.", mend="--sheet NAME"
        )


def _cells(row: Any) -> list[str]:
    cells: list[str] = []
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        times = int(cell.get(f"{_TABLE}number-columns-repeated") or 1)
        text = _as_text(cell)
        if not text and times > MOST_COLUMNS // 2:
            break  # The empty rest of the row.
        cells += [text] * min(times, MOST_COLUMNS - len(cells))
    return cells


def _as_text(cell: Any) -> str:
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in ("float", "currency", "percentage"):
        value = cell.get(f"{_OFFICE}value") or ""
        return value.removesuffix(".0")
    if kind == "date":
        return cell.get(f"{_OFFICE}date-value") or ""
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value") or ""
    return "\n".join(_paragraph(child) for child in cell if child.tag == f"{_TEXT}p")


def _paragraph(element: Any) -> str:
    pieces = [element.text or ""]
    for child in element:
        if child.tag == f"{_TEXT}s":
            pieces.append(" " * min(int(child.get(f"{_TEXT}c") or 1), 1_000))
        elif child.tag in _SIGNS:
            pieces.append(_SIGNS[child.tag])
        elif child.tag != f"{_OFFICE}annotation":
            pieces.append(_paragraph(child))
        pieces.append(child.tail or "")
    return "".join(pieces)
