"""What a workbook says of itself: its sheets, where they and its strings are, and which of its
numbers are dates. Of all else that it says of itself, which may be a lot, nothing is held."""

import datetime as dt
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from openpyxl.styles.numbers import builtin_format_code, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, WINDOWS_EPOCH

from worker.domain.backlog import Caps
from worker.intake.elements import attributes, refuse_bomb

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_PART, _ENDING = f"{_TYPES}Override", f"{_TYPES}Default"
_SHEET, _PROPERTIES = f"{MAIN}sheet", f"{MAIN}workbookPr"
_FORMAT, _STYLE, _STYLES = f"{MAIN}numFmt", f"{MAIN}xf", f"{MAIN}cellStyleXfs"
_BOOKS = frozenset(
    f"application/vnd.{kind}.main+xml"
    for kind in (
        "openxmlformats-officedocument.spreadsheetml.sheet",
        "openxmlformats-officedocument.spreadsheetml.template",
        "ms-excel.sheet.macroEnabled",
        "ms-excel.template.macroEnabled",
    )
)
_STRINGS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_USUAL_BOOK, _STYLES_PART = "xl/workbook.xml", "xl/styles.xml"
_NUMBERS = re.compile(r'(?:"([^"]{1,40})")?(0+)(?:;.*|_[-)])?')
"""A format of ids: as many digits, behind a word."""
MOST_FORMAT_CHARS = 255
"""Of a format of numbers (Excel's own bound)."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook: its title, where it is, and whether people see it."""

    title: str
    place: str
    visible: bool


class Workbook:
    """The parts of a workbook, each looked at as it is needed. All raise what BROKEN names."""

    def __init__(self, path: str, archive: zipfile.ZipFile, caps: Caps) -> None:
        self._path, self._archive, self._caps = path, archive, caps
        self.epoch: dt.datetime = WINDOWS_EPOCH
        self._book, self.strings = _USUAL_BOOK, ""
        """Where the strings are that cells refer to by number; empty where there are none."""
        self.shown: dict[int, tuple[str, int]] = {}
        """Styles in which whole numbers have something before them, or at least so many digits."""
        self._look()
        self.sheets = list(self._sheets())

    def _about(self, part: str, *tags: str) -> Iterator[tuple[str, Mapping[str, str]]]:
        info = self._archive.getinfo(part)
        refuse_bomb(self._path, info, self._caps)
        with self._archive.open(info) as source:
            yield from attributes(source, *tags)

    def _look(self) -> None:
        found = False
        for tag, known in self._about("[Content_Types].xml", _PART, _ENDING):
            kind, place = known.get("ContentType"), known.get("PartName", "")[1:]
            if kind in _BOOKS and not found:
                found, self._book = True, place if tag == _PART else _USUAL_BOOK
            elif kind == _STRINGS and tag == _PART:
                self.strings = place
        if not found:
            raise KeyError(_USUAL_BOOK)

    def _sheets(self) -> Iterator[Sheet]:
        folder, name = posixpath.split(self._book)
        parts = {
            known["Id"]: (posixpath.normpath(posixpath.join(folder, known["Target"])).lstrip("/"))
            for _, known in self._about(f"{folder}/_rels/{name}.rels".lstrip("/"), _RELATION)
            if known.get("TargetMode") != "External" and "chartsheet" not in known.get("Type", "")
        }
        there = set(self._archive.namelist())
        for tag, known in self._about(self._book, _SHEET, _PROPERTIES):
            if tag == _PROPERTIES and known.get("date1904", "0").lower() in ("1", "true", "on"):
                self.epoch = CALENDAR_MAC_1904
            place = parts.get(known.get(_RELATED, ""))
            if tag == _SHEET and place in there:
                visible = known.get("state", "visible") == "visible"
                yield Sheet(known["name"], place, visible)

    def dates(self) -> tuple[set[int], set[int]]:
        """The styles in which numbers are dates, and those in which they are spans of time."""
        own: dict[int, str] = {}
        dates, spans, number = set[int](), set[int](), 0
        if _STYLES_PART not in self._archive.namelist():
            return dates, spans
        for tag, known in self._about(_STYLES_PART, _FORMAT, _STYLE, _STYLES):
            if tag == _FORMAT:
                own[int(known["numFmtId"])] = known.get("formatCode", "")[:MOST_FORMAT_CHARS]
                continue
            if tag == _STYLES:
                # What ended here were the styles that styles are made from.
                dates, spans, number = set[int](), set[int](), 0
                self.shown.clear()
                continue
            which = int(known.get("numFmtId", 0))
            code = own.get(which) or builtin_format_code(which)
            if found := _NUMBERS.fullmatch(code or ""):
                self.shown[number] = (found[1] or "", len(found[2]))
            dates |= {number} if is_date_format(code) else set()
            spans |= {number} if is_timedelta_format(code) else set()
            number += 1
        return dates, spans
