"""JSON that is not one row a line: arrays, pretty-printed rows, rows inside a wrapper, and several
of these one behind the other. Read element by element, however large the file.

By hand and not by ijson: that cannot say on which line an element begins, ends the file at an
element that is too large, which here is one reject, and its C parser (3.6, yajl2) crashed the
process on malformed bytes that the tests of this folder made.
"""

import json
import re
from collections.abc import Iterator
from shlex import quote

from worker.domain.backlog import BacklogError, Caps, Reject
from worker.intake.json_values import DECODER, as_row, header_of, item_of, keyed
from worker.intake.rows import Item
from worker.intake.surrogates import has_lone_surrogate

SPACE = " \t\r\n\ufeff"
EACH = "*"
"""In place of a name: every value of the object, which its key is the id of."""
HEADERS = frozenset({"columns", "fields", "header", "headers"})
"""Keys beside rows that are lists, of what names their columns."""
_BRACKET_OR_QUOTE = re.compile(r'["{}\[\]]')
_QUOTE_OR_ESCAPE = re.compile(r'["\\]')
_SCALAR_END = re.compile(r"[,}\]\s]")


def read_documents(
    path: str, chunks: Iterator[bytes], caps: Caps, where: tuple[str, ...] = ()
) -> Iterator[Item]:
    """Rows of every document. `where` leads from a document to the list of its rows; without it a
    document is a list of rows, or a row. Raises BacklogError, naming the line, where it is not
    JSON."""
    text = JsonText(path, chunks, caps.line)
    while text.peek():
        yield from _rows(text, where)
        if text.peek() == ",":
            text.skip(",")  # Rows that were taken out of an array.


def _rows(text: "JsonText", where: tuple[str, ...]) -> Iterator[Item]:
    """Of the value that starts here; what does not lead to rows is stepped over."""
    if text.peek() == "[":
        yield from _elements(text, where)
    elif text.peek() == "{" and where:
        for key in text.keys():  # noqa: SIM118 - it steps over what it yields
            if where == (EACH,):
                yield keyed(key, text.item())
            elif key in HEADERS and text.peek() == "[":
                text.read_header()
            elif key == where[0]:
                yield from _rows(text, where[1:])
            else:
                text.pass_over()
    elif where:
        text.pass_over()
    elif text.peek() == "{" and (item := text.item()) is not None:
        yield item
    else:
        raise text.error("has something else than a list or an object")


def _elements(text: "JsonText", where: tuple[str, ...]) -> Iterator[Item]:
    text.skip("[")
    more = text.peek() != "]"
    while more:
        if text.peek() in ("", "]"):
            raise text.error("ends too early, or has a comma too many")
        if where:
            yield from _rows(text, where)
        elif (item := text.item()) is not None:
            yield item
        more = text.peek() != "]"
        if more:
            text.skip(",", "misses a comma")
    text.skip("]")


class JsonText:
    """The undecoded rest of a file, refilled as needed, that counts lines as it goes."""

    def __init__(self, path: str, chunks: Iterator[bytes], cap: int) -> None:
        self._path, self._chunks, self._cap = path, chunks, cap
        self._bytes, self._text, self._at = b"", "", 0
        self._decoder = DECODER
        self._header: list[str] | None = None
        self.line = 1

    def peek(self) -> str:
        """The next character that is not space; empty at the end."""
        while True:
            while self._at < len(self._text):
                character = self._text[self._at]
                if character not in SPACE:
                    return character
                self.line += character == "\n"
                self._at += 1
            if not self._refill():
                return ""

    def skip(self, character: str, otherwise: str | None = None) -> None:
        """Steps over `character`. Raises BacklogError when another stands there."""
        if self.peek() != character:
            raise self.error(otherwise or f"has no {character!r} where one must be")
        self._at += 1

    def keys(self) -> Iterator[str]:
        """The keys of the object that starts here; whoever iterates takes each value."""
        self.skip("{")
        more = self.peek() != "}"
        while more:
            key = self._decode() if self.peek() == '"' else None
            if not isinstance(key, str):
                raise self.error("ends too early, or has a comma too many")
            self.skip(":")
            yield key
            more = self.peek() != "}"
            if more:
                self.skip(",", "misses a comma")
        self.skip("}")

    def read_header(self) -> None:
        """What names the columns of rows that are lists."""
        names = self._decode()
        if isinstance(names, list):
            named = [one.get("name") if isinstance(one, dict) else one for one in names]
            self._header = header_of(named)

    def item(self) -> Item | None:
        """The row that starts here, or why it is none; None of a list that names the columns."""
        self.peek()
        line = self.line
        element = self._decode()
        if element is TOO_LONG:
            self.pass_over()
            return Reject(line, f"record is longer than {self._cap:,} characters")
        if isinstance(element, list) and self._header is None:
            self._header = header_of(element)
            if self._header is not None:
                return None
        element = as_row(element, self._header)
        if element is None:
            return Reject(line, "not an object")
        if self._escaped and has_lone_surrogate(element):
            return Reject(line, "invalid JSON (lone surrogate)")
        return item_of(line, element)

    def _decode(self) -> object:
        """The value that starts here; TOO_LONG, and nothing is stepped over, if it exceeds the
        cap."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if not isinstance(error, json.JSONDecodeError):
                    raise self.error("is not valid") from None
                if len(self._text) - self._at > self._cap:
                    return TOO_LONG
                if not self._refill():
                    raise self.error("is not valid") from None
                continue
            if end == len(self._text) and self._refill():
                continue
            if end - self._at > self._cap:
                return TOO_LONG
            self.line += self._text.count("\n", self._at, end)
            self._escaped = self._text.find("\\u", self._at, end) >= 0
            self._at = end
            return value

    def pass_over(self) -> None:
        """Steps over the value that starts here, of any size, without holding or checking it."""
        if self.peek() not in '{["':
            self._pass_over_scalar()
            return
        depth = 0
        while True:
            stop = _BRACKET_OR_QUOTE.search(self._text, self._at)
            if stop is None:
                self._drop_held()
                continue
            self._step_to(stop.end())
            if stop[0] == '"':
                self._pass_over_string()
            else:
                depth += 1 if stop[0] in "{[" else -1
            if depth <= 0:
                return

    def _pass_over_string(self) -> None:
        while True:
            stop = _QUOTE_OR_ESCAPE.search(self._text, self._at)
            if stop is None:
                self._drop_held()
                continue
            self._step_to(stop.end())
            if stop[0] == '"':
                return
            if self._at == len(self._text):
                self._drop_held()
            self._step_to(self._at + 1)

    def _pass_over_scalar(self) -> None:
        while (stop := _SCALAR_END.search(self._text, self._at)) is None:
            self._at = len(self._text)
            if not self._refill():
                return
        if stop.start() == self._at:
            raise self.error("is not valid")
        self._at = stop.start()

    def _step_to(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def _drop_held(self) -> None:
        """Goes on with the next piece of the file. Raises BacklogError where there is none."""
        self._step_to(len(self._text))
        if not self._refill():
            raise self.error("ends in the middle")

    def error(self, what: str) -> BacklogError:
        """Where the document is broken."""
        return BacklogError(
            f"{self._path}: the JSON {what} near line {self.line}.",
            mend=f"python3 -m json.tool {quote(self._path)}",
        )

    def _refill(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            if self._bytes:
                raise self.error("is not UTF-8")
            return False
        data = self._bytes + chunk
        try:
            fresh, self._bytes = data.decode(), b""
        except UnicodeDecodeError as error:
            if error.start < len(data) - 4:
                raise self.error("is not UTF-8") from None
            fresh, self._bytes = data[: error.start].decode(), data[error.start :]
        self._text, self._at = self._text[self._at :] + fresh, 0
        return True


TOO_LONG = object()
"""Stands for a value that is longer than the cap."""
