"""What was said before: the thread in a column of a row, as much of it as there is room for."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from worker.domain.messages import MessageText
from worker.domain.text import cut

MAX_WHO_CHARS = 80
MAX_TURNS, MAX_TURN_CHARS, MAX_THREAD_CHARS = 20, 2_000, 8_000
"""What is shown of a thread: its newest turns."""
TURN_WHO = ("who", "author", "role", "from", "sender")
TURN_AT = ("at", "when", "created_at", "timestamp", "date")
TURN_SAID = ("said", "text", "body", "message", "content")


class ThreadTurn(NamedTuple):
    """Something that was said before, by whom, and when, as the row has it."""

    who: str
    said: str
    at: str | None = None


def thread_of(message: MessageText, column: str) -> tuple[ThreadTurn, ...]:
    """The thread in a column of the row: a list of turns, or JSON of one. What is no turn is passed
    over, and so is a last turn that is the message itself."""
    given = message.attributes.get(column)
    if isinstance(given, str):
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            return ()
    if not isinstance(given, Sequence):
        return ()
    turns = [turn for one in given if (turn := _turn(one)) is not None]
    if turns and turns[-1].said.strip() == message.body.strip():
        turns.pop()
    return newest(turns)


def newest(turns: Sequence[ThreadTurn]) -> tuple[ThreadTurn, ...]:
    """As many of the last turns as there is room for, oldest first."""
    kept, left = list[ThreadTurn](), MAX_THREAD_CHARS
    for turn in reversed(turns[-MAX_TURNS:]):
        said, who = cut(turn.said, MAX_TURN_CHARS), cut(turn.who, MAX_WHO_CHARS)
        left -= len(said)
        if left < 0:
            break
        whole = said is turn.said and who is turn.who
        kept.append(turn if whole else ThreadTurn(who, said, turn.at))
    return tuple(reversed(kept))


def _turn(one: Any) -> ThreadTurn | None:
    if not isinstance(one, dict):  # as JSON has it
        return None
    said = _first(one, TURN_SAID)
    if not said:
        return None
    return ThreadTurn(_first(one, TURN_WHO) or "unknown", said, _first(one, TURN_AT))


def _first(one: Mapping[str, Any], names: Sequence[str]) -> str | None:
    value = None
    for name in names:
        value = one.get(name)
        if value is not None and value != "":
            break
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, dict):  # a helpdesk's author: {"name": …}
        value = value.get("name") or value.get("type")
    return None if value is None else str(value).strip()
