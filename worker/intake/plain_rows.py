"""Rows that need no second look: their fields are text in columns of their own, and nothing in them
is what the careful judgement would change, note or refuse. Most rows of most files are such."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.domain.backlog import LONGEST, Caps, Record
from worker.intake.cell_words import NO_VALUE

_plain_id = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/@#-]{,99}").fullmatch
"""No sign of these can be a spreadsheet's failure, a rounded number, a space or invisible."""
FIELD, BODY = 100, 20_000
"""Characters. What is longer may be too long, and is judged where the bounds are known."""
_WORD = max(map(len, NO_VALUE))
NUL = "\x00"


@dataclass(frozen=True, slots=True)
class PlainColumns:
    """In which column each of our fields stands as a whole."""

    external_id: str
    body: str
    others: tuple[tuple[str, str], ...]
    """Field and column."""


def plain_columns(columns: Mapping[str, str]) -> PlainColumns | None:
    """For rows whose fields, all of them, are in these columns. None where every row needs a second
    look: an id or a body is nowhere, or times are to be read."""
    others = tuple((field, columns[field]) for field in columns if field in LONGEST)
    if len(others) + 2 != len(columns) or not {"external_id", "body"} <= columns.keys():
        return None
    return PlainColumns(columns["external_id"], columns["body"], others)


def are_wide(caps: Caps) -> bool:
    """Whether nothing that is plain can be beyond these bounds."""
    return caps.body_chars >= BODY and caps.id_chars >= FIELD


def plain_record(line: int, row: Mapping[str, Any], columns: PlainColumns | None) -> Record | None:
    """The record of a plain row; None of any other, which is to be judged with care."""
    if columns is None:
        return None
    external_id, body = row[columns.external_id], row[columns.body]
    if (
        type(external_id) is not str
        or type(body) is not str
        or not _plain_id(external_id)
        or not body[:1].isalnum()
        or "<" in body
        or "&" in body
        or NUL in body
        or not _WORD < len(body) <= BODY
    ):
        return None
    record = Record(line=line, external_id=external_id, body=body)
    for field, column in columns.others:
        value = row[column]
        if value is None:
            continue
        if type(value) is not str or len(value) > FIELD or "<" in value or NUL in value:
            return None
        if not value or value in NO_VALUE:
            return None
        setattr(record, field, value)
    return record
