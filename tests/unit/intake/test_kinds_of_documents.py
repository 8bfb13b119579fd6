"""JSON as programs write it, and files that are no backlog: read, or called what they are."""

import gzip
import json
from pathlib import Path

import pytest

from tests.unit.intake.taking import packed, taken
from worker.intake.json_values import NO_ROW
from worker.intake.reader import ReadingOptions

ROWS = [{"external_id": "1", "body": "hello there"}, {"external_id": "2", "body": "fine"}]
FIRST, SECOND = map(json.dumps, ROWS)
TABLE = b"external_id,body\n1,hello there\n2,fine\n"
CELLS = [["external_id", "body"], ["1", "hello there"], ["2", "fine"]]


def gzipped(data: bytes) -> bytes:
    """Without the time, so that a test has the same name in every process."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    "data",
    [
        f"{FIRST},\n{SECOND},\n",
        f"{FIRST}\n\ufeff{SECOND}\n",
        f"[{FIRST}]\n[{SECOND}]\n",
        f"{FIRST}\r\n\r\n  \r\n{SECOND}\r\n\x00\x00",
        json.dumps(CELLS),
        f'[{{"tickets": [{FIRST}], "next_page": "x"}}, {{"tickets": [{SECOND}], "count": 2}}]',
        f'[{{"count": 1, "records": [{FIRST}, {SECOND}]}}, {{"records": []}}]',
        '{"_id": {"$oid": "1"}, "body": "hello there"}\n{"_id": {"$oid": "2"}, "body": "fine"}\n',
        json.dumps({"range": "A1:B3", "majorDimension": "ROWS", "values": CELLS}),
        json.dumps({"columns": CELLS[0], "index": [0, 1], "data": CELLS[1:]}),
        json.dumps({"fields": [{"name": "external_id"}, {"name": "body"}], "rows": CELLS[1:]}),
        json.dumps({"1": {"body": "hello there"}, "2": {"body": "fine"}}),
        json.dumps({"tickets": {"1": {"body": "hello there"}, "2": {"body": "fine"}}}),
        json.dumps({"a": {"id": 1, "body": "hello there"}, "b": {"id": 2, "body": "fine"}}),
        f"{json.dumps(FIRST)}\n{json.dumps(SECOND)}\n",
        json.dumps({"hits": {"hits": [{"_index": "t", "_source": row} for row in ROWS]}}),
        "\n".join(json.dumps({"_airbyte_ab_id": "u", "_airbyte_data": row}) for row in ROWS),
        f'{FIRST[:-1]}, "n": NaN}}\n{SECOND[:-1]}, "n": -Infinity}}\n',
        f'[{FIRST[:-1]}, "n": NaN}}, {SECOND}]',
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_the_same_two_rows(name: str, data: str) -> None:
    found = taken(name, data.encode())
    assert (found.refused, found.rejects) == (None, [])
    assert list(zip(found.ids, found.bodies, strict=True)) == [("1", "hello there"), ("2", "fine")]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.jsonl", "\n".join(map(json.dumps, CELLS))),
        ("x.json", json.dumps([FIRST, SECOND])),
    ],
)
def test_lines_that_are_lists_and_lists_of_text(name: str, data: str) -> None:
    assert taken(name, data.encode()).bodies == ["hello there", "fine"]


def test_what_a_protocol_says_of_itself_is_no_row() -> None:
    version = {"type": "ACTIVATE_VERSION", "stream": "tickets", "version": 1}
    found = taken("x.jsonl", f"{FIRST}\n{json.dumps(version)}\n".encode())
    assert [one.reason for one in found.rejects] == [NO_ROW]


def test_a_conversation_is_no_list_of_rows() -> None:
    row = {"source": {"id": "s", "body": "a"}, "parts": {"id": "p", "body": "b"}, "id": "7"}
    assert taken("x.json", json.dumps(row).encode()).document.get("records") is None


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_a_number_that_nothing_holds_keeps_its_digits(name: str) -> None:
    data = b'{"external_id":123456789012345678901234567890,"body":"a b","n":98765432109876543210}'
    found = taken(name, data if name == "x.jsonl" else b"[" + data + b"]")
    assert found.ids == ["123456789012345678901234567890"]
    assert found.records[0].metadata == {"n": "98765432109876543210"}


@pytest.mark.parametrize("orient", [{"0": "1", "1": "2"}, ["1", "2"]])
def test_columns_are_no_rows_and_it_is_said(orient: object) -> None:
    found = taken("x.json", json.dumps({"external_id": orient, "body": orient}).encode())
    assert found.refused == "x.json holds a list for each column, and no rows."


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_json_in_another_encoding_is_read_and_said(name: str) -> None:
    data = '[{"external_id":"1","body":"schöne Grüße aus Köln"}]'
    found = taken(name, (data if name == "x.json" else data[1:-1]).encode("latin-1"))
    assert found.bodies == ["schöne Grüße aus Köln"]
    assert found.document["encoding"] == "cp1252"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.db", b"SQLite format 3\x00" + bytes(90), "an SQLite database"),
        ("x.csv", b"\x89PNG\r\n\x1a\n", "a picture"),
        ("x.rtf", b"{\\rtf1\\ansi hello}", "a text document"),
        ("x.pst", b"!BDN" + bytes(90), "an Outlook mailbox"),
        ("x.msg", b"\xd0\xcf\x11\xe0" + bytes(90), "a mail or a document of Microsoft Office"),
        ("x.tar", b"a.csv".ljust(257, b"\x00") + b"ustar  " + bytes(200), "a tar archive"),
        ("x.tgz", gzipped(b"a".ljust(257, b"\x00") + b"ustar" + bytes(99)), "a tar archive"),
        ("x.gz", gzipped(gzipped(TABLE)), "packed twice"),
        ("x.zip", packed({"a.zip": packed({"a.csv": TABLE})}), "an archive, or a workbook, within"),
        ("x.zip", packed({}), "an empty zip archive"),
        ("x.docx", packed({"word/document.xml": b"<w/>"}), "a Word document"),
        ("x.xlsb", packed({"xl/workbook.bin": b"x"}), "a binary Excel workbook"),
        ("x.numbers", packed({"Index/Document.iwa": b"x"}), "a document of Numbers"),
        ("x.xml", b'<?xml version="1.0"?><tickets/>', "is XML"),
        ("x.xls", b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>', "of 2003"),
        ("x.csv", b"<!DOCTYPE html><html><p>Sign in, please</p></html>", "a web page without"),
        ("x.csv", b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    ],
)
def test_what_is_no_backlog_is_called_what_it_is(name: str, data: bytes, words: str) -> None:
    found = taken(name, data)
    assert found.refused is not None
    assert words in found.refused
    assert found.mend


def test_a_table_in_html_that_is_called_a_workbook_is_read() -> None:
    row = "<tr><td>1</td><td>My box<br>is  broken &amp; late</td></tr>"
    head = "<tr><th>Ticket ID</th><th>Description</th></tr>"
    for start in ("<html><body>", "<!DOCTYPE html>\n<html>", ""):
        found = taken("x.xls", f"{start}<table>{head}{row}</table>".encode())
        assert (found.ids, found.bodies) == (["1"], ["My box\nis broken & late"])
        assert found.document["kind"] == "html"
    found = taken("x.xls", f"<table>{head}{row.replace('late', 'spät')}</table>".encode("cp1252"))
    assert found.bodies == ["My box\nis broken & spät"]


def test_of_an_archive_what_is_meant_is_read_and_said() -> None:
    found = taken("x.zip", packed({"README.txt": b"hi", "a.csv": TABLE}))
    assert (found.ids, found.document["member"]) == (["1", "2"], "a.csv")
    several = taken("x.zip", packed({"a.csv": TABLE, "b.csv": TABLE}))
    assert several.mend == "name one with --member"


def test_an_archive_of_mails_is_a_mailbox() -> None:
    mails = [f"From: a@b.c\nTo: d@e.f\nMessage-ID: <{n}@x>\n\nhello {n}\n".encode() for n in (1, 2)]
    found = taken("x.zip", packed({"mails/a.eml": mails[0], "mails/b.eml": mails[1]}))
    assert [(one.line, one.external_id, one.body) for one in found.records] == [
        (1, "1@x", "hello 1"),
        (2, "2@x", "hello 2"),
    ]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    from worker.intake import BacklogError
    from worker.intake.sources import open_file

    with pytest.raises(BacklogError, match="is a folder, and no file is in it"):
        open_file(tmp_path)
    for name in ("a.csv", "b.csv", "c.txt", ".hidden"):
        (tmp_path / name).touch()
    with pytest.raises(BacklogError, match=r"is a folder\.") as refused:
        open_file(tmp_path)
    assert refused.value.mend == f"rung enqueue {tmp_path}/*.csv"


def test_a_name_that_no_file_has_is_asked_about(tmp_path: Path) -> None:
    from worker.errors import Missing
    from worker.intake.sources import open_file

    (tmp_path / "monday.csv").touch()
    with pytest.raises(
        Missing, match=r"no file .*mondya\.csv; did you mean monday\.csv\?"
    ) as refused:
        open_file(tmp_path / "mondya.csv")
    assert refused.value.mend == f"ls {tmp_path}"
    with pytest.raises(Missing, match=r"There is no folder .*nowhere"):
        open_file(tmp_path / "nowhere" / "monday.csv")


def test_what_is_no_text_is_said_so() -> None:
    everything = bytes(range(256)) * 20
    padded = b"".join(bytes((n % 251, 0, 0, 0xFF)) for n in range(2_000))
    for data in (everything, padded):
        assert taken("x.csv", data).refused == "x.csv is no text that could be read."
    assert taken("ls", b"\x7fELF\x02\x01\x01\x00" + everything).refused == "ls is a program."
    rows = b"external_id,body\nm1,a\x00b\nm2,c\x07d\nm3,tab\there\n"
    assert taken("x.csv", rows).refused is None


@pytest.mark.parametrize(
    ("option", "what"),
    [("member", "zip archive"), ("sheet", "workbook"), ("records", "JSON")],
)
def test_what_is_said_of_a_file_that_has_none_is_refused(option: str, what: str) -> None:
    found = taken("x.csv", b"external_id,body\nm1,hello\n", options=ReadingOptions(**{option: "a"}))
    assert (found.refused, found.mend) == (f"x.csv is no {what}.", f"leave out --{option}")


def test_so_is_a_delimiter_of_json() -> None:
    found = taken(
        "x.jsonl",
        b'{"external_id": "m1", "body": "hello"}\n',
        options=ReadingOptions(delimiter=";"),
    )
    assert (found.refused, found.mend) == ("x.jsonl is no CSV.", "leave out --delimiter")


def test_times_and_numbers_of_mongodb_are_what_they_stand_for() -> None:
    when = {"$date": {"$numberLong": "1795508100000"}}
    row = {"_id": {"$oid": "65f0"}, "body": "hello", "createdAt": when, "n": {"$numberInt": "7"}}
    found = taken("x.jsonl", json.dumps(row).encode())
    assert str(found.records[0].received_at) == "2026-11-24 08:15:00+00:00"
    assert found.records[0].metadata == {"n": 7}


def test_a_list_of_conversations_is_no_list_of_pages() -> None:
    rows = [{"key": "a", "messages": [{"id": 1, "body": "x"}], "text": "hello there"}]
    columns = ReadingOptions(columns={"external_id": "key", "body": "text"})
    found = taken("x.json", json.dumps(rows).encode(), options=columns)
    assert (found.bodies, "records" in found.document) == (["hello there"], False)
