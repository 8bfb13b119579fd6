"""JSON Lines, and RFC 7464 sequences: a line, a row."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

import orjson

from worker.domain.backlog import Caps, Reject
from worker.intake.json_values import (
    DECODER,
    MOST_WHOLE,
    as_row,
    header_of,
    is_flat,
    item_of,
)
from worker.intake.rows import Item

RECORD_SEPARATOR = b"\x1e"
TOO_LONG = b"\x00too long"
"""Stands for a line that was longer than the cap and was dropped while it was read. Compared by
identity, so it must have more than one byte: of one-byte values there is only one each."""


def read_jsonl(chunks: Iterator[bytes], caps: Caps) -> Iterator[Item]:
    """Every line that is not blank."""
    header: list[str] | None = None
    for number, line in enumerate(split_lines(chunks, caps.line), 1):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            if line and not line.isspace():
                yield _odd_line(number, line, caps, header)
            continue
        if type(row) is dict and is_flat(row):
            yield number, row
        elif header is None and line[:1] == b"[":
            header = header_of(row)
            if header is None:
                yield _item_of(number, line, row, None)
        else:
            yield _item_of(number, line, row, header)


def _odd_line(number: int, line: bytes, caps: Caps, header: list[str] | None) -> Item:
    """Of a line that is not JSON as it stands."""
    if line is TOO_LONG:
        return Reject(number, f"line is longer than {caps.line:,} bytes")
    line = line.removeprefix(RECORD_SEPARATOR).removeprefix(BOM_UTF8)
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        row = _with_nothing(line)
        if row is None:
            return Reject(number, why_invalid(line, error))
    return _item_of(number, line, row, header)


def _item_of(number: int, line: bytes, row: Any, header: list[str] | None) -> Item:
    if type(row) is dict and float in map(type, row.values()) and _is_inexact(row):
        row = DECODER.decode(line.decode())
    row = row if type(row) is dict else as_row(row, header)
    if row is None:
        return Reject(number, "not an object")
    return item_of(number, row)


def _with_nothing(line: bytes) -> Any:
    """The row of a line that is JSON but for `NaN` and `Infinity`; None where it is not."""
    if b"NaN" not in line and b"Infinity" not in line:
        return None
    try:
        row = DECODER.decode(line.decode())
        orjson.dumps(row)
    except (ValueError, TypeError, RecursionError):
        return None
    return row


def _is_inexact(row: dict[str, Any]) -> bool:
    """Whether a whole number may have been too large, and have lost digits."""
    return any(type(value) is float and abs(value) >= MOST_WHOLE for value in row.values())


def split_lines(chunks: Iterator[bytes], cap: int) -> Iterator[bytes]:
    """Lines without their ends, split on LF only. A line over `cap` bytes is dropped as it comes
    and given as TOO_LONG."""
    held, dropping = b"", False
    for chunk in chunks:
        fits = len(held) + len(chunk) <= cap
        lines = (held + chunk).split(b"\n") if not dropping else chunk.split(b"\n")
        held = lines.pop()
        if dropping and lines:
            lines[0], dropping = TOO_LONG, False
        elif dropping:
            held = b""
        yield from lines if fits else (one if len(one) <= cap else TOO_LONG for one in lines)
        if len(held) > cap:
            held, dropping = b"", True
    if dropping:
        yield TOO_LONG
    elif held:
        yield held


def why_invalid(line: bytes, error: orjson.JSONDecodeError) -> str:
    """The reason in words that quote nothing of the line."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return "invalid UTF-8"
    stripped = line.strip()
    for word in (b"NaN", b"Infinity"):
        if word in stripped and "surrogate" not in str(error):
            return f"{word.decode()} is not JSON"
    if "ecursion" in str(error) or "depth" in str(error):
        return "nesting too deep"
    if "surrogate" in str(error):
        return "invalid JSON (lone surrogate)"
    if "control character" in str(error):
        return "invalid JSON (raw control character)"
    return f"invalid JSON at column {error.colno}"
