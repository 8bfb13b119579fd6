"""Rows of one thread as one message: its newest turn by the customer, with the others beside it.

A table of turns has a row for each of them and a column `thread_id`. Rows of a thread may stand
anywhere in the file, so they are put down in a file of their own until the end; in memory is only
where each lies, some 300 bytes a thread.
"""

import datetime as dt
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from worker.domain.backlog import Reject
from worker.domain.conversation import MAX_TURN_CHARS, MAX_TURNS, TURN_AT, TURN_WHO
from worker.intake.layouts import getter_of
from worker.intake.paths import column_of, parse_place
from worker.intake.rows import Item

THREAD_ID = "thread_id"
_CUSTOMERS = """
customer client user end_user enduser requester visitor contact lead consumer buyer guest
inbound incoming in true 1 kunde cliente utente klant
"""
CUSTOMERS = frozenset(_CUSTOMERS.split())
"""What a turn by the customer says of who spoke, in any case; hyphens and spaces as `_`."""
SAYS_WHO = ("role", "author_type", "sender_type", "direction", "inbound", "incoming", *TURN_WHO)
Row = Mapping[str, Any]


def has_threads(rows: Sequence[Row], column: str) -> bool:
    """Whether rows are turns of threads: they name one, and have no column with the turns."""
    names = tuple(dict.fromkeys(str(name) for row in rows for name in row))
    return column_of(THREAD_ID, names) is not None and column_of(column, names) is None


def threaded(items: Iterable[Item], column: str, columns: Mapping[str, str]) -> Iterator[Item]:
    """A row for each thread, whose other turns stand in `column`, oldest first; rows without a
    thread as they are. A thread in which the customer says nothing is a reject."""
    places: dict[str, list[int]] = {}
    with tempfile.TemporaryFile() as spool:
        for item in items:
            thread = None if isinstance(item, Reject) else _thread_of(item[1])
            if isinstance(item, Reject) or thread is None:
                yield item
                continue
            places.setdefault(thread, []).append(spool.tell())
            spool.write(orjson.dumps(item, default=str) + b"\n")
        for thread, lying in places.items():
            turns = list[tuple[int, Row]]()
            for place in lying:
                spool.seek(place)
                line, row = orjson.loads(spool.readline())
                turns.append((line, row))
            yield _message_of(thread, turns, column, columns)


def _thread_of(row: Row) -> str | None:
    name = column_of(THREAD_ID, tuple(row))
    value = row[name] if name is not None else None
    return str(value) if value not in (None, "") else None


def _message_of(
    thread: str, turns: list[tuple[int, Row]], column: str, columns: Mapping[str, str]
) -> Item:
    """The newest turn by the customer, as a row with the others in `column`."""
    turns = _in_time(turns, columns)
    own = [number for number, (_, row) in enumerate(turns) if _is_customer(row)]
    if not own:
        return Reject(turns[0][0], f"thread {thread[:100]!r} has no turn by the customer")
    line, chosen = turns[own[-1]]
    others = [row for number, (_, row) in enumerate(turns) if number != own[-1]][-MAX_TURNS:]
    said = [turn for row in others if (turn := _turn(row, columns)) is not None]
    return line, {**chosen, column: said} if said else chosen


def _in_time(turns: list[tuple[int, Row]], columns: Mapping[str, str]) -> list[tuple[int, Row]]:
    """By when they were said, where all of them tell it so that it can be compared; otherwise as
    they stand in the file."""
    moments = [_moment(_at(row, columns)) for _, row in turns]
    if any(moment is None for moment in moments):
        return turns
    order = sorted(range(len(turns)), key=lambda number: (moments[number], number))
    return [turns[number] for number in order]


def _moment(words: str | None) -> dt.datetime | None:
    try:
        read = dt.datetime.fromisoformat(words or "")
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)


def _is_customer(row: Row) -> bool:
    """As the row says; a table that does not say who spoke has turns by customers alone."""
    names = tuple(row)
    for name in SAYS_WHO:
        if (column := column_of(name, names)) is not None and row[column] not in (None, ""):
            word = str(row[column]).strip().casefold().replace("-", "_").replace(" ", "_")
            own = column_of("customer_id", names)
            return word in CUSTOMERS or (own is not None and str(row[own]).casefold() == word)
    return True


def _turn(row: Row, columns: Mapping[str, str]) -> dict[str, Any] | None:
    said = _had(row, columns, "body")
    if not said:
        return None
    who = _first(row, (*TURN_WHO, *SAYS_WHO))
    return {"who": who or "customer", "at": _at(row, columns), "said": said[:MAX_TURN_CHARS]}


def _at(row: Row, columns: Mapping[str, str]) -> str | None:
    return _had(row, columns, "received_at") or _first(row, TURN_AT)


def _had(row: Row, columns: Mapping[str, str], field: str) -> str | None:
    """One of our fields, by the place that it has in the file."""
    getter: Callable[[Row], Any] | None = getter_of(
        parse_place(columns.get(field, field)), tuple(row), set()
    )
    value = getter(row) if getter is not None else None
    return str(value).strip() if value not in (None, "") else None


def _first(row: Row, names: Sequence[str]) -> str | None:
    known = tuple(row)
    found = (column_of(name, known) for name in names)
    value = next((row[name] for name in found if name and row[name] not in (None, "")), None)
    return str(value) if value is not None else None
