"""Half a character, which JSON can say and neither UTF-8 nor Postgres can hold."""

import json

import orjson


def has_lone_surrogate(element: dict[str, object]) -> bool:
    """Whether half a character stands in it."""
    try:
        orjson.dumps(element)
    except TypeError as error:
        return "surrogate" in str(error) or not _is_text(element)
    return False


def _is_text(element: dict[str, object]) -> bool:
    """For where orjson ends at something else first: at a number of more than 64 bits."""
    try:
        json.dumps(element, ensure_ascii=False, default=repr).encode()
    except UnicodeEncodeError:
        return False
    except RecursionError:
        # Too deep is a reject of its own.
        pass
    return True
