"""What is taken as plain is what careful judgement makes of it: of every row, both are asked."""

import itertools
from typing import Any

import pytest

from worker.domain.backlog import LONGEST, Block, Caps
from worker.intake.cell_words import UNCALCULATED
from worker.intake.plain_rows import BODY, FIELD, plain_columns
from worker.intake.rows import Rows

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
    (block,) = Rows(caps, columns, floats=floats).blocks(list(enumerate(rows, 1)))
    return block


@pytest.mark.parametrize("rest", [{}, {"order": 7, "note": "", "deep": [[["x"]]]}, {"a": "\x00"}])
@pytest.mark.parametrize("floats", [None, False, True])
def test_a_plain_row_is_what_it_is_with_care(rest: dict[str, Any], floats: bool | None) -> None:
    pairs = itertools.chain(
        ((id_, body, {"language": "en"}) for id_, body in itertools.product(IDS, BODIES)),
        (("a", "Where is my order?", {name: o}) for name in LONGEST for o in OTHERS),
        [("a", "Where is my order?", dict.fromkeys(LONGEST, "x"))],
        (("a", "Where is my order?", {"received_at": at}) for at in MOMENTS),
        (("a", "Where is my order?", {"customer_id": one}) for one in DRESSED),
        ((one, "Where is my order?", {"customer_id": "7.0"}) for one in DRESSED),
        [("a", UNCALCULATED, {"language": "en"})],
    )
    rows = [{"external_id": i, "body": b, **others, **rest} for i, b, others in pairs]
    plain = judged(rows, Caps(), floats=floats)
    assert plain == judged(rows, CAREFUL, floats=floats)
    assert plain.records
    assert plain.rejects


def test_columns_of_other_names_are_plain_too() -> None:
    rows = [{"Nr": "a1", "Text": "Where is my order?", "Sprache": "de"}]
    columns = {"external_id": "Nr", "body": "Text", "language": "Sprache"}
    assert judged(rows, Caps(), columns) == judged(rows, CAREFUL, columns)


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
