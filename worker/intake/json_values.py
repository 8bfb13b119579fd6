"""Values of JSON as programs write it: numbers that nothing holds, words that are not JSON, rows
that are lists below a header, and objects that were written as text once more."""

import json

from worker.domain.backlog import MOST_COLUMNS, Reject
from worker.intake.names import rank_of
from worker.intake.paths import normal
from worker.intake.rows import Item

MOST_WHOLE = 2**63
MOST_DIGITS = 20
"""Of a whole number that 64 bits can hold."""
_TAPS_OWN = {
    "SCHEMA": {"type", "stream", "schema", "key_properties", "bookmark_properties"},
    "ACTIVATE_VERSION": {"type", "stream", "version"},
    "STATE": {"type", "value", "state"},
    "LOG": {"type", "log"},
    "TRACE": {"type", "trace"},
}
"""What a message of Singer's or Airbyte's protocol holds where it is no row."""
TAPS = frozenset(_TAPS_OWN) | {"RECORD"}
NO_ROW = "a message of the protocol that the file is written in, and no row"
_WHOLE = frozenset({"$numberLong", "$numberInt"})
_MONGOS = _WHOLE | {"$oid", "$date", "$numberDouble", "$numberDecimal", "$uuid", "$symbol"}
ENVELOPES = ("_source", "_airbyte_data")
_DEEPER = frozenset((dict, float))


def is_flat(row: dict[str, object]) -> bool:
    """Whether a row is one as it stands: nothing in it is deeper, is a number that may have lost
    digits, or is what a protocol says of it. Nothing is unwrapped of such, as of most rows."""
    return (
        "type" not in row
        and len(row) <= MOST_COLUMNS
        and _DEEPER.isdisjoint(map(type, row.values()))
    )


def item_of(line: int, row: dict[str, object]) -> Item:
    """The row that an object is, or has in it, or why there is none."""
    inner = unwrapped(row)
    if inner is None:
        return Reject(line, NO_ROW)
    if len(inner) > MOST_COLUMNS:
        return Reject(line, f"{len(inner):,} columns, and {MOST_COLUMNS:,} are read")
    return line, inner


def keyed(key: str, item: Item | None) -> Item:
    """The row that an object has under its id."""
    if not isinstance(item, tuple):
        return item or Reject(1, "not an object")
    line, row = item
    named = any(normal(name) in ("id", "externalid") for name in row)
    return line, row if named else {"id": key, **row}


def unwrapped(row: dict[str, object]) -> dict[str, object] | None:
    """The row inside an object that holds nothing else: `{"ticket": {…}}`; or that is what a search
    engine or a pipeline keeps beside words of its own. None where it says that it holds none."""
    if "type" in row and type(row["type"]) is str and row["type"] in TAPS:
        return _of_a_tap(row)
    for name in ENVELOPES:
        inner = row.get(name)
        if type(inner) is dict and inner:
            return {**{key: value for key, value in row.items() if key != name}, **inner}
    if type(key := row.get("_id")) is dict and "$oid" in key:
        return {name: _of_mongo(value) for name, value in row.items()}
    if len(row) == 1:
        (inner,) = row.values()
        if isinstance(inner, dict) and inner:
            return inner
    return row


def _of_mongo(value: object) -> object:
    """The id, the time or the number that MongoDB writes as an object: `{"$oid": "65f0…"}`."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        if name in _MONGOS:
            return int(inner) if name in _WHOLE and str(inner).isdecimal() else _of_mongo(inner)
    return value


def _of_a_tap(row: dict[str, object]) -> dict[str, object] | None:
    """The row in a message of Singer's or Airbyte's protocol, where it stands one deeper; None of
    those that hold none: a schema, a state, a line of the log."""
    kind, record = str(row["type"]), row.get("record")
    if kind == "RECORD" and isinstance(record, dict) and record:
        inner = record.get("data")
        return inner if isinstance(inner, dict) and "stream" in record else record
    own = _TAPS_OWN.get(kind)
    return None if own is not None and row.keys() <= own else row


def header_of(cells: list[object]) -> list[str] | None:
    """The names, where a list holds nothing else, and some of them are names of ours."""
    names = [one for one in cells if isinstance(one, str)]
    known = any(rank_of(field, name) for name in names for field in ("external_id", "body"))
    return names if known and len(names) == len(cells) else None


def as_row(element: object, header: list[str] | None) -> dict[str, object] | None:
    """An object; a list of cells below a header; or text that holds an object once more."""
    if isinstance(element, str) and element.lstrip()[:1] == "{":
        try:
            element = DECODER.decode(element)
        except (ValueError, RecursionError):
            return None
    if isinstance(element, list) and header is not None and len(element) <= len(header):
        return dict(zip(header, element, strict=False))
    return element if isinstance(element, dict) else None


def _nothing(_: str) -> None:
    """Of `NaN` and `Infinity`, which are not JSON, and which programs write for nothing."""


def _whole(digits: str) -> int | str:
    """A number of more than 64 bits as its digits: it is an id, and nothing holds it."""
    if len(digits) > MOST_DIGITS:
        return digits
    number = int(digits)
    return number if -MOST_WHOLE <= number < MOST_WHOLE else digits


DECODER = json.JSONDecoder(parse_constant=_nothing, parse_int=_whole, strict=False)
