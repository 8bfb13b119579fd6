"""CSV and TSV: a header, then records that may span lines."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from worker.domain.backlog import BacklogError, Block, Caps, Reject
from worker.intake.rows import FIELDS, Rows, warning_of

REQUIRED = ("external_id", "body")
OTHER_DELIMITERS = "|;"


class _Bytes(io.RawIOBase):
    """Chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._held = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._held:
            self._held = next((chunk for chunk in self._chunks if chunk), b"")
        size = min(len(buffer), len(self._held))
        buffer[:size], self._held = self._held[:size], self._held[size:]
        return size


class _Lines:
    """Physical lines (LF, CR LF or CR), counted. A line over the cap is cut, with the parity of
    its quotes kept, so that the record it belongs to ends where it would have ended."""

    def __init__(self, chunks: Iterator[bytes], cap: int) -> None:
        raw = io.BufferedReader(_Bytes(chunks), 1 << 20)
        self._text = io.TextIOWrapper(raw, "utf-8", errors="surrogateescape", newline="")
        self._cap = cap
        self.count = 0
        self.cut_at: int | None = None

    def __iter__(self) -> Iterator[str]:
        read: Callable[[int], str] = self._text.readline
        while line := read(self._cap):
            self.count += 1
            if len(line) == self._cap and not line.endswith(("\n", "\r")):
                line = self._cut(line)
            yield line

    def _cut(self, line: str) -> str:
        self.cut_at = self.count
        quotes = line.count('"')
        while rest := self._text.readline(self._cap):
            quotes += rest.count('"')
            if rest.endswith(("\n", "\r")):
                break
        kept = line[:1_000]
        return kept + ('"' if (kept.count('"') - quotes) % 2 else "") + "\n"


def read_table(
    path: str,
    chunks: Iterator[bytes],
    delimiter: str,
    rows: Rows,
    caps: Caps,
    columns: Mapping[str, str],
) -> Iterator[Block]:
    """Blocks of rows. Raises BacklogError when the header cannot be used."""
    csv.field_size_limit(caps.line)
    lines = _Lines(chunks, caps.line)
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    names = _header(path, reader, delimiter, columns)
    width = max(place for place, name in enumerate(names) if name) + 1
    block = Block()
    while True:
        start = lines.count + 1
        try:
            fields = next(reader)
        except StopIteration:
            break
        except csv.Error:
            block.rejects.append(Reject(start, "malformed quoting"))
        else:
            _read_record(block, start, fields, names, width, lines, rows)
        if block.full:
            yield block
            block = Block()
    yield block


def _read_record(
    block: Block,
    start: int,
    fields: list[str],
    names: list[str],
    width: int,
    lines: _Lines,
    rows: Rows,
) -> None:
    if not fields:
        return
    if lines.cut_at is not None and lines.cut_at >= start:
        lines.cut_at = None
        block.rejects.append(Reject(start, "line is too long, so its body must be as well"))
        return
    if len(fields) > width and any(fields[width:]):
        counted = f"{len(fields)} fields, header has {width}"
        block.rejects.append(Reject(start, f"{counted} (is a comma not quoted?)"))
        return
    row = {name: value for name, value in zip(names, fields, strict=False) if name}
    if not all(value.isascii() or _is_text(value) for value in row.values()):
        block.rejects.append(Reject(start, "invalid UTF-8"))
        return
    row["external_id"] = row.get("external_id") or None  # type: ignore[assignment]
    judged = rows.judge(start, row)
    if isinstance(judged, Reject):
        block.rejects.append(judged)
        return
    block.add(judged)
    if not judged.external_id.isascii() and (warning := warning_of(judged)):
        block.warnings.append(warning)


def _is_text(value: str) -> bool:
    """Whether the value was valid UTF-8: escaped bytes are lone surrogates, which do not encode."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _header(
    path: str, reader: Iterator[list[str]], delimiter: str, columns: Mapping[str, str]
) -> list[str]:
    try:
        names = next(reader)
    except (StopIteration, csv.Error):
        raise BacklogError(f"{path} has no header that can be read.") from None
    wanted = {**{name: name for name in FIELDS}, **columns}
    ours = {theirs.strip().lower(): name for name, theirs in wanted.items()}
    found = [name.strip() for name in names]
    names = [ours.get(name.lower(), name) for name in found]
    if doubled := {name for name in names if name and names.count(name) > 1}:
        raise BacklogError(
            f"{path}: the column {sorted(doubled)[0]!r} appears twice in the header."
        )
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise _missing_columns(path, found, missing, delimiter)
    return names


def _missing_columns(
    path: str, names: list[str], missing: list[str], delimiter: str
) -> BacklogError:
    if len(names) == 1 and (other := next((d for d in OTHER_DELIMITERS if d in names[0]), None)):
        return BacklogError(
            f"{path} has only one column; is its delimiter {other!r} rather than {delimiter!r}?",
            mend=f"tr '{other}' ',' < {path} > {path}.csv, unless values hold commas",
        )
    shown = ", ".join(repr(name[:40]) for name in names[:12])
    hints = " ".join(f"--map {name}=COLUMN" for name in missing)
    return BacklogError(
        f"{path}: no column called {' or '.join(missing)}; there are: {shown}.",
        mend=f"rung enqueue {hints} {path}",
    )
