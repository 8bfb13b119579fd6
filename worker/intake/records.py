"""Records of a delimited file, each told from the next as Python's csv tells them, however long.

A quoted field may hold delimiters and line ends, and so may whatever a customer pasted into a
message: where a record ends is never guessed. One that is longer than the cap is followed to its
end without being held, and given up as a whole; what comes after it is read in step.
"""

import csv
import io
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from worker.domain.backlog import Caps
from worker.intake.dialects import Dialect
from worker.intake.record_ends import RecordEnd

ENDS = ("\n", "\r")
PIECE = 200_000
"""Characters, about, of which the sound records are read in one go."""
_NULL = re.compile(r"(?:(?<=[,;\t|])|(?<![^\n]))\\N(?=[,;\t|\r\n]|$)")
MARK = "\ufeff"
"""Of byte order, in the middle of a file: where another was put behind it."""


class Fields(NamedTuple):
    """One record: its first line, and its fields, or why they cannot be had."""

    line: int
    fields: list[str]
    wrong: str | None = None


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


def as_stream(chunks: Iterator[bytes]) -> io.BufferedReader:
    """Chunks as a file that is read once."""
    return io.BufferedReader(_Bytes(chunks), 1 << 20)


class _Lines:
    """Physical lines (LF, CR LF or CR) for csv, counted; what is beyond the cap is not given."""

    def __init__(self, chunks: Iterator[bytes], dialect: Dialect, cap: int) -> None:
        self._text = io.TextIOWrapper(
            as_stream(chunks), "utf-8", errors="surrogateescape", newline=""
        )
        self._dialect, self._cap, self._held = dialect, cap, ""
        self._ahead, self._usual = deque[str](), False
        self._error: Exception | None = None
        self.count = 0
        self.given: list[str] = []
        self._size = 0
        self.too_long = False

    def sound(self) -> Iterator[Fields]:
        """The records that come next and are whole and well quoted, as many as lie together in a
        piece of the file: csv reads these in one go."""
        if not self._ahead:
            self._look_ahead()
        if not self._usual or not self._ahead:
            return
        whole = len(self._ahead) - (not self._ahead[-1].endswith(ENDS))
        reader = self._dialect.reader(islice(self._ahead, whole), strict=True)
        began = ended = 0
        with suppress(csv.Error):
            for fields in reader:
                began, ended = ended, reader.line_num
                if fields:
                    yield Fields(self.count + began + 1, fields)
        self.count += ended
        for _ in range(ended):
            self._ahead.popleft()

    def _look_ahead(self) -> None:
        size, most = 0, min(PIECE, self._cap)
        try:
            while size < most and (line := self._line()):
                self._ahead.append(line)
                size += len(line)
                if not line.endswith(ENDS):
                    break
        except Exception as error:
            self._error = error
        simple = not self._dialect.wrapped and self._dialect.escape is None
        self._usual = simple and size <= self._cap and not any(map(_is_marked, self._ahead))

    def begin(self) -> int:
        """A new record; returns the line on which it starts."""
        self.given, self._size, self.too_long = [], 0, False
        return self.count + 1

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._read()
        if line and not self.given and line[0] == MARK:
            line = line[1:] or self._read()
        if not line:
            raise StopIteration
        self._size += len(line)
        if self._size > self._cap or not line.endswith(ENDS):
            line = self._whole(line)
        self.given.append(line)
        return line

    def _whole(self, line: str) -> str:
        """The line, which may be the file's last; or, of a record that is too long, what closes it
        for csv, after all of it was read."""
        rest = self._read() if self._size <= self._cap else ""
        self._size += len(rest)
        if self._size <= self._cap:
            return line + rest
        self.too_long, inside = True, bool(self.given)
        end = RecordEnd(self._dialect, quoted=inside)
        end.feed(line)
        while not end.found and (rest or (rest := self._read())):
            end.feed(rest)
            rest = ""
        self.given = []
        return f"{self._dialect.quote}\n" if inside else "\n"

    def _read(self) -> str:
        """A line, or as much of it as the cap lets through. Raises what reading ahead met."""
        line = self._ahead.popleft() if self._ahead else self._line()
        if line.endswith(ENDS):
            self.count += 1
        return line

    def _line(self) -> str:
        if self._error is not None:
            raise self._error
        if self._held:
            line, self._held = self._held, ""
            return line
        line = self._text.readline(self._cap)
        if line.endswith("\r") and len(line) == self._cap:
            # The cap may have come between CR and LF, which are one end.
            behind = self._text.readline(1)
            line, self._held = (line + behind, "") if behind == "\n" else (line, behind)
        return line


def _is_marked(line: str) -> bool:
    return line[0] == MARK


def fields_of(number: int, cells: list[str], caps: Caps) -> Fields:
    """A row; one of which the cells are longer together than a record may be is none. Few cells
    may refer to one long text over and over."""
    if sum(map(len, cells)) > caps.line:
        return Fields(number, [], f"record is longer than {caps.line:,} characters")
    return Fields(number, cells)


def records(chunks: Iterator[bytes], dialect: Dialect, cap: int) -> Iterator[Fields]:
    """Every record that is not an empty line. `cap` is in characters."""
    csv.field_size_limit(sys.maxsize)
    lines = _Lines(chunks, dialect, cap)
    reader = dialect.reader(_without_nulls(lines) if dialect.escape else lines)
    while True:
        yield from lines.sound()
        start = lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Fields(start, [], "malformed quoting")
            continue
        if lines.too_long:
            yield Fields(start, [], f"record is longer than {cap:,} characters")
        elif fields:
            wrong = _misquoted(lines, start, dialect)
            yield (
                _inner(start, fields, dialect, wrong)
                if dialect.wrapped
                else Fields(start, fields, wrong)
            )


def _without_nulls(lines: Iterable[str]) -> Iterator[str]:
    """Where quotes are escaped, `\\N` as a whole cell is no text."""
    return (_NULL.sub("", line) if "\\N" in line else line for line in lines)


def _inner(start: int, fields: list[str], dialect: Dialect, wrong: str | None) -> Fields:
    """The record that was quoted as one cell."""
    if len(fields) != 1:
        return Fields(start, fields, wrong)
    reader = dialect.reader(io.StringIO(fields[0], newline=""))
    return Fields(start, next(reader, [""]) or [""], wrong)


def _misquoted(lines: _Lines, start: int, dialect: Dialect) -> str | None:
    """Why the quoting of what was just read is doubtful, for csv takes almost anything."""
    if not any(dialect.quote in line for line in lines.given):
        return None
    try:
        next(dialect.reader(lines.given, strict=True), None)
    except csv.Error:
        to = lines.count
        return f"malformed quoting (to line {to:,})" if to > start else "malformed quoting"
    return None
