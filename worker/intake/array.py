"""A JSON array of objects, read element by element."""

import json
from collections.abc import Iterator

import orjson

from worker.domain.backlog import BacklogError, Block, Caps, Record, Reject
from worker.intake.rows import Rows, warning_of

SPACE = " \t\r\n"


def read_array(path: str, chunks: Iterator[bytes], rows: Rows, caps: Caps) -> Iterator[Block]:
    """Blocks of rows. Raises BacklogError, naming the line, where the array is not JSON."""
    block = Block()
    for line, element in _elements(path, chunks, caps):
        if not isinstance(element, dict):
            judged: Record | Reject = Reject(line, "not an object")
        elif _has_lone_surrogate(element):
            judged = Reject(line, "invalid JSON (lone surrogate)")
        else:
            judged = rows.judge(line, element)
        if isinstance(judged, Reject):
            block.rejects.append(judged)
        else:
            block.add(judged)
            if warning := warning_of(judged):
                block.warnings.append(warning)
        if block.full:
            yield block
            block = Block()
    yield block


def _elements(path: str, chunks: Iterator[bytes], caps: Caps) -> Iterator[tuple[int, object]]:
    """Each element with the line on which it starts. Only one element is held at a time."""
    text, decoder = _Text(path, chunks, caps.line), json.JSONDecoder(parse_constant=_refuse)
    text.skip("[")
    more = text.peek() != "]"
    while more:
        if text.peek() in ("", "]"):
            raise text.error("ends too early, or has a comma too many")
        line = text.line
        yield line, text.decode(decoder)
        more = text.peek() != "]"
        if more and text.peek() != ",":
            raise text.error("misses a comma")
        if more:
            text.skip(",")
    text.skip("]")
    # Rows behind the end would otherwise be lost without a word.
    if text.peek():
        raise text.error("is followed by something else")


def _has_lone_surrogate(element: dict[str, object]) -> bool:
    """Whether half a character stands in it, which JSON can say and no UTF-8 can hold."""
    try:
        orjson.dumps(element)
    except TypeError as error:
        return "surrogate" in str(error)
    return False


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


class _Text:
    """The undecoded rest of a file, refilled as needed, that counts lines as it goes."""

    def __init__(self, path: str, chunks: Iterator[bytes], cap: int) -> None:
        self._path, self._chunks, self._cap = path, chunks, cap
        self._bytes, self._text, self._at = b"", "", 0
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

    def skip(self, character: str) -> None:
        """Steps over `character`. Raises BacklogError when another stands there."""
        if self.peek() != character:
            raise self.error(f"has no {character!r} where one must be")
        self._at += 1

    def decode(self, decoder: json.JSONDecoder) -> object:
        """The value that starts here."""
        while True:
            try:
                value, end = decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                ended = isinstance(error, json.JSONDecodeError) and self._refill()
                if not ended or len(self._text) - self._at > self._cap:
                    raise self.error("is not valid JSON") from None
                continue
            if end == len(self._text) and self._refill():
                continue
            self.line += self._text.count("\n", self._at, end)
            self._at = end
            return value

    def error(self, what: str) -> BacklogError:
        """Where the array is broken."""
        return BacklogError(
            f"{self._path}: the JSON array {what} near line {self.line}.",
            mend=f"python3 -m json.tool {self._path}",
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
