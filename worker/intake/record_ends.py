"""Where a record of a delimited file ends that is not held: csv's own states, over pieces."""

import re
from typing import Any

from worker.intake.dialects import Dialect


class RecordEnd:
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
