"""What spreadsheets and programs make of a cell before it is exported: ids with signs around them,
numbers that were rounded, and words that stand for nothing."""

import re
import unicodedata
from typing import Any

NO_VALUE = frozenset(
    {"nan", "NaN", "None", "NULL", "null", "undefined", "<NA>", "NaT", "(null)", "[null]", "\\N"}
    | {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
    | {"#NV", "#BEZUG!", "#WERT!", "[object Object]"}
)
"""What programs write where they have nothing, and spreadsheets where they failed."""
FAILED = frozenset(word for word in NO_VALUE if word.startswith("#"))
"""An id may be any word, but no cell that a spreadsheet failed at is one."""
ROUNDED = re.compile(r"-?\d(?:[.,]\d+)?[Ee]\+\d{2,}")
WHOLE_FLOAT = re.compile(r"(-?\d{1,18})\.0")
_FORCED = re.compile(r'="([^"]*)"|\'(\d+|[=+@-]\S*)')
_DRESSED = re.compile(r"\s|[=']|.*(?:\s|\.0)\Z", re.S)

UNCALCULATED = "a formula that was never calculated: open the workbook, save it, and enqueue that"
"""What a cell is taken for that holds a formula and no value; a program wrote such a workbook."""
TRIMMED = "without the spaces around it"
UNDRESSED = "without the signs by which a spreadsheet keeps it as text"
POINT_CUT = "a whole number with .0 behind it, taken as its digits"
COMPOSED = "accents written as one character (Unicode's NFC)"


def tidied(value: Any, *, floats: bool) -> tuple[Any, str | None]:
    """The id without what the export put around it, and in which words that is said; None where it
    is as it was. `floats`: all ids of the file that have a point are whole numbers."""
    if type(value) is not str:
        return value, None
    if value.isascii():
        if not _DRESSED.match(value):
            return value, None
    elif not unicodedata.is_normalized("NFC", value):
        return unicodedata.normalize("NFC", value).strip() or value, COMPOSED
    if (bare := value.strip()) != value:
        return bare or value, TRIMMED
    if found := _FORCED.fullmatch(value):
        return found[1] or found[2] or value, UNDRESSED
    if floats and (whole := WHOLE_FLOAT.fullmatch(value)):
        return whole[1], POINT_CUT
    return value, None


def is_nothing(field: str, value: str) -> bool:
    """Whether a field holds only a word for nothing; a subject may be any word."""
    return value == UNCALCULATED or (value in NO_VALUE and field != "subject")


def why_no_id(value: str) -> str | None:
    """Why this cannot be what a row is known by."""
    if value == UNCALCULATED:
        return f"external_id is {value}"
    if value in FAILED:
        return f"external_id is {value}, where a spreadsheet failed"
    if "+" in value and ROUNDED.fullmatch(value):
        return (
            "external_id was rounded by a spreadsheet (save its column as text or as a number"
            " without decimals)"
        )
    return None
