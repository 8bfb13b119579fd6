"""In which words it is said what was done to a row, or what a value is."""

from collections.abc import Iterator, Mapping
from typing import Any

from worker.domain.backlog import Care, Note, Record, Reject
from worker.domain.text import has_invisible
from worker.intake.cell_words import UNCALCULATED

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
SUBJECT_ALONE = "subject_alone"
"""What a mail is marked by that says all in its subject."""
ONLY_SUBJECT = "the subject of a mail without a text, taken for it"
NOTHING_PUBLIC = " (nothing that the customer wrote)"
ONLY_NAMED = "files, of which the names are kept"


def kind_of(value: Any) -> str:
    """The kind of a JSON value, with its article."""
    kinds = {bool: "a boolean", int: "a number", float: "a number", list: "an array"}
    return "an object" if isinstance(value, dict) else kinds.get(type(value), "not text")


def of_mail(beside: Mapping[str, Any]) -> Iterator[Note]:
    """What is to be known of a mail, by what stands beside its text."""
    if "attachments" in beside:
        yield Note(Care.LEFT_OUT, "attachments", ONLY_NAMED)
    if SUBJECT_ALONE in beside:
        yield Note(Care.COERCED, "body", ONLY_SUBJECT)


def warning_of(record: Record) -> Reject | None:
    """What is odd about a record that is taken nevertheless."""
    if has_invisible(record.external_id):
        return Reject(record.line, "external_id holds invisible characters", record.external_id)
    return None


def no_words(value: str) -> str:
    """Of a body that is only a word which programs write for nothing."""
    if value == UNCALCULATED:
        return f"empty body ({value})"
    return f"empty body ({value}, which stands for nothing)"


def missing(field: str, value: Any) -> str:
    """Of a required field that holds no text."""
    return f"missing {field}" if value is None else f"{field} is {kind_of(value)}"
