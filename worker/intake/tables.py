"""CSV and its relatives: a header, then records that may span lines."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, compress, islice

from worker.domain.backlog import MOST_COLUMNS, BacklogError, Caps, Reject
from worker.intake.dialects import HEADER_WIDTH, TITLE_RECORDS, Dialect
from worker.intake.elements import Oversized, Reach
from worker.intake.headers import whole_header
from worker.intake.paths import normal
from worker.intake.records import Fields, records
from worker.intake.rows import Item

NAMES_OF_ROWS = "do rows have names, without one in the header? In R: write.csv(…, row.names=FALSE)"
HEADER_AGAIN = "the header again (were files put one behind the other?)"


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


def read_table(path: str, chunks: Iterator[bytes], dialect: Dialect, caps: Caps) -> Table:
    """The table in a delimited file. Raises BacklogError when it has no header."""
    return table_of(path, records(chunks, dialect, caps.line))


def table_of(path: str, found: Iterator[Fields], *, loose: bool = False) -> Table:
    """The table whose header is the first of these records; in a `loose` one, cells may stand
    beside the named columns. Raises BacklogError."""
    first = next((one for one in found if _width(one)), None)
    if first is not None and first.fields[0].lower().startswith("sep=") and len(first.fields) <= 2:
        first = next(found, None)  # Excel's own word for its delimiter.
    first, below, titled = _below_comments(first, found)
    if first is not None and not first.wrong and _width(first) == 1 and not titled:
        below += list(islice(found, TITLE_RECORDS))
        at = next((place for place, one in enumerate(below) if _width(one) >= HEADER_WIDTH), None)
        if at is not None:
            first, below, titled = below[at], below[at + 1 :], True
    if first is None or first.wrong:
        raise BacklogError(f"{path} has no header that can be read.")
    names = [name.strip() for name in first.fields]
    if len(names) > MOST_COLUMNS:
        raise BacklogError(f"{path} has {len(names):,} columns, and {MOST_COLUMNS:,} are read.")
    names, rest, grouped = whole_header(names, chain(below, found))
    items = _loose(names, rest) if loose else _items(names, rest)
    at = first.line + grouped if titled or grouped else None
    return Table(names, _within_reach(path, items), at)


def _within_reach(path: str, items: Iterator[Item]) -> Iterator[Item]:
    try:
        yield from items
    except Oversized:
        raise BacklogError(
            f"{path} leaves out far more cells than it holds.",
            mend="take out of its header what no row has",
        ) from None


def _below_comments(
    first: Fields | None, found: Iterator[Fields]
) -> tuple[Fields | None, list[Fields], bool]:
    """The first record below those that begin with `#` and are not as wide as it; what was read
    beyond it; and whether there were any. A header may begin with `#` too."""
    comments: list[Fields] = []
    while first is not None and len(comments) < TITLE_RECORDS and _is_comment(first):
        comments.append(first)
        first = next((one for one in found if _width(one)), None)
    if comments and (first is None or len(comments[-1].fields) == len(first.fields) > 1):
        return comments[-1], [first] if first is not None else [], len(comments) > 1
    return first, [], bool(comments)


def _is_comment(record: Fields) -> bool:
    return not record.wrong and record.fields[0].startswith("#")


def _width(record: Fields) -> int:
    """Fields that hold something."""
    return sum(bool(field.strip()) for field in record.fields)


def _items(names: list[str], found: Iterable[Fields], reach: Reach | None = None) -> Iterator[Item]:
    width = max((place for place, name in enumerate(names) if name), default=-1) + 1
    reach = reach or Reach()
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if name:
            places.setdefault(name, []).append(place)
    plain = len(places) == len(names)
    for record in found:
        if not record.wrong and not record.fields[0].strip() and not _width(record):
            continue
        if judged := _reject(record, width, names):
            yield judged
            continue
        if len(record.fields) < len(names):
            reach.over(len(names) - len(record.fields))
        if plain:
            yield record.line, _whole_row(names, record.fields)
        else:
            yield record.line, _row(places, record.fields)


def _loose(names: list[str], found: Iterable[Fields]) -> Iterator[Item]:
    """Rows of a sheet, where what stands in a column without a name goes by its number. Of sixteen
    thousand columns only those are gone through that have a name, or in this row a word."""
    named = [place for place, name in enumerate(names) if name]
    width = len(names) if len(named) == len(names) == len(set(names)) else 0
    reach, known = Reach(), frozenset(named)
    for record in found:
        fields = record.fields
        if len(fields) <= width and not record.wrong and fields != names:
            reach.over(width - len(fields))
            yield record.line, _whole_row(names, fields)
            continue
        beside = known.symmetric_difference(compress(range(len(fields)), fields)) - known
        places = sorted((*named, *beside)) if beside else named
        whole = [names[p] if p in known else f"column {p + 1}" for p in places]
        there = [fields[p] for p in places if p < len(fields)]
        yield from _items(whole, (record._replace(fields=there),), reach)


def _whole_row(names: list[str], fields: list[str]) -> dict[str, str | None]:
    """A row by its header; spreadsheets leave out empty cells at its end, which are columns too."""
    row: dict[str, str | None] = dict(zip(names, fields, strict=False))
    if len(row) < len(names):
        row |= dict.fromkeys(names[len(fields) :])
    return row


def _reject(record: Fields, width: int, names: list[str]) -> Reject | None:
    fields = record.fields
    if record.wrong:
        return Reject(record.line, record.wrong)
    if fields[0].strip() == names[0] and [one.strip() for one in fields] == names:
        return Reject(record.line, HEADER_AGAIN)
    if len(fields) > width and any(fields[width:]):
        counted = f"{len(fields)} fields, header has {width}"
        return Reject(
            record.line,
            f"{counted} (is a delimiter in it not quoted?{_names_of_rows(record, width)})",
        )
    together = "".join(fields)
    if not together.isascii() and not _is_text(together):
        return Reject(record.line, "invalid UTF-8")
    return None


def _names_of_rows(record: Fields, width: int) -> str:
    """What else it may be where there is one field more, and the first is a row's number."""
    numbered = len(record.fields) == width + 1 and record.fields[0].strip().isdecimal()
    return f" Or {NAMES_OF_ROWS}" if numbered else ""


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
