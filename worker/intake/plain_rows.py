"""Rows that need no second look: their fields are text in columns of their own, and nothing in them
is what the careful judgement would change, note or refuse. Most rows of most files are such."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.domain.backlog import LONGEST, Caps, Record
from worker.intake.cell_words import NO_VALUE, UNCALCULATED

is_plain_id = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/@#-]{,99}").fullmatch
"""No sign of these can be a spreadsheet's failure, a rounded number, a space or invisible."""
FIELD, BODY = 100, 20_000
"""Characters. What is longer may be too long, and is judged where the bounds are known."""
LONGEST_WORD = max(map(len, NO_VALUE))
NO_WORDS = NO_VALUE | {UNCALCULATED}
NUL = "\x00"
SIGNS_IN_BODY = ("<", "&", NUL, UNCALCULATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainColumns:
    """In which column each of our fields stands as a whole."""

    external_id: str
    body: str
    others: tuple[tuple[str, str], ...]
    """Field and column."""
    moment: str | None
    """Where it says when the message came."""


def plain_columns(columns: Mapping[str, str]) -> PlainColumns | None:
    """For rows whose fields, all of them, are in these columns. None where every row needs a second
    look, for an id or a body is nowhere."""
    if not {"external_id", "body"} <= columns.keys():
        return None
    others = tuple((field, columns[field]) for field in columns if field in LONGEST)
    return PlainColumns(
        external_id=columns["external_id"],
        body=columns["body"],
        others=others,
        moment=columns.get("received_at"),
    )


def are_wide(caps: Caps) -> bool:
    """Whether nothing that is plain can be beyond these bounds."""
    return caps.body_chars >= BODY and caps.id_chars >= FIELD


def plain_record(
    line: int, row: Mapping[str, Any], columns: PlainColumns, *, floats: bool | None
) -> Record | None:
    """The record of a plain row, but for when it came; None of any other, which is to be judged
    with care. Of a table (`floats` is not None) ids must be as no export dresses them."""
    external_id, body = row[columns.external_id], row[columns.body]
    if (
        type(external_id) is not str
        or type(body) is not str
        or not is_plain_id(external_id)
        or not body[:1].isalnum()
        or not LONGEST_WORD < len(body) <= BODY
        or "<" in body
        or "&" in body
        or NUL in body
        or body == UNCALCULATED
        or (floats is not None and external_id.endswith(".0"))
        or (columns.moment is not None and not _is_word(row[columns.moment]))
    ):
        return None
    record = Record(line=line, external_id=external_id, body=body)
    for field, column in columns.others:
        value = row[column]
        if not value and _is_word(value):
            continue
        if type(value) is not str or len(value) > FIELD or "<" in value or NUL in value:
            return None
        if value in NO_WORDS:
            return None
        if (
            floats is not None
            and field == "customer_id"
            and (not is_plain_id(value) or value.endswith(".0"))
        ):
            return None
        setattr(record, field, value)
    return record


def _is_word(value: Any) -> bool:
    """Whether it is text, or nothing at all, and no word for nothing."""
    return value is None or (type(value) is str and value not in NO_WORDS)
