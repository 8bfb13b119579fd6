"""Records of a delimited file, each told from the next as Python's csv tells them, however long.

A quoted field may hold delimiters and line ends, and so may whatever a customer pasted into a
message: where a record ends is never guessed. One that is longer than the cap is followed to its
end without being held, and given up as a whole; what comes after it is read in step.
"""

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from worker.domain.backlog import Caps
from worker.intake.dialects import Dialect

ENDS = ("\n", "\r")
_NULL = re.compile(r"(?:(?<=[,;\t|])|(?<![^\n]))\\N(?=[,;\t|\r\n]|$)")
MARK = "\ufeff"
"""Of byte order, in the middle of a file: where another was put behind it."""


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


class _End:
    """Finds the end of a record that is not held: csv's own states, over pieces of text."""

    def __init__(self, dialect: Dialect, *, quoted: bool) -> None:
        self._delimiter, self._quote, self._spaced = (
            dialect.delimiter,
            dialect.quote,
            dialect.spaced,
        )
        escape = re.escape(dialect.escape) if dialect.escape else ""
        self._escape = dialect.escape
        self._stop = re.compile(f"[{re.escape(self._delimiter)}\r\n{escape}]")
        self._ends = re.compile(f"[{re.escape(self._quote)}{escape}]")
        self._behind = self._plain
        self._state = self._quoted if quoted else self._at_start
        self.found = False

    def feed(self, text: str) -> None:
        """Goes over a piece, which ends with a line or within one."""
        at = 0
        while at < len(text) and not self.found:
            at = self._state(text, at)

    def _at_start(self, text: str, at: int) -> int:
        if text[at] == self._quote:
            self._state = self._quoted
            return at + 1
        if self._spaced and text[at] == " ":
            return at + 1
        self._state = self._plain
        return at

    def _plain(self, text: str, at: int) -> int:
        stop = self._stop.search(text, at)
        if stop is None:
            return len(text)
        if stop[0] == self._escape:
            return self._escaped(self._plain, stop.end())
        self._state = self._at_start
        self.found = stop[0] != self._delimiter
        return stop.end()

    def _escaped(self, behind: Any, at: int) -> int:
        """What stands behind the sign, which may be in the next piece, means itself."""
        self._behind, self._state = behind, self._pass_one
        return at

    def _pass_one(self, text: str, at: int) -> int:
        self._state = self._behind
        return at + 1

    def _quoted(self, text: str, at: int) -> int:
        stop = self._ends.search(text, at)
        if stop is None:
            return len(text)
        if stop[0] == self._escape:
            return self._escaped(self._quoted, stop.end())
        self._state = self._behind_quote
        return stop.end()

    def _behind_quote(self, text: str, at: int) -> int:
        if text[at] == self._quote:
            self._state = self._quoted
            return at + 1
        self._state = self._plain
        return at


class _Lines:
    """Physical lines (LF, CR LF or CR) for csv, counted; what is beyond the cap is not given."""

    def __init__(self, chunks: Iterator[bytes], dialect: Dialect, cap: int) -> None:
        self._text = io.TextIOWrapper(
            as_stream(chunks), "utf-8", errors="surrogateescape", newline=""
        )
        self._dialect, self._cap, self._held = dialect, cap, ""
        self.count = 0
        self.given: list[str] = []
        self._size = 0
        self.too_long = False

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
        end = _End(self._dialect, quoted=inside)
        end.feed(line)
        while not end.found and (rest or (rest := self._read())):
            end.feed(rest)
            rest = ""
        self.given = []
        return f"{self._dialect.quote}\n" if inside else "\n"

    def _read(self) -> str:
        """A line, or as much of it as the cap lets through."""
        if self._held:
            line, self._held = self._held, ""
            if line.endswith(ENDS):
                self.count += 1
            return line
        line = self._text.readline(self._cap)
        if line.endswith("\r") and len(line) == self._cap:
            # The cap may have come between CR and LF, which are one end.
            behind = self._text.readline(1)
            line, self._held = (line + behind, "") if behind == "\n" else (line, behind)
        if line.endswith(ENDS):
            self.count += 1
        return line


@dataclass(frozen=True, slots=True)
class Fields:
    """One record: its first line, and its fields, or why they cannot be had."""

    line: int
    fields: list[str]
    wrong: str | None = None


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
