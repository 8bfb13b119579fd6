"""Rows in blocks, each of which becomes one transaction: most are judged many at a time, by
columns, and what is not plain by itself."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from worker.domain.backlog import BLOCK_CHARS, BLOCK_ROWS, Block, Reject
from worker.intake import remarks
from worker.intake.rows import Item, Rows

AT_ONCE = 250
"""Rows that are looked at together: with more, the texts of one column no longer stay close."""
FEW = 8
"""Where more than one of so many rows is not plain, each is judged by itself."""
AGAIN_AFTER = 2_500
"""Rows that are judged one by one where some were not plain, until the next are looked at together:
most files are of one kind. More than `AT_ONCE`."""


def in_blocks(rows: Rows, items: Iterable[Item]) -> Iterator[Block]:
    """Everything that was read, in order."""
    unread, block = iter(items), Block(notes=rows.fresh_notes())
    while some := list(islice(unread, min(AT_ONCE, _room(block)))):
        following, turn = chain(some, unread), AGAIN_AFTER
        if _by_columns(rows, some, block):
            turn = 0
        while turn and (taken := _by_rows(rows, islice(following, min(turn, _room(block))), block)):
            turn -= taken
            if not _room(block):
                yield block
                block = Block(notes=rows.fresh_notes())
        if not _room(block):
            yield block
            block = Block(notes=rows.fresh_notes())
    yield block


def _room(block: Block) -> int:
    """Rows for which a block has room."""
    taken = block.rows + len(block.rejects)
    return 0 if block.chars >= BLOCK_CHARS else BLOCK_ROWS - taken


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
            _by_rows(rows, items[place : place + 1], block)
        begin = place + 1
    return True


def _by_rows(rows: Rows, items: Iterable[Item], block: Block) -> int:
    """Adds rows until the block is full; returns how many it took."""
    judge, records, rejects = rows.judge, block.records_behind(), block.rejects
    before = len(records) + len(rejects)
    for item in items:
        judged = item if isinstance(item, Reject) else judge(*item)
        if isinstance(judged, Reject):
            rejects.append(judged)
            continue
        records.append(judged)
        block.chars += len(judged.body)
        if not judged.external_id.isascii() and (warning := remarks.warning_of(judged)):
            block.warnings.append(warning)
        if block.chars >= BLOCK_CHARS:
            break
    return len(records) + len(rejects) - before
