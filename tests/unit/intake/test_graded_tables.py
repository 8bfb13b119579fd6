"""Tables of graded outcomes: read in any order, and refused in sentences."""

import gzip
from pathlib import Path

import pytest

from tests.support.graded import GRADED, TABLES, shipped
from worker.errors import UsageError
from worker.intake.graded_tables import is_table, read_table

HEAD = "message,tier,valid,correct,confidence,label,chars,cost_usd"
ROW = "m1,haiku,1,1,0.9,card,20,0.0002"


def write(tmp_path: Path, *lines: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.mark.parametrize("table", TABLES)
def test_the_shipped_tables_are_read(table: str) -> None:
    messages = shipped(table)
    assert [m.name for m in messages] == sorted(m.name for m in messages)
    assert all("haiku" in m.answers and "opus" in m.answers for m in messages)


def test_columns_may_be_fewer_and_in_any_order(tmp_path: Path) -> None:
    path = write(
        tmp_path, "correct,valid,Tier,message", "1,1,haiku,b", "0,1,haiku,a", "", ",1,haiku,c"
    )
    messages = read_table(path).messages
    assert [(m.name, m.answers["haiku"].right) for m in messages] == [
        ("a", False),
        ("b", True),
        ("c", None),
    ]


def test_a_gzipped_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(f"{HEAD}\n{ROW}\n".encode()))
    assert read_table(path).messages[0].segment == "card"


def test_another_column_may_part_the_messages(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + ",channel", ROW + ",mail")
    assert read_table(path, segment="channel").messages[0].segment == "mail"


def test_simulated_rows_are_noticed(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, HEAD + ",simulated", ROW + ",1")).simulated
    assert not read_table(write(tmp_path, HEAD + ",simulated", ROW + ",0")).simulated


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((HEAD, ROW, ROW), "line 3: message 'm1' has a second row for haiku"),
        ((HEAD, "m1,haiku,1,1,1.5,,,"), "line 2: a confidence of 1.5"),
        ((HEAD, "m1,haiku,1,maybe,,,,"), "correct is 'maybe'"),
        ((HEAD, "m1,haiku,1,1,,,,dear"), "cost_usd is 'dear'"),
        ((HEAD, "m1,haiku,1,1,,,,nan"), "cost_usd is nan"),
        ((HEAD, "m1,haiku,1,1,,,-4,"), "chars is -4"),
        ((HEAD, ",haiku,1,1,,,,"), "needs a message and a tier"),
        ((HEAD,), "has no rows"),
        (("",), "no column 'message'"),
        (("message,tier,valid", "m,haiku,1"), "no column 'correct'"),
        (("table," + HEAD, "a," + ROW, "b," + ROW), "holds 2 tables: a, b"),
        ((HEAD, "m1,haiku,1,1,NaN,,,"), "confidence is NaN: it must be a number from 0 on, or"),
        ((HEAD + ",correct", ROW + ",0"), "has 2 columns 'correct': which one counts"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, lines: tuple[str, ...], why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        read_table(write(tmp_path, *lines))


def test_a_table_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"no table 'synthetik'; it has adversarial, cfpb"):
        read_table(GRADED, "synthetik")


@pytest.mark.parametrize("delimiter", list(";\t|"))
def test_what_a_spreadsheet_writes_is_read(tmp_path: Path, delimiter: str) -> None:
    """Other delimiters, decimal commas, and whole numbers as a column with gaps shows them."""
    row = "m1,haiku,1.0,0.0,0|9,card,20.0,0|5".replace(",", delimiter)
    comma = "," if delimiter != "|" else "."
    path = write(
        tmp_path, HEAD.replace(",", delimiter), row.replace("0|9", f"0{comma}9").replace("0|5", "")
    )
    (message,) = read_table(path).messages
    answer = message.answers["haiku"]
    assert (message.chars, answer.confidence, answer.valid, answer.right) == (20, 0.9, True, False)


def test_what_is_not_known_has_no_probability_of_being_known(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD, ROW, "m2,haiku,1,,0.9,card,20,0.0002")
    known = [m.answers["haiku"].probability for m in read_table(path).messages]
    assert known == [1.0, 0.0]


def test_a_folder_and_another_encoding_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        read_table(tmp_path)
    path = tmp_path / "t.csv"
    path.write_bytes(f"{HEAD}\nm1,haiku,1,1,0.9,größe,20,0\n".encode("cp1252"))
    with pytest.raises(UsageError, match="is not UTF-8"):
        read_table(path)


def test_no_file_and_no_gzip_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="is no gzip file"):
        read_table(write(tmp_path, "no gzip", name="t.csv.gz"))


def test_a_name_that_ends_like_a_table_is_one() -> None:
    assert [is_table(n) for n in ("a.csv", "b/A.CSV.GZ", "monday", "a.csv.zip")] == [
        True,
        True,
        False,
        False,
    ]
