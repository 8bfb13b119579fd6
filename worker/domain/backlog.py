"""What a backlog is made of, and the caps on it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.errors import RungError

BLOCK_ROWS = 5_000
"""A block is one transaction: fewer would cost a tenth of the speed, more brings nothing."""
BLOCK_CHARS = 8_000_000
"""Of message bodies in one block, give or take one, so that memory stays small however long they
are."""


class BacklogError(RungError):
    """The file as a whole cannot be read."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds on what is read. Sizes are in bytes unless they say characters."""

    body_chars: int = 200_000
    id_chars: int = 512
    line: int = 2_000_000
    """Longer lines are rejected unread; it must exceed what 200,000 characters can take up."""
    depth: int = 20
    metadata: int = 16_384
    records: int = 50_000_000
    expanded: int = 20_000_000_000
    ratio: int = 2_000
    """Expanded size over compressed size, looked at beyond the first 100 MB."""


@dataclass(slots=True)
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


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that cannot be taken; `reason` holds no message text."""

    line: int
    reason: str
    external_id: str | None = None


@dataclass(slots=True)
class Block:
    """Some rows, in the order of the file.

    `external_id`s may repeat within a file: the database decides (first wins, later ones are
    rejected), because a set of them would not stay small.
    """

    records: list[Record] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    warnings: list[Reject] = field(default_factory=list)
    chars: int = 0

    def add(self, record: Record) -> None:
        """Adds a valid row."""
        self.records.append(record)
        self.chars += len(record.body)

    @property
    def full(self) -> bool:
        """Whether the next row belongs into another block."""
        return len(self.records) + len(self.rejects) >= BLOCK_ROWS or self.chars >= BLOCK_CHARS
