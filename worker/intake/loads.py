"""Blocks made ready for the store where they are read, beside what is being stored: whoever stores
them has only to hand them on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from worker.domain.backlog import Block, Notes, Record, Reject
from worker.domain.proof.strata import stratum_of
from worker.store.queue.copy_rows import DEFAULT_SOURCE, PackedRows, packed_rows

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
        records = block.records
        yield Load(
            rejects=block.rejects,
            warnings=block.warnings,
            notes=block.notes,
            rows=len(records),
            strata=Counter(stratum_of(len(record.body)) for record in records),
            first=[
                (source or record.source or DEFAULT_SOURCE, record.external_id)
                for record in records[:FIRST_ROWS]
            ],
            records=() if stored else records,
            chunk=packed_rows(records if stored else (), source),
        )
