"""Rows in blocks, each of which becomes one transaction: most are judged many at a time, by
columns, and what is not plain by itself."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from worker.domain.backlog import BLOCK_CHARS, BLOCK_ROWS, Block, Record, Reject
from worker.intake import remarks
from worker.intake.rows import Item, Rows

AT_ONCE = 250
"""Rows that are looked at together: with more, the texts of one column no longer stay close."""
FEW = 8
"""Where more than one of so many rows is not plain, each is judged by itself."""


def in_blocks(rows: Rows, items: Iterable[Item]) -> Iterator[Block]:
    """Everything that was read, in order."""
    left = iter(items)
    block, room = Block(notes=rows.fresh_notes()), BLOCK_ROWS
    while some := list(islice(left, min(AT_ONCE, room))):
        if _by_columns(rows, some, block):
            room -= len(some)
            some = []
        for item in some:
            _judged(rows, item, block)
            room -= 1
            if block.chars >= BLOCK_CHARS:
                yield block
                block, room = Block(notes=rows.fresh_notes()), BLOCK_ROWS
        if not room or block.chars >= BLOCK_CHARS:
            yield block
            block, room = Block(notes=rows.fresh_notes()), BLOCK_ROWS
    yield block


def _by_columns(rows: Rows, items: Sequence[Item], block: Block) -> bool:
    """Whether these rows were added, most of them as columns."""
    found = rows.by_columns(items)
    if found is None:
        return False
    plain, odd = found
    chars = sum(map(len, plain.bodies))
    if len(odd) > len(items) // FEW or block.chars + chars >= BLOCK_CHARS:
        return False
    if not odd:
        block.parts.append(plain)
        block.chars += chars
        return True
    begin = 0
    for place in (*odd, len(items)):
        if begin < place:
            block.parts.append(some := plain[begin:place])
            block.chars += sum(map(len, some.bodies))
        if place < len(items):
            _judged(rows, items[place], block)
        begin = place + 1
    return True


def _judged(rows: Rows, item: Item, block: Block) -> None:
    judged: Record | Reject = item if isinstance(item, Reject) else rows.judge(*item)
    if isinstance(judged, Reject):
        block.rejects.append(judged)
        return
    block.add(judged)
    if not judged.external_id.isascii() and (warning := remarks.warning_of(judged)):
        block.warnings.append(warning)
