"""Blocks: a transaction's worth of rows, in the order of the file, small however long rows are."""

import io
import json
from collections.abc import Iterator

import pytest

from worker.domain.backlog import BLOCK_CHARS, BLOCK_ROWS, PlainRows
from worker.intake import Block, read_blocks
from worker.intake.blocks import AGAIN_AFTER, AT_ONCE

LONG, FULL = "x" * 190_000, "x" * 20_000


def blocks_of(rows: list[dict[str, str]], kind: str) -> Iterator[Block]:
    if kind == "csv":
        lines = ["external_id,body", *(f"{row['external_id']},{row['body']}" for row in rows)]
        content = "\n".join(lines)
    elif kind == "json":
        content = json.dumps(rows)
    else:
        content = "\n".join(json.dumps(row) for row in rows)
    return read_blocks(f"backlog.{kind}", io.BytesIO(content.encode()), kind=kind)


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
@pytest.mark.parametrize(
    ("body", "count"), [("Where is it?", 2 * BLOCK_ROWS + 1), (LONG, 100), (FULL, 1_000)]
)
def test_blocks_are_bounded_by_rows_and_by_characters(kind: str, body: str, count: int) -> None:
    rows = [{"external_id": f"m{number}", "body": body} for number in range(count)]
    blocks = list(blocks_of(rows, kind))
    assert [r.external_id for b in blocks for r in b.records] == [r["external_id"] for r in rows]
    assert len(blocks) > 2
    assert all(len(block.records) <= BLOCK_ROWS for block in blocks)
    assert all(block.chars < BLOCK_CHARS + len(body) for block in blocks)


def test_a_block_that_begins_in_the_middle_has_no_more_rows() -> None:
    bodies = [FULL] * (BLOCK_CHARS // len(FULL) + 1) + ["Where is my order?"] * 2 * BLOCK_ROWS
    rows = [{"external_id": f"m{number}", "body": body} for number, body in enumerate(bodies)]
    assert max(block.rows for block in blocks_of(rows, "jsonl")) == BLOCK_ROWS


def test_rows_behind_others_are_looked_at_together_again() -> None:
    plain = {"external_id": "a", "body": "Where is my order?"}
    odd = {**plain, "body": "Where is my order, & theirs?"}
    rows = [plain] * AT_ONCE + [odd] * (2 * AGAIN_AFTER + 1) + [plain] * 2 * BLOCK_ROWS
    blocks = list(blocks_of(rows, "jsonl"))
    assert {block.rows for block in blocks} == {BLOCK_ROWS, len(rows) % BLOCK_ROWS}
    assert isinstance(blocks[0].parts[0], PlainRows)
    assert sum(len(one) for block in blocks for one in block.parts if isinstance(one, list)) < (
        4 * AGAIN_AFTER
    )
