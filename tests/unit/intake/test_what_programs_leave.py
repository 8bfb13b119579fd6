"""What other programs leave: pictures alone, documents of other kinds, empty sheets."""

import io
import zipfile

import pytest
from openpyxl import Workbook

from tests.unit.intake.taking import taken

HEADER = "Ticket ID,Description\n"
TABLE = 'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
TEXT = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'


@pytest.mark.parametrize("pictures", ["![](https://x.example/a.png)", " ![a](b.png)\n![c](d.png)"])
def test_pictures_alone_say_nothing(pictures: str) -> None:
    rows = f'1,Where is it?\n2,"{pictures}"\n3,"{pictures} is shown"\n'
    found = taken("t.csv", f"{HEADER}{rows}".encode())
    assert (found.ids, [one.reason for one in found.rejects]) == (["1", "3"], ["empty body"])


def archive(**members: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as out:
        for name, content in members.items():
            out.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("t.csv", b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
        ("t.xml", b'\xef\xbb\xbf<?xml version="1.0"?><tickets/>', "XML"),
        ("t.docx", archive(word__document_dot_xml="<x/>"), "a Word document"),
        ("t.numbers", archive(Index__Document_dot_iwa="x"), "a document of Numbers"),
        ("t.xlsb", archive(xl__workbook_dot_bin="x"), "a binary Excel workbook"),
    ],
)
def test_a_document_of_another_kind_is_named_with_what_helps(
    name: str, data: bytes, words: str
) -> None:
    found = taken(name, data)
    assert found.refused is not None
    assert words in found.refused
    assert found.mend


def test_the_first_sheet_that_holds_something_is_read() -> None:
    book = Workbook()
    sheet = book.create_sheet("Tickets")
    for row in (("Ticket ID", "Description"), ("7", "Where is it?")):
        sheet.append(row)
    book.create_sheet("Notes").append(("x", "y"))
    held = io.BytesIO()
    book.save(held)
    assert taken("t.xlsx", held.getvalue()).ids == ["7"]


def test_the_first_sheet_of_opendocument_that_holds_something_is_read() -> None:
    def row(*cells: str) -> str:
        inner = "".join(
            f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells
        )
        return f"<table:table-row>{inner}</table:table-row>"

    empty = '<table:table-row table:number-rows-repeated="1048576"><table:table-cell/>'
    tables = (
        f"{empty}</table:table-row>",
        row("Ticket ID", "Description") + row("7", "Where is it?"),
        row("x", "y"),
    )
    inside = "".join(
        f'<table:table table:name="S{at}">{rows}</table:table>' for at, rows in enumerate(tables)
    )
    content = f"<office {TABLE} {TEXT}>{inside}</office>"
    data = archive(
        mimetype="application/vnd.oasis.opendocument.spreadsheet", content_dot_xml=content
    )
    assert taken("t.ods", data).ids == ["7"]
