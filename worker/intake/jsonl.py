"""JSON Lines, and RFC 7464 sequences: a line, a row."""

from collections.abc import Iterator

import orjson

from worker.domain.backlog import BacklogError, Block, Caps, Reject
from worker.intake.rows import Rows, too_deep, warning_of

RECORD_SEPARATOR = b"\x1e"
TOO_LONG = b"\x00too long"
"""Stands for a line that was longer than the cap and was dropped while it was read. Compared by
identity, so it must have more than one byte: of one-byte values there is only one each."""


def read_jsonl(path: str, chunks: Iterator[bytes], rows: Rows, caps: Caps) -> Iterator[Block]:
    """Blocks of rows. Raises BacklogError when the first line shows a wrapper object."""
    block, number = Block(), 0
    for line in split_lines(chunks, caps.line):
        number += 1
        if not line or line.isspace():
            continue
        _read_line(path, block, number, line, rows, caps)
        if block.full:
            yield block
            block = Block()
    yield block


def _read_line(path: str, block: Block, number: int, line: bytes, rows: Rows, caps: Caps) -> None:
    if line is TOO_LONG:
        block.rejects.append(Reject(number, f"line is longer than {caps.line:,} bytes"))
        return
    if line[:1] == RECORD_SEPARATOR:
        line = line[1:]
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        block.rejects.append(Reject(number, why_invalid(line, error)))
        return
    if not isinstance(row, dict):
        block.rejects.append(Reject(number, "not an object"))
        return
    if number == 1 and "external_id" not in row and "body" not in row:
        refuse_wrapper(path, row)
    judged = rows.judge(number, row)
    if isinstance(judged, Reject):
        if too_deep(row, caps.depth):
            judged = Reject(number, "nesting too deep", judged.external_id)
        block.rejects.append(judged)
        return
    block.add(judged)
    if not judged.external_id.isascii() and (warning := warning_of(judged)):
        block.warnings.append(warning)


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


def refuse_wrapper(path: str, row: dict[str, object]) -> None:
    """Raises BacklogError when a whole backlog stands inside one object."""
    for key, value in row.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            raise BacklogError(
                f"{path} is one JSON object without external_id and body; its messages seem to be"
                f" under the key {key!r}.",
                mend=f"jq -c '.{key}[]' {path} | rung enqueue -",
            )
