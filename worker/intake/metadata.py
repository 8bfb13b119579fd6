"""What stands beside a question: kept as far as there is room."""

from collections.abc import Mapping
from typing import Any

import orjson

from worker.domain.backlog import Caps, Care, Note

TOO_LARGE = "metadata over the bound"
UNSTORABLE = "holds what Postgres cannot store"
NUL_IN_JSON = b"\\u0000"
DEEP = frozenset((dict, list))
"""Kinds of values that hold others."""


Kept = tuple[dict[str, Any] | None, bytes | None, list[Note]]
"""What is kept of a row's columns; the same as JSON, where it is all of them; and what is left out,
in words: no question is lost for what stands beside it."""


def with_room(extra: dict[str, Any], caps: Caps) -> Kept:
    """As much of it as there is room for: all, or the smallest values first, in the order of the
    file."""
    extra, notes = (
        (extra, []) if DEEP.isdisjoint(map(type, extra.values())) else _without_deep(extra, caps)
    )
    packed = _as_json(extra)
    if packed is not None and len(packed) <= caps.metadata and NUL_IN_JSON not in packed:
        return (extra, packed, notes) if extra else (None, None, notes)
    sizes = {}
    for name, value in extra.items():
        packed = _as_json({name: value})
        if packed is None or NUL_IN_JSON in packed:
            notes.append(Note(Care.LEFT_OUT, shown(name), UNSTORABLE))
        else:
            sizes[name] = len(packed)
    left, kept = caps.metadata - 2, set()
    for name in sorted(sizes, key=lambda name: sizes[name]):
        left -= sizes[name]
        if left >= 0:
            kept.add(name)
        else:
            notes.append(Note(Care.LEFT_OUT, shown(name), TOO_LARGE))
    return {name: extra[name] for name in extra if name in kept} or None, None, notes


def _without_deep(extra: dict[str, Any], caps: Caps) -> tuple[dict[str, Any], list[Note]]:
    kept, notes = {}, []
    for name, value in extra.items():
        if isinstance(value, dict | list) and too_deep(value, caps.depth - 1):
            words = f"nested deeper than {caps.depth} levels"
            notes.append(Note(Care.LEFT_OUT, shown(name), words))
        else:
            kept[name] = value
    return kept, notes


def shown(name: str) -> str:
    """A column's name as it may be listed: short, and of characters that can be."""
    return name[:60].encode(errors="replace").decode()


def too_deep(value: Any, left: int) -> bool:
    """Whether objects and arrays nest deeper than `left`."""
    if left < 0:
        return True
    if isinstance(value, Mapping):
        return any(too_deep(inner, left - 1) for inner in value.values())
    return isinstance(value, list) and any(too_deep(inner, left - 1) for inner in value)


def _as_json(extra: Mapping[str, Any]) -> bytes | None:
    try:
        return orjson.dumps(extra)
    except (TypeError, ValueError):
        return None
