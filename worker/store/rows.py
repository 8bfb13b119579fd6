"""Values on their way into SQL and out of it.

Many rows travel in as one JSON parameter: `jsonb_to_recordset` takes a whole group in one bound
value, so a statement's text never changes and a group of 100 costs one round trip. Decimals travel
as text: no float touches money.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any, TypeVar

import orjson
from sqlalchemy import Result, Row

from models.vocabulary import OPEN_STATES
from worker.domain.messages import MessageText

Value = TypeVar("Value")
HIGHEST_ID = 2**63 - 1
"""Above every id."""
OPEN_JOBS = ", ".join(f"'{state}'" for state in OPEN_STATES)
"""States of jobs that have not ended, for `IN (…)`: written out, so that partial indexes serve."""


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """A JSON array for `jsonb_to_recordset`."""
    return orjson.dumps(list(rows), default=_encode).decode()


def _encode(value: object) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} does not go into SQL")


def as_document(value: Any, *left_out: str) -> dict[str, Any]:
    """A value as JSON gives it: its fields by name, in their order, but for those left out."""
    names = (field.name for field in fields(value))
    return {name: getattr(value, name) for name in names if name not in left_out}


def columns(kind: type[Any]) -> str:
    """The columns that make a value of a class whose fields are named like them."""
    return ", ".join(field.name for field in fields(kind))


def message_of(row: Row[Any]) -> MessageText:
    """What a decision may know of a message, from a row that has its columns."""
    return MessageText(
        body=row.body,
        subject=row.subject,
        channel=row.channel,
        language=row.language,
        customer_id=row.customer_id,
        attributes=row.metadata,
    )


def values_of(kind: type[Value], found: Result[Any]) -> list[Value]:
    """Rows as values of a class whose fields are the columns."""
    return [kind(**row) for row in found.mappings()]
