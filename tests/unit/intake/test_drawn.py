"""What programs draw or leave unfinished: refused or rejected in words that say what helps."""

import io

import pytest
from openpyxl import Workbook

from tests.unit.intake.taking import taken

DRAWN = {
    "mysql": "+----+-------+\n| id | body  |\n+----+-------+\n|  1 | Help? |\n+----+-------+\n",
    "mysql's records": f"{'*' * 27} 1. row {'*' * 27}\n  id: 1\nbody: Where is it?\n",
    "psql": " id |  body  \n----+--------\n  1 | Where +\n    | is it?\n(1 row)\n",
    "psql's records": "-[ RECORD 1 ]---\nid   | 1\nbody | Where is it?\n",
    "sqlcmd": "id          body   \n----------- -------\n          1 Help?  \n",
}


@pytest.mark.parametrize("program", DRAWN)
def test_a_table_as_a_terminal_shows_it_is_refused_with_how_to_export(program: str) -> None:
    found = taken("day.txt", DRAWN[program].encode())
    assert "as a terminal shows it" in str(found.refused)
    assert "--csv" in str(found.mend)


def test_a_web_archive_that_is_called_a_workbook_is_called_what_it_is() -> None:
    data = b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\n\n<table>"
    refused = taken("day.xls", data).refused
    assert "MHTML" in str(refused)


def test_formulas_without_values_are_no_empty_cells() -> None:
    book, held = Workbook(), io.BytesIO()
    for row in (["id", "body"], ["1", '="a"&B2'], ["=1+1", "Where is my parcel?"]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(held)
    found = taken("day.xlsx", held.getvalue())
    assert (found.refused, found.records) == (None, [])
    assert all("formula that was never calculated" in one.reason for one in found.rejects)
    assert len(found.rejects) == 2


def test_names_of_rows_without_one_in_the_header_are_asked_for() -> None:
    found = taken("day.tsv", b"id\tbody\n1\t7\tWhere is it?\n2\t8\tHow?\n")
    assert ["row.names" in one.reason for one in found.rejects] == [True, True]
    (reject,) = taken("day.csv", b"id,body\nA-1,Where, and when?\n").rejects
    assert "row.names" not in reject.reason


def test_a_column_of_ids_that_says_too_little_is_named() -> None:
    found = taken("day.csv", b"id,message\n,Where is my parcel?\n,How do I pay?\n3,Why twice?\n")
    assert "'id' is empty or says the same" in str(found.refused)


@pytest.mark.parametrize(
    ("subject", "bodies"),
    [("Where is my parcel?", ["Where is my parcel?"]), ("Invoice 7", []), ("", [])],
)
def test_a_mail_may_say_all_in_its_subject(subject: str, bodies: list[str]) -> None:
    mail = f"From: a@x.example\nSubject: {subject}\nMessage-ID: <1@x>\n\n\n"
    found = taken("one.eml", mail.encode())
    assert (found.bodies, len(found.rejects)) == (bodies, 1 - len(bodies))
    assert [note["column"] for note in found.noted] == ["body"] * len(bodies)


@pytest.mark.parametrize(
    "columns",
    [
        "Entry ID,Entry Date,Comment or Message",
        "Entry ID,Last contact in full words,What is it",
        "Entry ID,Entry Date,What is it,Developer Reply Text",
    ],
)
def test_a_time_or_the_teams_words_are_not_suggested_for_the_message(columns: str) -> None:
    rows = "1,November 24 2026 8:15 am,Where is my parcel? It is late.,Hello! We sent it once more."
    names = columns.split(",")
    cells = [",".join(rows.split(",")[: len(names)]).replace("1,", f"{n},", 1) for n in "12"]
    found = taken("day.csv", "\n".join([columns, *cells]).encode())
    assert f"'body={names[2]}'" in str(found.mend)
