"""What is taken as plain is what careful judgement makes of it: of every row, both are asked."""

import itertools
from hashlib import sha256
from typing import Any

import pytest

from worker.domain.backlog import LONGEST, Block, Caps, PlainRows, Reject
from worker.intake.blocks import AT_ONCE, FEW, in_blocks
from worker.intake.cell_words import UNCALCULATED
from worker.intake.plain_rows import BODY, FIELD, plain_columns
from worker.intake.rows import Rows
from worker.store.queue.copy_rows import digest_of, packed, packed_rows

CAREFUL = Caps(body_chars=BODY - 1)
"""Under these bounds no row is plain."""
IDS = ["a1", "7.0", "a", "a b", " a", "a\n", "é", "#N/A", "1.2E+05", "1E+05", "", "\x00", "a\u200b"]
IDS += ["a" * FIELD, "a" * (FIELD + 1), "NULL", 7, None, True, ["a"], "a:b/c@d#e-f_g.h"]
BODIES = [
    "Where is my order?",
    "no",
    "NULL",
    "[object Object]",
    "",
    " ",
    "\u00a0" * 40,
    "&amp; so on",
]
BODIES += [
    "<p>Where is my order?</p>",
    "1 < 2, and more than 15 signs",
    "\x00" * 20,
    "¿Dónde está mi pedido?",
]
BODIES += [
    "![](https://a.example/picture-of-it.png)",
    "Where is\x00 my order now?",
    7,
    None,
    {"a": 1},
    ["a"],
]
BODIES += ["Where is <br> my order, <br> please", "you &amp; me, and where is my order"]
BODIES += ["ÄÖÜ ist mein Paket noch da", "  Where is my order, please?", "\u3164" * 30]
OTHERS = [
    "en",
    "",
    None,
    "NULL",
    "<b>x</b>",
    "a\x00",
    "a" * FIELD,
    "a" * 3_000,
    7,
    0,
    False,
    1.5,
    [],
    ["a"],
    {"a": 1},
]


MOMENTS = ["2026-11-24T08:15:00Z", "24.11.2026", "04/11/2026", "no time", "NULL", "", None, 7]
MOMENTS += [True, ["2026-11-24"], "a\x00", UNCALCULATED]
DRESSED = ["7.0", "7.5", "'7", '="7"', " a", "e\u0301", "a@b.example", "a b", UNCALCULATED]


def judged(
    rows: list[dict[str, Any]],
    caps: Caps,
    columns: dict[str, str] | None = None,
    floats: bool | None = None,
) -> Block:
    (block,) = in_blocks(Rows(caps, columns, floats=floats), list(enumerate(rows, 1)))
    return block


def alike(one: Block, other: Block) -> bool:
    """Whether the rows are the same, however they are held."""
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("records", "rows", "chars", "rejects", "warnings", "notes")
    )


PAIRS: list[tuple[Any, Any, dict[str, Any]]] = [
    *((id_, body, {"language": "en"}) for id_, body in itertools.product(IDS, BODIES)),
    *(("a", "Where is my order?", {name: o}) for name in LONGEST for o in OTHERS),
    ("a", "Where is my order?", dict.fromkeys(LONGEST, "x")),
    *(("a", "Where is my order?", {"received_at": at}) for at in MOMENTS),
    *(("a", "Where is my order?", {"customer_id": one}) for one in DRESSED),
    *((one, "Where is my order?", {"customer_id": "7.0"}) for one in DRESSED),
    ("a", UNCALCULATED, {"language": "en"}),
]


@pytest.mark.parametrize("rest", [{}, {"order": 7, "note": "", "deep": [[["x"]]]}, {"a": "\x00"}])
@pytest.mark.parametrize("floats", [None, False, True])
def test_a_plain_row_is_what_it_is_with_care(rest: dict[str, Any], floats: bool | None) -> None:
    rows = [{"external_id": i, "body": b, **others, **rest} for i, b, others in PAIRS]
    plain = judged(rows, Caps(), floats=floats)
    assert alike(plain, judged(rows, CAREFUL, floats=floats))
    assert plain.records
    assert plain.rejects


@pytest.mark.parametrize("floats", [None, False, True])
@pytest.mark.parametrize("place", [0, 9, FEW])
def test_among_columns_a_row_is_what_it_is_by_itself(place: int, floats: bool | None) -> None:
    for id_, body, others in PAIRS:
        row = {"external_id": id_, "body": body, **others}
        usual = {**row, "external_id": "b2", "body": "Where is my parcel?"}
        usual |= dict.fromkeys(others)
        rows = [usual] * FEW
        rows.insert(place, row)
        block = judged(rows, Caps(), floats=floats)
        assert alike(block, judged(rows, CAREFUL, floats=floats))
        texts = type(id_) is type(body) is str and all(
            type(one) in (str, type(None)) for one in others.values()
        )
        by_columns = PlainRows in map(type, block.parts)
        assert by_columns == (texts and "received_at" not in others)
        for source in (None, "shop"):
            assert packed(block.parts, source) == packed_rows(block.records, source)


def test_rows_of_several_shapes_are_judged_by_themselves() -> None:
    rows: list[Any] = [{"external_id": "a", "body": "Where is my order?"}] * (AT_ONCE - 1)
    rows.append({"external_id": "b", "body": "Where is my order?", "channel": "mail"})
    assert alike(judged(rows, Caps()), judged(rows, CAREFUL))
    items = [*enumerate(rows[:9], 1), Reject(900, "not an object")]
    (block,) = in_blocks(Rows(Caps()), items)
    assert (block.rows, block.rejects) == (9, [Reject(900, "not an object")])


def test_rows_keep_their_order_around_those_that_are_not_plain() -> None:
    rows = [{"external_id": f"m{n}", "body": "Where is my order?"} for n in range(3 * FEW)]
    for odd in (1, 2, FEW):
        rows[odd]["body"] = "you & me, and my order"
    block = judged(rows, Caps())
    assert [record.external_id for record in block.records] == [row["external_id"] for row in rows]
    assert list(map(len, block.parts)) == [1, 2, FEW - 3, 1, 2 * FEW - 1]


def test_a_digest_is_of_subject_and_body() -> None:
    for subject in ("hello", None):
        row = {"external_id": "a", "body": "Where is my order?", "subject": subject}
        digest = sha256(f"{subject or ''}\0{row['body']}".encode()).digest()[:16]
        block = judged([row] * FEW, Caps())
        assert all(digest in one for one in packed(block.parts, None).rows)
        assert {digest_of(record) for record in block.records} == {digest}


def test_where_many_are_not_plain_each_is_judged_by_itself() -> None:
    rows = [{"external_id": "a", "body": f"Where is my {n % 2 * '&'} order?"} for n in range(40)]
    block = judged(rows, Caps())
    assert [type(part) for part in block.parts] == [list]
    assert alike(block, judged(rows, CAREFUL))


def test_columns_of_other_names_are_plain_too() -> None:
    rows = [{"Nr": "a1", "Text": "Where is my order?", "Sprache": "de"}]
    columns = {"external_id": "Nr", "body": "Text", "language": "Sprache"}
    assert alike(judged(rows, Caps(), columns), judged(rows, CAREFUL, columns))


def test_one_long_body_among_others_is_judged_by_itself() -> None:
    row = {"external_id": "a", "body": "Where is my order, please?"}
    rows = [*[row] * FEW, row | {"body": "x" * (Caps().body_chars + 1)}]
    assert len(judged(rows, Caps()).rejects) == 1


def test_under_narrow_bounds_no_row_is_plain() -> None:
    row = {"external_id": "a" * 9, "body": "Where is my order, please?"}
    for caps in (Caps(id_chars=8), Caps(body_chars=20)):
        assert len(judged([row], caps).rejects) == 1


@pytest.mark.parametrize(
    "columns",
    [{"external_id": "a"}, {"body": "a"}],
)
def test_without_an_id_or_a_body_no_row_is_plain(columns: dict[str, str]) -> None:
    assert plain_columns(columns) is None
