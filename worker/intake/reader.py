"""Reads any backlog: finds out what it is, then reads it in blocks."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import IO

from worker.domain.backlog import BacklogError, Block, Caps
from worker.intake.array import read_array
from worker.intake.jsonl import RECORD_SEPARATOR, read_jsonl
from worker.intake.rows import Rows
from worker.intake.sources import open_backlog
from worker.intake.tables import read_table

FORMATS = ("csv", "tsv", "json", "jsonl")
DELIMITERS = {"csv": ",", "tsv": "\t"}


def read_blocks(
    path: str,
    stream: IO[bytes],
    *,
    kind: str | None = None,
    member: str | None = None,
    columns: Mapping[str, str] | None = None,
    caps: Caps | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Iterator[Block]:
    """Blocks of up to 5,000 rows, in order and in constant memory.

    `path` names the file in errors and tells its format by its ending where its content does not;
    `columns` maps our field names to the file's (`{"body": "Message"}`); `on_bytes` hears how many
    bytes of the file were read. Raises BacklogError when the file as a whole cannot be read.
    """
    caps, columns = caps or Caps(), columns or {}
    opened = open_backlog(path, stream, caps, member, on_bytes)
    rows = Rows(caps, columns)
    kind = kind or _kind_of(opened.name, opened.first)
    total = 0
    if kind == "json":
        blocks = read_array(path, opened.chunks(), rows, caps)
    elif kind == "jsonl":
        blocks = read_jsonl(path, opened.chunks(), rows, caps)
    else:
        delimiter = _delimiter(kind, opened.first)
        # A table's header is renamed once, so its rows need not be.
        blocks = read_table(path, opened.chunks(), delimiter, Rows(caps, {}), caps, columns)
    for block in blocks:
        total += len(block.records) + len(block.rejects)
        if total > caps.records:
            raise BacklogError(f"{path} has more than {caps.records:,} rows.")
        yield block
    if total == 0:
        raise BacklogError(f"{path} holds no rows.")


def _kind_of(name: str, first: bytes) -> str:
    """By content where that is plain, then by the name's ending; CSV in doubt."""
    start = first.lstrip()[:1]
    if start == b"[":
        # One JSON value a line can begin with `[` as well; a backlog's rows are objects.
        after = first.lstrip()[1:].lstrip()[:1]
        ending = PurePosixPath(name).suffix.lower()
        if after == b"{" or ending == ".json":
            return "json"
        return "jsonl" if ending in (".jsonl", ".ndjson") else "csv"
    if start == b"{" or first[:1] == RECORD_SEPARATOR:
        return "jsonl"
    ending = PurePosixPath(name).suffix.lower().lstrip(".")
    return {"tsv": "tsv", "tab": "tsv", "jsonl": "jsonl", "ndjson": "jsonl", "json": "jsonl"}.get(
        ending, "csv"
    )


def _delimiter(kind: str, first: bytes) -> str:
    """A tab where the header has tabs and no comma, whatever the name says."""
    header = first.replace(b"\r", b"\n").split(b"\n", 1)[0]
    if b"\t" in header and b"," not in header:
        return "\t"
    return DELIMITERS.get(kind, ",")
