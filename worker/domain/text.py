"""Text that came from outside, made safe for where it goes."""

import re
import unicodedata

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp"})
MOST_DIGITS = 19
CUT = " […]"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a formula of a cell; the wide ones do in East Asian spreadsheets."""


def cut(text: str, most: int) -> str:
    """At most so many characters; where some were left out, the end says so."""
    return text if len(text) <= most else text[: most - len(CUT)] + CUT


def storable(text: str) -> str:
    """Text as Postgres can hold it: no NUL, no lone surrogates."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def terminal_safe(text: str) -> str:
    """Control and bidirectional characters as visible escapes: a terminal obeys none of them.
    Newlines and tabs stay."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)


def neutralise_formula(cell: str) -> str:
    """A leading apostrophe where a spreadsheet would take the cell for a formula, and where one
    stands before such a cell already: so taking it away again gives the cell that went in."""
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA_STARTS) else cell


def restored_formula(cell: str) -> str:
    """What `neutralise_formula` was given."""
    neutral = cell.startswith("'") and cell.lstrip("'").startswith(FORMULA_STARTS)
    return cell[1:] if neutral else cell


def whole_number(words: str) -> int | None:
    """The number that these digits write; None for anything else, and for one with more digits than
    a number of the record can have: Python refuses to read thousands of them, and Postgres these.
    """
    return int(words) if words.isascii() and words.isdigit() and len(words) < MOST_DIGITS else None


def is_blank(text: str) -> bool:
    """Whether no character of the text can be seen: spaces, NBSP, zero-width and the like."""
    if text.strip():
        return all(unicodedata.category(character) in _INVISIBLE_CATEGORIES for character in text)
    return True


def has_invisible(text: str) -> bool:
    """Whether a format character (zero-width, bidirectional mark) hides in the text."""
    return not text.isascii() and any(unicodedata.category(c) == "Cf" for c in text)
