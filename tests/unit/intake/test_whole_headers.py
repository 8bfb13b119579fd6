"""Headers of more than one line, and workbooks whose first sheet is not the table."""

import io

import pytest
from openpyxl import Workbook

from tests.unit.intake.taking import taken
from worker.intake import ReadingOptions
from worker.intake.headers import AGAIN

ROWS = "1,2026-01-01,a@x.example,Where is my order please?\n2,2026-01-02,b@x.example,Money back\n"


@pytest.mark.parametrize(
    ("groups", "names", "customer"),
    [
        ("Ticket,,Customer,Message", "ID,Created at,Email,Description", "Email"),
        ("Ticket,Ticket,Customer,Message", "ID,Created at,Email,Description", "Email"),
        ("Ticket,,Customer,Description", "Ticket ID,Created at,Email,", "Email"),
    ],
)
def test_names_below_groups_of_columns_are_the_names(
    groups: str, names: str, customer: str
) -> None:
    found = taken("t.csv", f"{groups}\n{names}\n{ROWS}".encode())
    assert (found.ids, found.bodies) == (["1", "2"], ["Where is my order please?", "Money back"])
    assert (found.rejects, found.document["header"]) == ([], 2)
    assert found.document["columns"]["customer_id"] == customer


def test_a_name_that_stands_below_two_groups_goes_by_both() -> None:
    header = "Ticket,,Customer,,Message\nTicket ID,Opened,Name,Opened,Description\n"
    found = taken("t.csv", f"{header}7,x,Ann,y,Where is it?\n".encode())
    assert found.ids == ["7"]
    assert found.records[0].metadata is not None
    assert {"Ticket Opened", "Customer Opened"} <= found.records[0].metadata.keys()


def test_what_else_says_the_names_once_more_is_no_message() -> None:
    header = "Response ID,Question,Email\nID,Message,Email address\n"
    imports = '"{""ImportId"":""_r""}","{""ImportId"":""q""}","{""ImportId"":""e""}"\n'
    found = taken("t.csv", f"{header}{imports}R_7,Where is it?,a@x.example\n".encode())
    assert found.ids == ["R_7"]
    assert [(one.line, one.reason) for one in found.rejects] == [(2, AGAIN), (3, AGAIN)]


@pytest.mark.parametrize(
    "row", ["7,Message,ID", "key,reference,Where is my message with the id?", "A,B,C"]
)
def test_a_row_of_few_words_stays_a_row(row: str) -> None:
    found = taken("t.csv", f"Ticket ID,Subject,Description\n{row}\n8,x,y\n".encode())
    assert (len(found.ids), found.rejects) == (2, [])


@pytest.mark.parametrize(
    "row",
    [
        "T-7,Ann,Lee,Where is it",
        "7,reference,subject,Message",
        "T-7,reference,subject,Is it there?",
        "T-7,reference,subject,I want to know where my parcel is",
        "T-7,subject,channel,Message",
        "T-7,reference,Lee,Whereabouts",
    ],
)
@pytest.mark.parametrize("columns", ["Ticket ID,,,Description", "Ticket ID,Note,Note,Description"])
def test_a_row_below_columns_that_share_a_name_or_have_none_is_no_header(
    columns: str, row: str
) -> None:
    found = taken("t.csv", f"{columns}\n{row}\n".encode())
    assert (found.bodies, "header" in found.document) == ([row.rpartition(",")[2]], False)


@pytest.mark.parametrize(
    "rows",
    [
        "T-7,reference,Lee,Ann,Message",
        "ID,x,y,z,w\nT-7,reference,subject,channel,Message",
        "reference,,,,\nT-7,Lee,Ann,x,Message",
    ],
)
def test_a_header_is_mostly_names_and_stands_next_to_the_groups(rows: str) -> None:
    found = taken("t.csv", f"Ticket ID,,,,Description\n{rows}\n".encode())
    assert (found.bodies, "header" in found.document) == (["Message"], False)


def test_a_column_without_a_name_at_the_end_makes_no_groups() -> None:
    found = taken("t.csv", b"Ticket ID,Description,\nreference,Message,\nT-1,Where?,\n")
    assert (found.ids, "header" in found.document) == (["reference", "T-1"], False)


@pytest.mark.parametrize("header", ["Ticket ID,,Description", "Ticket ID,Note,Description"])
def test_the_header_once_more_is_no_second_line_of_it(header: str) -> None:
    found = taken("t.csv", f"{header}\n{header}\nT-1,,Where?\n".encode())
    assert [one.reason.partition(" (")[0] for one in found.rejects] == ["the header again"]
    assert (found.ids, "header" in found.document) == (["T-1"], False)


@pytest.mark.parametrize(
    ("above", "ids", "lines"), [(",", ["T-9"], [3]), ("T-1,Where?", ["T-1", "ID", "T-9"], [])]
)
def test_what_stands_below_a_blank_line_may_be_of_the_header_but_not_below_a_row(
    above: str, ids: list[str], lines: list[int]
) -> None:
    found = taken("t.csv", f"Ticket ID,Description\n{above}\nID,Message\nT-9,x\n".encode())
    assert (found.ids, [one.line for one in found.rejects]) == (ids, lines)


def test_one_cell_like_a_surveys_is_no_line_of_its_header() -> None:
    found = taken("t.csv", b'Response ID,Question\n7,"{""ImportId"": ""q""} is what it says"\n')
    assert (found.ids, found.rejects) == (["7"], [])


def test_a_row_that_could_not_be_read_says_why() -> None:
    found = taken("t.csv", b'Ticket ID,Description\nID,"Message"x\nT-1,Where?\n')
    assert [one.reason for one in found.rejects] == ["malformed quoting"]


def test_rules_below_a_header_are_drawn_and_no_rows() -> None:
    found = taken("t.txt", b"id|body\n--|------\n1|Where is it?\n2|Money back\n")
    assert (found.ids, found.rejects) == (["1", "2"], [])


def workbook(**sheets: list[list[str]]) -> bytes:
    book, held = Workbook(), io.BytesIO()
    book.remove(book.active)  # type: ignore[arg-type]
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(held)
    return held.getvalue()


TICKETS = [["Ticket ID", "Description"], ["7", "Where is it?"]]


@pytest.mark.parametrize(
    "cover",
    [[["Support"], ["Made on", "1 May"]], [["Month", "Count"], ["Jan", "3"]], [["Read me"]]],
)
def test_a_cover_names_the_sheet_that_holds_the_table(cover: list[list[str]]) -> None:
    data = workbook(Cover=cover, Notes=[["x"]], Day=TICKETS)
    found = taken("t.xlsx", data)
    assert found.refused is not None
    assert found.refused.endswith("That is its sheet 'Cover'; there are also: 'Notes', 'Day'.")
    assert found.mend == "rung enqueue --sheet Day t.xlsx"
    assert taken("t.xlsx", data, options=ReadingOptions(sheet="Day")).ids == ["7"]


def test_which_of_several_sheets_was_read_is_said() -> None:
    assert taken("t.xlsx", workbook(Day=TICKETS, More=TICKETS)).document["sheet"] == "Day"
    assert "sheet" not in taken("t.xlsx", workbook(Day=TICKETS)).document


@pytest.mark.parametrize("name", ["t.emlx", "t"])
def test_a_mail_of_apple_mail_ends_where_its_length_says(name: str) -> None:
    mail = (
        b"From: a@x.example\r\nSubject: Hi\r\nMessage-ID: <7@x.example>\r\n"
        b"Date: Tue, 24 Nov 2026 08:15:00 +0000\r\n\r\nWhere is it?\r\n"
    )
    found = taken(name, b"%-11d\n%s<?xml version='1.0'?><plist></plist>\n" % (len(mail), mail))
    assert (found.ids, [body.strip() for body in found.bodies]) == (
        ["7@x.example"],
        ["Where is it?"],
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'// made by us\n[{"id": 1, "body": "x"}]', "JSON with comments"),
        (b'window.YTD.messages = [{"id": 1, "body": "x"}]', "JavaScript"),
        (b'done([{"id": 1, "body": "x"}])', "JavaScript"),
        (b"-- MySQL dump\nINSERT INTO t VALUES (1);", "a dump of a database"),
        (b"INSERT INTO t (id, body) VALUES (1, 'x');", "a dump of a database"),
        (b"- id: 1\n  body: x\n", "YAML"),
        (b"---\ntickets:\n", "YAML"),
    ],
)
def test_a_text_that_is_no_backlog_is_named(data: bytes, words: str) -> None:
    found = taken("t.json", data)
    assert found.refused is not None
    assert words in found.refused
    assert found.mend
