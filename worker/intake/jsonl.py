"""JSON Lines, and RFC 7464 sequences: a line, a row."""

from collections.abc import Iterator

import orjson

from worker.domain.backlog import Caps, Reject
from worker.intake.documents import unwrapped
from worker.intake.rows import Item

RECORD_SEPARATOR = b"\x1e"
TOO_LONG = b"\x00too long"
"""Stands for a line that was longer than the cap and was dropped while it was read. Compared by
identity, so it must have more than one byte: of one-byte values there is only one each."""


def read_jsonl(chunks: Iterator[bytes], caps: Caps) -> Iterator[Item]:
    """Every line that is not blank."""
    for number, line in enumerate(split_lines(chunks, caps.line), 1):
        if line and not line.isspace():
            yield _read_line(number, line, caps)


def _read_line(number: int, line: bytes, caps: Caps) -> Item:
    if line is TOO_LONG:
        return Reject(number, f"line is longer than {caps.line:,} bytes")
    if line[:1] == RECORD_SEPARATOR:
        line = line[1:]
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Reject(number, why_invalid(line, error))
    return (number, unwrapped(row)) if isinstance(row, dict) else Reject(number, "not an object")


def split_lines(chunks: Iterator[bytes], cap: int) -> Iterator[bytes]:
    """Lines without their ends, split on LF only. A line over `cap` bytes is dropped as it comes
    and given as TOO_LONG."""
    held, dropping = b"", False
    for chunk in chunks:
        lines = (held + chunk).split(b"\n") if not dropping else chunk.split(b"\n")
        held = lines.pop()
        if dropping and lines:
            lines[0], dropping = TOO_LONG, False
        elif dropping:
            held = b""
        for line in lines:
            yield line if len(line) <= cap else TOO_LONG
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
