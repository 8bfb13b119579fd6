"""CSV and its relatives: a header, then records that may span lines."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from worker.domain.backlog import BacklogError, Caps, Reject
from worker.intake.paths import normal
from worker.intake.records import Fields, records
from worker.intake.rows import Item

DELIMITERS = (",", ";", "\t", "|")
SNIFFED_RECORDS = 30
SNIFFED_CHARS = 200_000
TITLE_RECORDS = 10
"""As far below a title, one field wide, as the header is looked for."""
HEADER_WIDTH = 3
"""Fields at least of a header that is found below a title."""


@dataclass(slots=True)
class Table:
    """A table whose header was read: its columns, its rows, and the header's line where it stands
    below a title."""

    names: list[str]
    items: Iterator[Item]
    header: int | None = None

    @property
    def repeated(self) -> frozenset[str]:
        """Names, without case and spaces, that stand in the header more than once."""
        counted = Counter(normal(name) for name in self.names if name)
        return frozenset(name for name, times in counted.items() if times > 1)


def read_table(path: str, chunks: Iterator[bytes], delimiter: str, caps: Caps) -> Table:
    """The table in a delimited file. Raises BacklogError when it has no header."""
    return table_of(path, records(chunks, delimiter, caps.line))


def table_of(path: str, found: Iterator[Fields], *, loose: bool = False) -> Table:
    """The table whose header is the first of these records; in a `loose` one, cells may stand
    beside the named columns. Raises BacklogError."""
    first = next((one for one in found if _width(one)), None)
    if first is not None and first.fields[0].lower().startswith("sep=") and len(first.fields) <= 2:
        first = next(found, None)  # Excel's own word for its delimiter.
    below: list[Fields] = []
    titled = False
    if first is not None and not first.wrong and _width(first) == 1:
        below = list(islice(found, TITLE_RECORDS))
        at = next((place for place, one in enumerate(below) if _width(one) >= HEADER_WIDTH), None)
        if at is not None:
            first, below, titled = below[at], below[at + 1 :], True
    if first is None or first.wrong:
        raise BacklogError(f"{path} has no header that can be read.")
    names, rest = [name.strip() for name in first.fields], chain(below, found)
    items = _loose(names, rest) if loose else _items(names, rest)
    return Table(names, items, first.line if titled else None)


def _width(record: Fields) -> int:
    """Fields that hold something."""
    return sum(bool(field.strip()) for field in record.fields)


def _items(names: list[str], found: Iterable[Fields]) -> Iterator[Item]:
    width = max((place for place, name in enumerate(names) if name), default=-1) + 1
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if name:
            places.setdefault(name, []).append(place)
    plain = len(places) == len(names)
    for record in found:
        if judged := _reject(record, width):
            yield judged
        elif plain:
            yield record.line, _whole_row(names, record.fields)
        else:
            yield record.line, _row(places, record.fields)


def _loose(names: list[str], found: Iterable[Fields]) -> Iterator[Item]:
    """Rows of a sheet, where what stands in a column without a name goes by its number."""
    named = len(names) if all(names) and len(set(names)) == len(names) else 0
    for record in found:
        if len(record.fields) <= named and not record.wrong:
            yield record.line, _whole_row(names, record.fields)
            continue
        whole = [*names, *([""] * (len(record.fields) - len(names)))]
        for place, value in enumerate(record.fields):
            if value and not whole[place]:
                whole[place] = f"column {place + 1}"
        yield from _items(whole, (record,))


def _whole_row(names: list[str], fields: list[str]) -> dict[str, str | None]:
    """A row by its header; spreadsheets leave out empty cells at its end, which are columns too."""
    row: dict[str, str | None] = dict(zip(names, fields, strict=False))
    if len(row) < len(names):
        row |= dict.fromkeys(names[len(fields) :])
    return row


def _reject(record: Fields, width: int) -> Reject | None:
    fields = record.fields
    if record.wrong:
        return Reject(record.line, record.wrong)
    if len(fields) > width and any(fields[width:]):
        counted = f"{len(fields)} fields, header has {width}"
        return Reject(record.line, f"{counted} (is a delimiter in it not quoted?)")
    if not all(value.isascii() or _is_text(value) for value in fields):
        return Reject(record.line, "invalid UTF-8")
    return None


def _row(places: dict[str, list[int]], fields: list[str]) -> dict[str, object]:
    """A row in which what stands in a repeated column is a list."""
    row: dict[str, object] = {}
    for name, at in places.items():
        values = [fields[place] for place in at if place < len(fields)]
        if len(at) == 1 and values:
            row[name] = values[0]
        elif there := [value for value in values if value]:
            row[name] = there
    return row


def _is_text(value: str) -> bool:
    """Whether the value was valid UTF-8: escaped bytes are lone surrogates, which do not encode."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def delimiter_of(first: bytes) -> str:
    """What parts the columns: by which the header and the rows below it come to the same number of
    fields, and to the most of them. A comma in doubt."""
    text = first[:SNIFFED_CHARS].decode(errors="replace")
    text = text if len(first) <= SNIFFED_CHARS else text[: text.rfind("\n") + 1] or text
    said = text[:6].lower()
    if said.startswith("sep=") and said[4:5] in DELIMITERS:
        return said[4]
    found = {one: _regular(text, one) for one in DELIMITERS}
    if any(one.exact for one in found.values()):
        # What is a table from its first line on has no title, however its texts fall into pieces.
        found = {sign: one for sign, one in found.items() if not one.titled}
    return max(found, key=lambda one: (found[one].share, found[one].width, -DELIMITERS.index(one)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Regular:
    """How regular a table would be: the share of records as wide as the header, and its width;
    whether the header stands below a title, and whether without one every record is as wide."""

    share: float
    width: int
    titled: bool = False
    exact: bool = False


def _regular(text: str, delimiter: str) -> _Regular:
    csv.field_size_limit(SNIFFED_CHARS * 2)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    widths = []
    try:
        for fields in reader:
            if any(fields):
                widths.append(len(fields))
            if len(widths) > SNIFFED_RECORDS:
                break
    except csv.Error:
        pass
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
