"""Rows as an Excel workbook, one after the other."""

import errno
import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from worker.domain.text import neutralise_formula
from worker.errors import RungError
from worker.runs.exports import ResultColumn, Row, Said, csv_cell

SHEET_ROWS = 1_048_575
CELL_CHARS = 32_767
"""What a workbook holds at most (Excel's specifications and limits)."""
CUT = " … (cut here: a cell of a workbook holds no more)"
MOST_DIGITS = 15
"""Of a number, beyond which Excel writes zeros."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write_workbook(
    path: Path,
    rows: Iterable[Row],
    columns: Sequence[ResultColumn],
    said: Said = neutralise_formula,
) -> None:
    """An Excel workbook, row after row. Raises RungError when there are more than it can hold."""
    from lxml.etree import SerialisationError
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.writer.excel import ExcelWriter

    book = Workbook(write_only=True)
    sheet = book.create_sheet("answers")

    def cell(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        made = WriteOnlyCell(sheet, value)
        # What begins with an equals sign would become a formula by itself.
        made.data_type = "s"
        return made

    with ExitStack() as last:
        # Where a disk is full, both would fail once more when they go, where nobody catches it.
        last.callback(_closed, sheet.close)
        try:
            sheet.append([cell(_sheet_cell(column.name, said)) for column in columns])
            for number, row in enumerate(rows, 1):
                refuse_more_than_fit(number)
                sheet.append([cell(_sheet_cell(column.value(row), said)) for column in columns])
            archive = ZipFile(path, "w", ZIP_DEFLATED)
            last.callback(_closed, archive.close)
            ExcelWriter(book, archive).save()
        except SerialisationError as error:  # libxml2's name for what the system said: IO_ENOSPC
            number = getattr(errno, str(error).removeprefix("IO_"), errno.EIO)
            raise OSError(number, os.strerror(number)) from None


def refuse_more_than_fit(rows: int) -> None:
    """Raises RungError when a workbook cannot hold so many."""
    if rows > SHEET_ROWS:
        raise RungError(
            f"A workbook holds {SHEET_ROWS:,} rows, and there are more.",
            mend="-o answers.csv, or --only ready",
        )


def _closed(close: Callable[[], Any]) -> None:
    with suppress(Exception):
        close()


def _sheet_cell(value: Any, said: Said) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if type(value) is int and len(str(abs(value))) > MOST_DIGITS:
        return str(value)
    if isinstance(value, int | float):
        return value
    shown = csv_cell(value, said)
    if not isinstance(shown, str):
        return shown
    held = _as_xml(shown)
    return held if len(held) <= CELL_CHARS else held[: CELL_CHARS - len(CUT)] + CUT


def _as_xml(value: str) -> str:
    """Without what XML cannot hold: control characters but tab and new lines, and what is none."""
    return _NOT_IN_XML.sub("", value)
