"""Where one mail of a mailbox ends and the next one begins.

A line that begins with `From ` parts mails, and so begin many sentences. As most programs write it,
with a sender and a time, below a blank line and above a header, it is believed anywhere. Some write
nothing behind `From`, names with blanks, or times of other forms: what the file's own first line
looks like is believed in that file. Where no blank line stands above it, a mail's sender and its
time or id must stand below it.
"""

import re
from collections.abc import Iterator

FROM = b"From "
LONGEST_PIECE = 1_000_000
MOST_HELD = 100
"""Lines of a header that are held until it is plain that they begin a mail."""
_USUAL = re.compile(rb"^From \S+ +(?:\w{3},? )?\w{3} +\d{1,2} \d\d:\d\d(?::\d\d)?.*\d{4}")
"""As every mail program writes it. Less would let a mail that quotes one cut itself in two."""
_OTHERS = (
    re.compile(rb"^From *-? *\r?\n?$"),
    re.compile(rb"^From \S+ +(?:\w{3}, )?\d{1,2} \w{3} \d{4} \d\d:\d\d"),
    re.compile(rb"^From \S+ +\d{4}-\d\d-\d\d[T ]\d\d:\d\d"),
    re.compile(rb"^From [^\n]{1,200} \w{3} \w{3} +\d{1,2} \d\d:\d\d(?::\d\d)? .*\d{4}"),
)
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:|>From ")
_QUOTED_FROM = re.compile(rb"^>+From ")


def is_separator(line: bytes, first: bytes = b"") -> bool:
    """Whether the line may part two mails of a file whose first line is `first`."""
    if not line.startswith(FROM) and line.rstrip() != FROM.rstrip():
        return False
    if _USUAL.match(line):
        return True
    own = next((form for form in _OTHERS if form.match(first)), None)
    return own is not None and own.match(line) is not None


class _Parting:
    """A separator, and what stands below it, until it is plain whether it parts two mails."""

    def __init__(self, line: bytes, *, sure: bool) -> None:
        self.lines, self._sure = [line], sure
        self._names = set[bytes]()

    def takes(self, line: bytes) -> bool:
        """Whether the line is of a mail's header; then it is held."""
        folded = line[:1] in b" \t" and len(self.lines) > 1 and bool(line.strip())
        if not (folded or _HEADER.match(line)) or len(self.lines) > MOST_HELD:
            return False
        self._names.add(line.partition(b":")[0].strip().lower())
        self.lines.append(line)
        return True

    @property
    def parts(self) -> bool:
        """Whether a mail begins here."""
        whole = b"from" in self._names and not self._names.isdisjoint((b"date", b"message-id"))
        return len(self.lines) > 1 and (self._sure or whole)


def split(chunks: Iterator[bytes], cap: int) -> Iterator[tuple[int, bytes]]:
    """Each mail's first line, and its bytes as far as the cap."""
    held, start, blank, first = bytearray(), 1, True, b""
    parting: _Parting | None = None
    for number, line in enumerate(lines_of(chunks), 1):
        first = first or line
        if parting is not None:
            taken = parting.takes(line)
            if taken and not parting.parts:
                continue
            if parting.parts:
                if held:
                    yield start, bytes(held)
                held, start = bytearray(), number - len(parting.lines) + 1
                del parting.lines[0]
            _keep(held, parting.lines, cap)
            parting = None
            if taken:
                blank = False
                continue
        if line.startswith(b"From") and is_separator(line, first):
            parting = _Parting(line, sure=blank)
            continue
        blank = not line.strip(b"\r\n")
        _keep(held, [line], cap)
    if parting is not None:
        _keep(held, parting.lines, cap)
    if held:
        yield start, bytes(held)


def whole(chunks: Iterator[bytes], cap: int) -> Iterator[tuple[int, bytes]]:
    """A file's only mail, as `split` has each."""
    held = bytearray()
    for line in lines_of(chunks):
        _keep(held, [line], cap)
    if held:
        yield 1, bytes(held)


def _keep(held: bytearray, lines: list[bytes], cap: int) -> None:
    for line in lines:
        if len(held) < cap:
            held += line[1:] if _QUOTED_FROM.match(line) else line


def lines_of(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines with their ends; a very long one comes in several pieces."""
    held = b""
    for chunk in chunks:
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"
        if len(held) > LONGEST_PIECE:
            yield held
            held = b""
    if held:
        yield held
