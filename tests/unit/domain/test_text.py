"""Text made safe for where it goes: spreadsheets and terminals."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.text import FORMULA_STARTS, neutralise_formula, terminal_safe, whole_number
from worker.intake import read_blocks

cells = st.builds(str.__add__, st.sampled_from([*FORMULA_STARTS, "'", "''", " ", ""]), st.text())


def restored(cell: str) -> str:
    """What a reader does who wants the text as it was: the opposite of neutralising."""
    formula = cell.startswith("'") and cell.lstrip("'").startswith(FORMULA_STARTS)
    return cell[1:] if formula else cell


@given(cells)
def test_no_cell_is_a_formula_and_every_one_can_be_had_back(cell: str) -> None:
    neutral = neutralise_formula(cell)
    assert not neutral.startswith(FORMULA_STARTS)
    assert restored(neutral) == cell
    assert neutral in (cell, f"'{cell}")


@given(st.text(), st.text())
def test_two_cells_never_become_one(one: str, other: str) -> None:
    assert (neutralise_formula(one) == neutralise_formula(other)) is (one == other)


@pytest.mark.parametrize(
    ("cell", "neutral"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@SUM(1+1)", "'@SUM(1+1)"),
        ("-2+3", "'-2+3"),
        ("+49 30 1234", "'+49 30 1234"),
        ("\t=1", "'\t=1"),
        ("\n=1", "'\n=1"),
        ("＝1+1", "'＝1+1"),
        ("'=1", "''=1"),
        ("it's fine", "it's fine"),
        ("'quoted'", "'quoted'"),
        ("", ""),
    ],
)
def test_cells_that_attack_are_shown_as_text(cell: str, neutral: str) -> None:
    assert neutralise_formula(cell) == neutral


texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), min_size=1)


@given(texts)
def test_what_is_exported_can_be_handed_in_again(body: str) -> None:
    """As CSV: through a writer, our neutralising, our reader, and back."""
    # given
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["external_id", "body"])
    writer.writerow(["1", neutralise_formula(body)])
    # when
    blocks = list(read_blocks("x.csv", io.BytesIO(out.getvalue().encode())))
    # then
    records = [record for block in blocks for record in block.records]
    rejects = [reject.reason for block in blocks for reject in block.rejects]
    assert [restored(record.body) for record in records] == ([body] if not rejects else [])
    assert rejects == [] or rejects[0].startswith("empty body")


@given(st.text())
def test_a_terminal_gets_nothing_that_it_obeys(text: str) -> None:
    safe = terminal_safe(text)
    assert not any(c in safe for c in "\x1b\x9b\x07\x08\r\u202e\u2066\u200f")
    assert all(c.isprintable() or c in "\n\t" or ord(c) > 0x9F for c in safe)
    assert terminal_safe(safe) == safe


@pytest.mark.parametrize(
    ("words", "number"),
    [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1), ("", None), ("-1", None), ("1.0", None)]
    + [(words, None) for words in ("²", "١", "9" * 19, "1" * 5_000, " 1", "1\n")],
)
def test_a_number_of_the_record_is_written_in_plain_digits(words: str, number: int | None) -> None:
    assert whole_number(words) == number
