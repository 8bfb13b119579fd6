"""What a look-up brought, held against its bounds and against the row that it was asked for.

A look-up is somebody's code or database: it may bring too much, the wrong shape, or another
customer's data. What does not pass is not shown, and the reason says so without repeating it.
"""

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from worker.domain.messages import MessageText
from worker.domain.text import storable

MOST_IN_JSON = 2**63 - 1
"""A longer whole number is shown as text."""
OWN = ("external_id", "customer_id", "channel", "language", "subject", "body")


NOT_CONFIGURED = "is not configured here"
"""What keeps a look-up that a run names and the worker does not know."""


class LookupRefused(Exception):
    """Why a look-up's records are not shown; a sentence without any of them."""


class RowRefused(LookupRefused):
    """Why a look-up cannot be asked about this row, whenever that is; nobody else's failure."""


@dataclass(frozen=True, slots=True)
class LookupMessage:
    """A message as look-ups are asked about it. `row` holds the row's own columns."""

    message_id: int
    external_id: str
    message: MessageText = field(repr=False)

    @property
    def customer_id(self) -> str | None:
        """Whose message it is."""
        return self.message.customer_id

    @property
    def subject(self) -> str | None:
        """Of the message."""
        return self.message.subject

    @property
    def body(self) -> str:
        """What the customer wrote."""
        return self.message.body

    @property
    def row(self) -> Mapping[str, Any]:
        """The row's own columns, as a copy: whoever is asked may do with it what they like."""
        return dict(self.message.attributes)

    def value(self, column: str) -> Any:
        """What the row has in a column, ours or its own; None where it has none."""
        if column in OWN:
            return self.external_id if column == "external_id" else getattr(self.message, column)
        return self.message.attributes.get(column)

    def scalar(self, column: str) -> str | int | float | None:
        """The same, to be bound or written into an address: lists and tables as JSON, numbers of
        more than 64 bits as text. Raises RowRefused for what no database and no address can hold.
        """
        value = self.value(column)
        if isinstance(value, str) and storable(value) == value:
            return value
        if value is None or (isinstance(value, float) and math.isfinite(value)):
            return value
        if isinstance(value, int) and abs(value) <= MOST_IN_JSON:
            return value
        if not isinstance(value, str | float):
            with contextlib.suppress(TypeError, ValueError, RecursionError):
                return str(value) if isinstance(value, int) else orjson.dumps(value).decode()
        raise RowRefused(f"was not asked, for what its row has in {column} cannot be sent")


@dataclass(frozen=True, slots=True)
class LookupBounds:
    """How much may be shown of one message, and what every record must share with its row."""

    records: int
    size_bytes: int
    match: Sequence[str]


def read_records(
    given: Any, asked: LookupMessage, bounds: LookupBounds
) -> tuple[Mapping[str, Any], ...]:
    """The records to be shown, without the columns that say whose they are. Raises
    LookupRefused."""
    records = _records(given)
    if len(records) > bounds.records:
        raise LookupRefused(f"brought {len(records)} records, and {bounds.records} are allowed")
    for record in records:
        _require_match(record, asked, bounds.match)
    plain = [_plain({k: v for k, v in one.items() if k not in bounds.match}) for one in records]
    size = len(orjson.dumps(plain))
    if size > bounds.size_bytes:
        raise LookupRefused(f"brought {size:,} bytes, and {bounds.size_bytes:,} are allowed")
    return tuple(plain)


def _records(given: Any) -> list[Mapping[str, Any]]:
    if given is None:
        return []
    found = [given] if isinstance(given, Mapping) else given
    if not isinstance(found, list | tuple) or not all(isinstance(one, Mapping) for one in found):
        raise LookupRefused("brought something that is neither a mapping nor a list of them")
    return [one for one in found if one]


def _require_match(record: Mapping[str, Any], asked: LookupMessage, match: Sequence[str]) -> None:
    for column in match:
        if column not in record:
            raise LookupRefused(f"brought a record without {column}, so nobody knows whose it is")
        own = asked.value(column)
        if own is None:
            raise LookupRefused(
                f"brought a record for a row without {column}; for such a row it must bring None"
            )
        if str(record[column]) != str(own):
            raise LookupRefused(f"brought a record of another {column} than the row's")


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it, and Postgres can hold it."""
    if all(map(_is_plain, record, record.values())):
        return dict(record)
    try:
        packed = orjson.dumps(
            {storable(str(name)): _clean(value) for name, value in record.items()},
            default=_as_text,
            option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS,
        )
    except (TypeError, ValueError, RecursionError):
        raise LookupRefused("brought a value that JSON cannot hold") from None
    found: dict[str, Any] = orjson.loads(packed)
    return {name: found[name] for name in map(storable, map(str, record))}


def _is_plain(name: object, value: object) -> bool:
    """Whether it is its own JSON, as nearly everything is that a table holds."""
    if type(name) is not str or storable(name) != name:
        return False
    if type(value) is str:
        return storable(value) == value
    return value is None or (type(value) is int and -MOST_IN_JSON <= value <= MOST_IN_JSON)


def _as_text(value: object) -> Any:
    """What JSON has no word for, as people write it. Raises TypeError where nobody does."""
    match value:
        case bytes() | bytearray() | memoryview():
            return storable(bytes(value).decode())
        case set() | frozenset():
            return sorted(map(str, value))
    if type(value).__str__ is object.__str__:
        raise TypeError("an object without words of its own")
    return storable(str(value))


def _clean(value: Any) -> Any:
    match value:
        case int() if abs(value) > MOST_IN_JSON:
            return str(value)
        case str():
            return storable(value)
        case Mapping():
            return {storable(str(name)): _clean(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_clean(inner) for inner in value]
    return value
