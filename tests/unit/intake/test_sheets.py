"""Workbooks: of Excel, with its shared strings, and of LibreOffice."""

import datetime as dt
import io
import zipfile

import openpyxl
import pytest

from tests.support.excel_parts import FRAME, MAIN, SHEET, STRINGS
from tests.unit.intake.taking import taken
from worker.intake import ReadingOptions
from worker.intake.packed_strings import Strings

BODY = "Where is my <parcel> & why?"


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


NAIVE = dt.datetime(2026, 11, 24, 8, 15)  # noqa: DTZ001 - as cells have them
ROWS: list[list[object]] = [
    ["Ticket ID", "Description", "Created at", "Amount", "Paid"],
    [35436, BODY, NAIVE, 12.5, True],
    [],
    ["T-2", "Second", None, 3.0, None],
]


def test_the_first_sheet_is_read_and_cells_are_as_csv_has_them() -> None:
    found = taken("x.xlsx", workbook(("Tickets", ROWS), ("Other", [["a"]])))
    assert (found.refused, found.rejects) == (None, [])
    assert [(r.line, r.external_id, r.body) for r in found.records] == [
        (2, "35436", BODY),
        (4, "T-2", "Second"),
    ]
    assert str(found.records[0].received_at) == "2026-11-24 08:15:00+00:00"
    assert found.records[0].metadata == {"Amount": "12.5", "Paid": "true"}
    assert found.records[1].metadata == {"Amount": "3"}


def test_a_sheet_can_be_named_and_a_hidden_one_is_not_the_first() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(("Secret", [["x"]]), ("Tickets", ROWS))))
    book["Secret"].sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    assert taken("x.xlsx", out.getvalue()).ids == ["35436", "T-2"]
    assert taken("x.xlsx", out.getvalue(), options=ReadingOptions(sheet="Tickets")).ids == [
        "35436",
        "T-2",
    ]
    missing = taken("x.xlsx", out.getvalue(), options=ReadingOptions(sheet="Nope")).refused
    assert missing is not None
    assert "there are: 'Secret', 'Tickets'" in missing


def test_cells_beside_the_named_columns_are_kept() -> None:
    rows: list[list[object]] = [["external_id", "body"], ["a", "hello", None, "a remark"]]
    found = taken("x.xlsx", workbook(("T", rows)))
    assert found.records[0].metadata == {"column 4": "a remark"}


def excels(strings: str, rows: str, extra: str = "") -> bytes:
    """A workbook as Excel writes it: strings apart from the cells."""
    out = io.BytesIO()
    parts = {
        **FRAME,
        STRINGS: f"{extra}<sst {MAIN}>{strings}</sst>",
        SHEET: f"<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>",
    }
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def cells(number: int, *strings: int) -> str:
    there = zip("AB", strings, strict=False)
    inner = "".join(f'<c r="{name}{number}" t="s"><v>{s}</v></c>' for name, s in there)
    return f'<row r="{number}">{inner}</row>'


def test_strings_in_pieces_and_with_readings_are_their_text() -> None:
    strings = (
        "<si><t>external_id</t></si><si><t>body</t></si><si><t>a</t></si>"
        "<si><r><t>注文</t></r><r><t>した_x000D_\n商品</t></r>"
        "<rPh sb='0'><t>ちゅうもん</t></rPh></si>"
    )
    found = taken("x.xlsx", excels(strings, cells(1, 0, 1) + cells(2, 2, 3)))
    assert found.bodies == ["注文した\n商品"]


def test_strings_are_had_by_number_however_many() -> None:
    words = [f"string {number} {'x' * (number % 900)}" for number in range(30_000)]
    strings = Strings(iter(words))
    assert [strings[n] for n in (0, 29_999, 255, 256, 12_345)] == [
        words[n] for n in (0, 29_999, 255, 256, 12_345)
    ]
    for none in (30_000, -1):
        with pytest.raises(IndexError):
            strings[none]


@pytest.mark.parametrize(
    "data",
    [
        excels("<si><t>external_id</t></si>", cells(1, 0, 7)),
        excels("<si><t>external_id", cells(1, 0, 0)),
        excels("", '<row r="99999999999"><c r="A1"><v>1</v></c></row>'),
        excels("", '<row r="1"><c r="!!"><v>1</v></c></row>'),
        workbook(("T", ROWS))[:-300],
    ],
)
def test_what_is_broken_is_a_sentence(data: bytes) -> None:
    found = taken("x.xlsx", data)
    assert found.refused is not None
    assert found.records == []


def test_entities_are_not_resolved() -> None:
    bomb = '<!DOCTYPE sst [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "/etc/passwd">]>'
    strings = "<si><t>external_id</t></si><si><t>body</t></si><si><t>a</t></si>"
    rows = cells(1, 0, 1) + cells(2, 2, 3)
    found = taken("x.xlsx", excels(strings + "<si><t>x&b;&f;</t></si>", rows, bomb))
    assert (found.records, "a part of it is damaged" in str(found.refused)) == ([], True)
    # and for no other reason
    assert taken("x.xlsx", excels(strings + "<si><t>x</t></si>", rows)).bodies == ["x"]


TABLE = "urn:oasis:names:tc:opendocument:xmlns"
CONTENT = f"""<office:document-content xmlns:office="{TABLE}:office:1.0"
 xmlns:table="{TABLE}:table:1.0" xmlns:text="{TABLE}:text:1.0"><office:body><office:spreadsheet>
<table:table table:name="Tickets">
<table:table-row><table:table-cell><text:p>Ticket ID</text:p></table:table-cell>
<table:table-cell><text:p>Description</text:p></table:table-cell>
<table:table-cell><text:p>Created at</text:p></table:table-cell>
<table:table-cell table:number-columns-repeated="16381"/></table:table-row>
<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>
<table:table-row><table:table-cell office:value-type="float" office:value="35436"><text:p>35,436
</text:p></table:table-cell><table:table-cell><text:p>Where<text:s text:c="2"/>is <text:span>my
parcel</text:span>?</text:p><text:p>Thanks</text:p></table:table-cell>
<table:table-cell office:value-type="date" office:date-value="2026-11-24T08:15:00"/>
</table:table-row></table:table>
<table:table table:name="Other"><table:table-row><table:table-cell><text:p>external_id</text:p>
</table:table-cell><table:table-cell><text:p>body</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell table:number-columns-repeated="2"><text:p>same</text:p>
</table:table-cell></table:table-row></table:table>
</office:spreadsheet></office:body></office:document-content>"""


def opendocument() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", CONTENT)
    return out.getvalue()


def test_libreoffices_sheets_are_read_too() -> None:
    found = taken("x.ods", opendocument())
    assert [(r.line, r.external_id, r.body) for r in found.records] == [
        (4, "35436", "Where  is my\nparcel?\nThanks")
    ]
    assert str(found.records[0].received_at) == "2026-11-24 08:15:00+00:00"
    other = taken("x.ods", opendocument(), options=ReadingOptions(sheet="Other"))
    assert (other.ids, other.bodies) == (["same"], ["same"])
    missing = taken("x.ods", opendocument(), options=ReadingOptions(sheet="Nope")).refused
    assert missing is not None
    assert "'Tickets', 'Other'" in missing


def test_a_header_below_a_title_is_found_and_said() -> None:
    rows = "".join(f"{i};Paket;Wo ist Paket {i}? Grüße;2{i}.11.2026\r\n" for i in range(1, 6))
    text = "Export vom 24.11.2026\r\n\r\nTicket-Nr.;Betreff;Nachricht;Datum\r\n" + rows
    found = taken("day.csv", text.encode("cp1252"))
    assert (found.refused, found.ids) == (None, ["1", "2", "3", "4", "5"])
    assert found.document["header"] == 3
    head = [["Export"], [], ["Ticket ID", "Message", "Date"]]
    book = workbook(("Day", [*head, [1, "Where is it, please?", None]]))
    found = taken("day.xlsx", book)
    assert (found.bodies, found.document["header"]) == (["Where is it, please?"], 3)


def test_a_narrow_table_has_no_title() -> None:
    one = taken("day.csv", b"body\nA short one\nOther\n")
    assert one.refused == "day.csv: no column called external_id; there are: 'body'."
    two = taken("day.csv", b"id,body\n1,x\n2,y\n")
    assert (two.bodies, "header" in two.document) == (["x", "y"], False)


def test_rows_that_end_before_their_columns_do_have_them_all() -> None:
    rows: list[list[object]] = [["external_id", "body"], ["a"], ["b"]]
    for found in (
        taken("x.xlsx", workbook(("T", rows))),
        taken("x.csv", b"external_id,body\na\nb"),
    ):
        assert (found.refused, [one.reason for one in found.rejects]) == (
            None, ["missing body", "missing body"],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ("external_id,body\n1,Hi; one; two; three\n", ["Hi; one; two; three"]),
        ("external_id,body\n1,a; b; c\n2,d; e; f\n", ["a; b; c", "d; e; f"]),
        ("Export, 24 Nov\n\nTicket ID;Subject;Description;Paid\n1;a;Where is it;1,5\n", None),
    ],
)
def test_texts_with_other_delimiters_make_no_other_table(
    text: str, bodies: list[str] | None
) -> None:
    found = taken("x.csv", text.encode())
    assert (found.refused, found.bodies) == (None, bodies or ["Where is it"])


def test_ids_are_what_people_see_in_their_cells() -> None:
    rows: list[list[object]] = [["Ticket ID", "Description"], [42, "a b"], [43, "c d"], [4, "e f"]]
    book = openpyxl.load_workbook(io.BytesIO(workbook(("Tickets", rows))))
    book["Tickets"]["A2"].number_format = "00000"
    book["Tickets"]["A3"].number_format = '"T-"000'
    book["Tickets"]["B3"] = "c_x0009_d_x005F_x000D_"
    out = io.BytesIO()
    book.save(out)
    found = taken("x.xlsx", out.getvalue())
    assert (found.ids, found.bodies) == (["00042", "T-043", "4"], ["a b", "c\td_x000D_", "e f"])


@pytest.mark.parametrize(("seen", "known"), [("00042", "00042"), ("T-042", "T-042"), ("4E1", "42")])
def test_ids_of_opendocument_are_what_people_see(seen: str, known: str) -> None:
    content = CONTENT.replace('"35436"', '"42"').replace("35,436\n", seen)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    assert taken("x.ods", out.getvalue()).ids == [known]
