"""How a delimited file is written: what parts its columns, and how its cells are quoted.

Most are as RFC 4180 has them. Databases escape a quote by a backslash, people put a blank behind a
comma, scripts quote by apostrophes, and a spreadsheet that opened a file as one column quotes whole
lines. Another way than the usual one is believed only where the usual one finds faults in the
file's first records, and the other finds none.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

DELIMITERS = (",", ";", "\t", "|")
RARE = ("^", "~", "\x01", "\x1f", "¦")
"""Believed only where none of the usual ones parts the header."""
SNIFFED_RECORDS = 30
SNIFFED_CHARS = 200_000
TITLE_RECORDS = 10
"""As far below a title, one field wide, as the header is looked for."""
HEADER_WIDTH = 3
"""Fields at least of a header that is found below a title."""
_COMMENTS = re.compile(r"(?:#[^\n]*\n)+(?=[^#])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """`escape` stands before a quote within a quoted cell; `spaced`: blanks behind a delimiter are
    no part of a cell; `wrapped`: each record is quoted as a whole, as one cell."""

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    spaced: bool = False
    wrapped: bool = False

    def reader(self, lines: Any, *, strict: bool = False) -> Any:
        """Python's, over lines."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            skipinitialspace=self.spaced,
            strict=strict,
        )

    def as_words(self) -> str | None:
        """How it is written, where that is not the usual way."""
        ways = {
            "quotes escaped by a backslash": self.escape is not None,
            "quoted by apostrophes": self.quote != '"',
            "blanks behind delimiters left out": self.spaced,
            "each line quoted as a whole": self.wrapped,
        }
        return ", ".join(words for words, so in ways.items() if so) or None


def dialect_of(first: bytes, delimiter: str | None) -> Dialect:
    """Of a file that begins so; `delimiter` where a person said it."""
    text = _beginning(first)
    usual = Dialect(delimiter=delimiter or delimiter_of(first))
    inner = _unwrapped(text)
    if inner is not None:
        found = delimiter or delimiter_of(inner.encode())
        return replace(usual, delimiter=found, wrapped=True)
    if not _faults(text, usual):
        return usual
    for other, mark in (
        (replace(usual, escape="\\"), '\\"'),
        (replace(usual, spaced=True), f'{usual.delimiter} "'),
        (replace(usual, quote="'"), "'"),
        (replace(usual, spaced=True, escape="\\"), '\\"'),
    ):
        if mark in text and not _faults(text, other):
            return other
    return usual


def delimiter_of(first: bytes) -> str:
    """What parts the columns: by which the header and the rows below it come to the same number of
    fields, and to the most of them. A comma in doubt."""
    text = _beginning(first)
    said = text[:7].lower().lstrip('"')
    if said.startswith("sep=") and said[4:5] in DELIMITERS:
        return said[4]
    if comments := _COMMENTS.match(text):
        text = text[comments.end() :]
    found = {one: _regular(text, one) for one in DELIMITERS}
    if max(one.width for one in found.values()) < 2:
        found |= {sign: one for sign in RARE if (one := _regular(text, sign)).share == 1}
    if any(one.exact for one in found.values()):
        # What is a table from its first line on has no title, however its texts fall into pieces.
        found = {sign: one for sign, one in found.items() if not one.titled}
    order = list(found)
    return max(order, key=lambda one: (found[one].share, found[one].width, -order.index(one)))


def _beginning(first: bytes) -> str:
    text = first[:SNIFFED_CHARS].decode(errors="replace")
    return text if len(first) <= SNIFFED_CHARS else text[: text.rfind("\n") + 1] or text


def _unwrapped(text: str) -> str | None:
    """What stands in the quotes, where each line is one quoted cell with a table in it."""
    if not text.startswith('"'):
        return None
    found = [fields for fields in _read(text, Dialect()) if fields]
    if len(found) < 2 or any(len(fields) != 1 for fields in found):
        return None
    inner = "".join(f"{fields[0]}\n" for fields in found)
    delimiter = delimiter_of(inner.encode())
    header: list[str] = next(Dialect(delimiter=delimiter).reader(io.StringIO(inner)), [])
    parted = all(delimiter in fields[0] for fields in found)
    return inner if len(header) > 1 and parted else None


def _read(text: str, dialect: Dialect) -> Iterator[list[str]]:
    csv.field_size_limit(SNIFFED_CHARS * 2)
    try:
        yield from islice(dialect.reader(io.StringIO(text, newline="")), SNIFFED_RECORDS)
    except csv.Error:
        return


def _faults(text: str, dialect: Dialect) -> int:
    """Records of the beginning that are quoted wrongly, or are wider than the header. The last may
    have been cut off."""
    csv.field_size_limit(SNIFFED_CHARS * 2)
    width, faults, last = 0, 0, False
    reader = dialect.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            break
        except csv.Error:
            last, faults = True, faults + 1
            continue
        apostrophes = dialect.quote == '"' and _in_apostrophes(fields)
        last = apostrophes or (0 < width < len(fields) and any(fields[width:]))
        faults += last
        width = width or len(fields)
    return faults - last if len(text) >= SNIFFED_CHARS // 2 else faults


def _in_apostrophes(fields: list[str]) -> bool:
    """Whether every cell of a record stands in apostrophes, which nobody writes by chance."""
    return len(fields) > 1 and all(
        len(one) > 1 and one.strip()[:1] == one.strip()[-1:] == "'" for one in fields
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Regular:
    """How regular a table would be: the share of records as wide as the header, and its width;
    whether the header stands below a title, and whether without one every record is as wide."""

    share: float
    width: int
    titled: bool = False
    exact: bool = False


def _regular(text: str, delimiter: str) -> _Regular:
    widths = [len(fields) for fields in _read(text, Dialect(delimiter=delimiter)) if any(fields)]
    titled = False
    titles = next((at for at, width in enumerate(widths) if width >= HEADER_WIDTH), 0)
    if titles <= TITLE_RECORDS and max(widths[:titles], default=0) == 1:
        titled = titles > 0
        del widths[:titles]
    if not widths or widths[0] < 2:
        return _Regular(share=0.0, width=0)
    below = widths[1:]
    share = sum(width == widths[0] for width in below) / len(below) if below else 1.0
    # Rows that fall short are ragged; the width of the header is what tells delimiters apart.
    exact = share == 1 and bool(below) and not titled
    regular = 1.0 if share >= 0.5 else share
    return _Regular(share=regular, width=widths[0], titled=titled, exact=exact)
