"""In which words it is said what was done to a row, or what a value is."""

from typing import Any

from worker.domain.backlog import Record, Reject
from worker.domain.text import has_invisible

DIGITS = "a number, taken as its digits"
AS_TEXT = "HTML, taken as its text; the original is kept as original_body"
ENTITIES = "HTML's signs for characters, taken as these; the original is kept as original_body"
CUT = "without what it quotes and its signature; the original is kept as original_body"
NO_ROOM_FOR_ORIGINAL = "the original is too large to be kept"
UNREAD = "not understood as a time"
AMBIGUOUS = (
    "day or month first? The file does not show it, and --dates day or --dates month says it"
)
NOT_TEXT = "not text"
NOTHING_PUBLIC = " (nothing that the customer wrote)"
ONLY_NAMED = "files, of which the names are kept"


def kind_of(value: Any) -> str:
    """The kind of a JSON value, with its article."""
    kinds = {bool: "a boolean", int: "a number", float: "a number", list: "an array"}
    return "an object" if isinstance(value, dict) else kinds.get(type(value), "not text")


def warning_of(record: Record) -> Reject | None:
    """What is odd about a record that is taken nevertheless."""
    if has_invisible(record.external_id):
        return Reject(record.line, "external_id holds invisible characters", record.external_id)
    return None


def no_words(value: str) -> str:
    """Of a body that is only a word which programs write for nothing."""
    return f"empty body ({value}, which stands for nothing)"


def missing(field: str, value: Any) -> str:
    """Of a required field that holds no text."""
    return f"missing {field}" if value is None else f"{field} is {kind_of(value)}"
