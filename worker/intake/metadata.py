"""What stands beside a question: kept as far as there is room."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from worker.domain.backlog import Caps, Care, Note

TOO_LARGE = "metadata over the bound"
UNSTORABLE = "holds what Postgres cannot store"
NUL_IN_JSON = b"\\u0000"


def fits(extra: Mapping[str, Any], caps: Caps) -> bool:
    """Whether all of it can be kept."""
    packed = _packed(extra)
    return packed is not None and len(packed) <= caps.metadata and NUL_IN_JSON not in packed


def fitting(extra: Mapping[str, Any], caps: Caps) -> tuple[dict[str, Any], list[Note]]:
    """The smallest first, as many as there is room for, in the order of the file; and a note for
    each that is left out: no question is lost for what stands beside it."""
    notes = []
    sizes = {}
    for name, value in extra.items():
        packed = _packed({name: value})
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
    return {name: extra[name] for name in extra if name in kept}, notes


def nested(extra: Mapping[str, Any]) -> Iterator[Any]:
    """The objects and arrays in it."""
    return (value for value in extra.values() if isinstance(value, dict | list))


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


def _packed(extra: Mapping[str, Any]) -> bytes | None:
    try:
        return orjson.dumps(extra)
    except (TypeError, ValueError):
        return None
