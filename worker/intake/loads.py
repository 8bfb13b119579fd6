"""Blocks made ready for the store where they are read, beside what is being stored: whoever stores
them has only to hand them on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from worker.domain.backlog import Block, Notes, PlainRows, Record, Reject
from worker.domain.proof.strata import stratum_of
from worker.store.queue.copy_rows import DEFAULT_SOURCE, PackedRows, packed

FIRST_ROWS = 200
"""By which runs are found that hold them already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A block: what is said of it, and its rows as the store takes them."""

    rejects: list[Reject]
    warnings: list[Reject]
    notes: Notes
    rows: int
    strata: Counter[str]
    """Its rows by stratum."""
    first: list[tuple[str, str]]
    """Its first rows by `(source, external_id)`."""
    records: Sequence[Record]
    """For a trial, which stores nothing; else none."""
    chunk: PackedRows
    """For an intake; else empty."""


def loads(blocks: Iterable[Block], source: str | None, *, stored: bool) -> Iterator[Load]:
    """A load for each block. `source` wins over that of the rows."""
    for block in blocks:
        yield Load(
            rejects=block.rejects,
            warnings=block.warnings,
            notes=block.notes,
            rows=block.rows,
            strata=strata_of(block),
            first=_first(block, source),
            records=() if stored else block.records,
            chunk=packed(block.parts if stored else (), source),
        )


def strata_of(block: Block) -> Counter[str]:
    """The rows of a block by stratum."""
    lengths = Counter[int]()
    for part in block.parts:
        bodies = part.bodies if isinstance(part, PlainRows) else (one.body for one in part)
        lengths.update(map(len, bodies))
    strata = Counter[str]()
    for chars, rows in lengths.items():
        strata[stratum_of(chars)] += rows
    return strata


def _first(block: Block, source: str | None) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for part in block.parts:
        some = part[: FIRST_ROWS - len(found)]
        records = some.records() if isinstance(some, PlainRows) else some
        found += [(source or one.source or DEFAULT_SOURCE, one.external_id) for one in records]
    return found
