"""What a backlog is made of, and the caps on it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from worker.errors import RungError

BLOCK_ROWS = 5_000
"""A block is one transaction: fewer would cost a tenth of the speed, more brings nothing."""
BLOCK_CHARS = 8_000_000
"""Of message bodies in one block, give or take one, so that memory stays small however long they
are."""

MOST_COLUMNS = 16_384
"""Of a table, and of one row in JSON (Excel's own): each is looked at for each of our fields."""


class BacklogError(RungError):
    """The file as a whole cannot be read. What is piped in is `-` to readers, and has a name to
    people."""

    def __str__(self) -> str:
        words = super().__str__()
        return f"Standard input{words[1:]}" if words.startswith(("- ", "-: ")) else words


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Bounds on what is read. Sizes are in bytes unless they say characters."""

    body_chars: int = 200_000
    id_chars: int = 512
    id_bytes: int = 1_700
    """With a source of 200 characters, what one entry of Postgres's index has room for (2,704)."""
    line: int = 8_000_000
    """Of one record, however many lines it has; a longer one is a reject. Far above what 200,000
    characters can take up, for metadata may be long: it is left out, and its question is not."""
    depth: int = 20
    metadata: int = 16_384
    original: int = 1_000_000
    """Of a body as it came, which is kept where it was made text."""
    records: int = 50_000_000
    expanded: int = 20_000_000_000
    ratio: int = 200
    """Expanded size over compressed size, looked at beyond the first 100 MB."""


LONGEST: Mapping[str, int] = {
    "source": 200,
    "channel": 100,
    "language": 100,
    "customer_id": 512,
    "subject": 2_000,
}
"""Characters of a field. Those that Postgres keeps an index of must fit into one."""


class Care(StrEnum):
    """What was done to a row that is taken, for people to know of."""

    COERCED = "coerced"
    LEFT_OUT = "left_out"
    KEPT_AS_METADATA = "kept_as_metadata"


class Note(NamedTuple):
    """One kind of thing done: to which column, and in which words."""

    care: Care
    column: str
    words: str


_BEFORE = {
    Care.COERCED: "",
    Care.LEFT_OUT: "Left out: ",
    Care.KEPT_AS_METADATA: "Kept as metadata: ",
}
MOST_NOTES = 200
"""Kinds: column names come from the file, and there may be any number of them."""


@dataclass(slots=True)
class Notes:
    """How many rows each thing was done to, and on which line first."""

    counted: dict[Note, list[int]] = field(default_factory=dict)

    def add(self, note: Note, line: int, rows: int = 1) -> None:
        """Counts a row."""
        if known := self.counted.get(note):
            known[0] += rows
        elif len(self.counted) < MOST_NOTES:
            self.counted[note] = [rows, line]

    def merge(self, others: "Notes") -> None:
        """Adds what was noted later."""
        for note, (rows, line) in others.counted.items():
            self.add(note, line, rows)

    def as_words(self) -> list[str]:
        """For people, a sentence each."""
        return [
            f"{_BEFORE[n.care]}{n.column}: {n.words} ({rows:,} {'row' if rows == 1 else 'rows'},"
            f" first on line {line})."
            for n, (rows, line) in self.counted.items()
        ]

    def as_document(self) -> list[dict[str, Any]]:
        """For JSON."""
        return [
            {"care": n.care, "column": n.column, "words": n.words, "rows": rows, "first_line": line}
            for n, (rows, line) in self.counted.items()
        ]


@dataclass(slots=True, kw_only=True)
class Record:
    """One valid row. `line` is the physical line on which it starts, counted from 1."""

    line: int
    external_id: str
    body: str
    source: str | None = None
    channel: str | None = None
    customer_id: str | None = None
    subject: str | None = None
    language: str | None = None
    received_at: dt.datetime | None = None
    metadata: Mapping[str, Any] | None = None
    packed: bytes | None = field(default=None, compare=False)
    """The metadata as JSON, where it was written to see how long it is."""


WHOLE_FILE = 0


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that cannot be taken; `reason` holds no message text."""

    line: int
    """WHOLE_FILE for what is said of all rows."""
    reason: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRows:
    """Valid rows by column, in the order of the file: as many of each. They have no time, and no
    column that is not ours."""

    lines: Sequence[int]
    external_ids: Sequence[str]
    bodies: Sequence[str]
    others: Mapping[str, Sequence[str | None]]
    """The other fields that some row has."""

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, some: slice) -> "PlainRows":
        return PlainRows(
            lines=self.lines[some],
            external_ids=self.external_ids[some],
            bodies=self.bodies[some],
            others={field: values[some] for field, values in self.others.items()},
        )

    def records(self) -> list[Record]:
        """Each as a record."""
        fields, columns = list(self.others), list(self.others.values())
        rows = zip(self.lines, self.external_ids, self.bodies, *columns, strict=True)
        return [
            Record(line=line, external_id=id_, body=body, **dict(zip(fields, rest, strict=True)))
            for line, id_, body, *rest in rows
        ]


@dataclass(slots=True, kw_only=True)
class Block:
    """Some rows, in the order of the file.

    `external_id`s may repeat within a file: the database decides (first wins, later ones are
    rejected), because a set of them would not stay small.
    """

    parts: list[list[Record] | PlainRows] = field(default_factory=list)
    """Most rows are plain, and stay columns until Postgres has them."""
    rejects: list[Reject] = field(default_factory=list)
    warnings: list[Reject] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    chars: int = 0

    def records_behind(self) -> list[Record]:
        """Where rows that were judged by themselves are put, behind all others."""
        if self.parts and not isinstance(last := self.parts[-1], PlainRows):
            return last
        self.parts.append(records := list[Record]())
        return records

    @property
    def rows(self) -> int:
        """How many rows are taken."""
        return sum(map(len, self.parts))

    @property
    def records(self) -> list[Record]:
        """All rows that are taken, made now."""
        parts = (one.records() if isinstance(one, PlainRows) else one for one in self.parts)
        return [record for part in parts for record in part]
