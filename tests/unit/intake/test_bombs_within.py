"""Files made to be small where they lie and large where they are read: sheets and mails are read in
little memory and little time, or refused in a sentence.

Each of these took gigabytes or hours before it was bounded; here a few megabytes show the bound.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.excel_parts import FRAME, MAIN, SHEET, STRINGS, STYLES
from tests.unit.intake.taking import Taken, packed, taken
from tests.unit.intake.test_sheets import CONTENT
from worker.domain.backlog import BacklogError
from worker.domain.passages import cut
from worker.intake import elements, sheets, tables
from worker.intake.encodings import known_encoding
from worker.intake.mail import LONGEST_HEADER
from worker.intake.pages import read_folder

CPU_S = 8.0
"""Most are read in a hundredth of it; those that were not took minutes."""
NAMES = ("external_id", "body")
ROWS = (
    '<row r="1"><c r="A1" t="str"><v>external_id</v></c><c r="B1" t="str"><v>body</v></c></row>'
    '<row r="2"><c r="A2" t="str"><v>1</v></c><c r="B2" t="str"><v>Where is it?</v></c></row>'
)


@pytest.fixture(autouse=True)
def little_time() -> Iterator[None]:
    """Whatever the file holds."""
    before = time.thread_time()
    yield
    assert time.thread_time() - before < CPU_S


def excels(rows: str = ROWS, after: str = "", styles: str = "", strings: str = "") -> Taken:
    """What comes of a workbook of Excel's with these parts."""
    parts = {
        **FRAME,
        SHEET: f"<worksheet {MAIN}><sheetData>{rows}</sheetData>{after}</worksheet>",
        STRINGS: f"<sst {MAIN}>{strings}</sst>",
        STYLES: f"<styleSheet {MAIN}>{styles}</styleSheet>",
    }
    return taken("x.xlsx", packed(parts))


def office(rows: str) -> Taken:
    """What comes of a sheet of LibreOffice's whose rows end with these."""
    head = CONTENT[: CONTENT.index("<table:table ")]
    named = "".join(f"<table:table-cell><text:p>{one}</text:p></table:table-cell>" for one in NAMES)
    content = (
        f'{head}<table:table table:name="T"><table:table-row>{named}</table:table-row>{rows}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return taken("x.ods", packed({"mimetype": kind, "content.xml": content}))


def test_what_stands_behind_the_rows_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "MOST_HELD", 100_000)
    assert excels(after="<z>" + "<a/>" * 500_000 + "</z>").ids == ["1"]
    assert excels(after="<z>" + "<a/>" * 500_000).ids == ["1"]


@pytest.mark.parametrize(
    "bomb",
    [
        {"rows": f'{ROWS}<row r="3">{"<c/>" * 100_000}</row>'},
        {"rows": f"{'<x/>' * 100_000}{ROWS}"},
        {"rows": f'{ROWS}<row><c t="s"><v>0</v></c></row>', "strings": f"<si>{'<r/>' * 100_000}"},
        {"styles": f"<fonts>{'<font/>' * 100_000}</fonts>"},
    ],
)
def test_nothing_between_two_rows_is_held_without_end(
    bomb: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elements, "MOST_HELD", 200_000)
    monkeypatch.setattr(elements, "MOST_ABOUT", 200_000)
    assert "a part of it is far too large" in (excels(**bomb).refused or "")


def test_a_text_that_many_cells_refer_to_is_counted_each_time() -> None:
    # given two megabytes, and a row of forty that show them
    strings = f"<si><t>{'x' * 200_000}</t></si>"
    shown = '<c t="s"><v>0</v></c>' * 41
    found = excels(rows=f'{ROWS}<row r="3"><c t="str"><v>2</v></c>{shown}</row>', strings=strings)
    # then
    assert found.ids == ["1"]
    assert [one.reason for one in found.rejects] == ["record is longer than 8,000,000 characters"]


def shows(string: int) -> str:
    """The rows, and one more that shows a string by its number."""
    cells = f'<c t="str"><v>2</v></c><c t="s"><v>{string}</v></c>'
    return f'{ROWS}<row r="3">{cells}</row>'


def test_strings_that_take_no_room_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "SURELY_STRINGS", 1_000)
    assert excels(rows=shows(999), strings="<si/>" * 1_000).ids == ["1"]
    found = excels(rows=shows(8_999), strings="<si/>" * 9_000)
    assert "more strings than bytes" in (found.refused or "")
    differing = "".join(f"<si><t>{n}</t></si>" for n in range(5_000))
    assert excels(rows=shows(4_999), strings=differing).ids == ["1", "2"]


def test_no_more_strings_are_read_than_rows_ask_for() -> None:
    # given strings that break off far behind those that rows show
    strings = "".join(f"<si><t>{n}</t></si>" for n in range(200_000)) + "<broken>"
    assert excels(rows=shows(300), strings=strings).ids == ["1", "2"]
    assert "cannot be read" in (excels(rows=shows(200_000), strings=strings).refused or "")


FAR = '<row><c r="XFD1" t="str"><v>x</v></c></row>'


def test_cells_far_apart_cost_a_file_what_they_cost_its_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(elements, "MOST_FAR", 50_000)
    assert excels(rows=ROWS + FAR * 3).ids == ["1"]
    assert "a part of it is far too large" in (excels(rows=ROWS + FAR * 4).refused or "")
    # and of LibreOffice's, where a number says how often: not at the end of a row, where it does
    # that of every row, but before or with a word; and for rows
    cell, word = (
        "<table:table-cell {}/>",
        "<table:table-cell {}><text:p>x</text:p></table:table-cell>",
    )
    wide, first = 'table:number-columns-repeated="8000"', word.format("")
    rows = [
        f"<table:table-row>{row}</table:table-row>"
        for row in (
            first + cell.format(wide),
            first + cell.format(wide) + first,
            first + word.format(wide),
        )
    ]
    often = f'<table:table-row table:number-rows-repeated="500">{first}</table:table-row>'
    assert office(rows[0] * 20).refused is None
    assert office(rows[1] * 6).refused is None
    assert "a part of it is far too large" in (office(rows[1] * 7).refused or "")
    assert "a part of it is far too large" in (office(rows[2]).refused or "")
    assert "a part of it is far too large" in (office(often).refused or "")


def test_columns_without_a_name_or_a_word_are_not_gone_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given a header that has only its first and its last of sixteen thousand columns
    header = (
        '<row><c r="A1" t="str"><v>external_id</v></c><c r="XFD1" t="str"><v>body</v></c></row>'
    )
    row = '<row><c r="A1" t="str"><v>7</v></c><c r="XFD1" t="str"><v>Where?</v></c></row>'
    gone_through: list[int] = []
    monkeypatch.setattr(tables, "_is_text", lambda text: gone_through.append(len(text)) or True)
    # then
    found = excels(rows=header + row.replace("7", "é") * 3)
    assert (len(found.ids), found.bodies[0]) == (3, "Where?")
    assert len(gone_through) <= 6


def test_a_header_that_is_far_wider_than_its_rows_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(elements, "MOST_FAR", 50_000)
    names = ",".join([*NAMES, *(f"c{n}" for n in range(1_000))])
    rows = "".join(f"{n},Where is it?\n" for n in range(60))
    page = "".join(f"<tr><td>{'<td>'.join(one.split(','))}" for one in (names, *rows.split()))
    for name, said in (("x.csv", f"{names}\n{rows}"), ("x.html", f"<table>{page}</table>")):
        found = taken(name, said.encode())
        assert found.refused == f"{name} leaves out far more cells than it holds."
    assert len(taken("x.csv", f"{names}\n{rows[:300]}".encode()).ids) > 10
    assert "columns, and 16,384 are read" in (
        taken("x.csv", f"{names * 17}\n{rows}".encode()).refused or ""
    )


def test_an_object_of_very_many_columns_is_no_row() -> None:
    wide = ",".join(['"external_id":"1"', '"body":"Where?"', *(f'"k{n}":1' for n in range(17_000))])
    plain = '{"external_id":"2","body":"Where?"}'
    for name, said in (("x.jsonl", f"{{{wide}}}\n{plain}"), ("x.json", f"[\n{{{wide}}},{plain}]")):
        found = taken(name, said.encode())
        assert (found.ids, [one.reason for one in found.rejects]) == (
            ["2"],
            ["17,002 columns, and 16,384 are read"],
        )


def test_a_sheet_that_declares_entities_is_none() -> None:
    declared = '<!DOCTYPE x [<!ENTITY a "ha">]>'
    parts = {"mimetype": "x", "content.xml": declared + CONTENT}
    assert "a part of it is damaged" in (taken("x.ods", packed(parts)).refused or "")


def test_rows_and_spaces_that_are_only_counted_come_to_an_end() -> None:
    cell = '<table:table-cell office:value-type="string"><text:p>x</text:p></table:table-cell>'
    many = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    assert "more rows than a sheet can have" in (office(many).refused or "")
    space = '<text:s text:c="1000"/>'
    spaced = f"<table:table-cell><text:p>x{space * 2_000}</text:p></table:table-cell>"
    found = office(f"<table:table-row>{spaced * 2}</table:table-row>")
    # The spaces around an id are none of it; a body is not held further than one may have come.
    assert [one.reason for one in found.rejects] == ["body is longer than 200,000 characters"]


HEAD = b"To: x@y.example\nFrom: a@b.example\nDate: Thu, 1 Jan 2026 10:00:00 +0000\n"


@pytest.mark.parametrize(
    "head",
    [
        b"From: " + b"," * 2_000_000,
        b"From: " + b"a:" * 1_000_000,
        b"Subject: " + b"=?utf-8?q?a?= " * 200_000,
        b"Content-Type: text/plain" + b';"' * 500_000,
        b"Content-Disposition: inline" + b"".join(b";a*%d*=a" % n for n in range(200_000)),
        b"a:b\n" * 100_000,
    ],
)
def test_no_header_of_a_mail_holds_up_its_reader(head: bytes) -> None:
    found = taken("x.eml", HEAD + head + b"\n\nWhere is it?")
    assert len(found.records) + len(found.rejects) <= 1


def test_a_header_as_long_as_programs_write_them_is_read_whole() -> None:
    labels = ", ".join(f"label {n}" for n in range(400))
    assert 4_000 < len(labels) < LONGEST_HEADER
    found = taken("x.eml", HEAD + f"X-Gmail-Labels: {labels}\n\nWhere is it?".encode())
    assert found.records[0].metadata == {"to": "x@y.example", "labels": labels}


def test_a_mail_of_a_million_parts_is_read_as_far_as_mails_go() -> None:
    kind = b"Content-Type: multipart/mixed; boundary=b\n\n"
    text = b"--b\nContent-Type: text/plain\n\nWhere is it?\n"
    found = taken("x.eml", HEAD + kind + text + b"--b\n\n" * 150_000)
    assert found.bodies == ["Where is it?"]


def test_a_mail_of_parts_within_parts_is_read_as_far_as_mails_go() -> None:
    # given four hundred, one in the other, and very many lines in the innermost
    kind = "Content-Type: multipart/mixed; boundary=b{0}\n\n--b{0}\n"
    text = b"Content-Type: text/plain\n\nWhere is it?\n"
    inner = "".join(kind.format(n) for n in range(1, 400)).encode()
    outer = kind.format(0).encode() + text + b"--b0\n"
    # then
    assert taken("x.eml", HEAD + outer + inner + b"x\n" * 100_000).bodies == ["Where is it?"]


def test_charsets_that_no_mail_is_in_are_not_tried() -> None:
    kind = b"Content-Type: text/plain; charset=punycode\n\n"
    assert taken("x.eml", HEAD + kind + b"aaaa" * 20_000 + b"-a").bodies == ["aaaa" * 20_000 + "-a"]
    for name in ("punycode", "idna", "unicode_escape", "undefined", "zlib"):
        with pytest.raises(BacklogError, match="There is no encoding"):
            known_encoding(name)


def test_no_page_of_knowledge_holds_up_its_reader(tmp_path: Path) -> None:
    # given headings with a megabyte of space, very many of one name, and one that is very long
    (tmp_path / "spaces.md").write_text(f"# a{' ' * 1_000_000}b\nWords.")
    (tmp_path / "same.md").write_text("# a\nb\n" * 10_000)
    (tmp_path / "front.md").write_text(f"---\ntitle: a{' ' * 1_000_000}b\n---\nWords.")
    # when
    found = read_folder(tmp_path)
    # then
    assert found.problems == []
    assert len(cut("same", "# a\nb\n" * 10_000)) == 10_000
    long = cut("long", f"# {'x' * 500_000}\n" + "## y\nz\n" * 5_000)
    assert sum(len(one.text) for one in long) < 2_000_000


def test_pages_that_are_links_to_elsewhere_or_no_files_are_left_out(tmp_path: Path) -> None:
    # given
    inside = tmp_path / "pages"
    (inside / "v1.md").mkdir(parents=True)
    (inside / "good.md").write_text("# Good\nWords.")
    (tmp_path / "secret").write_text("# Secret\nhunter2")
    (inside / "leak.md").symlink_to(tmp_path / "secret")
    (inside / "zero.txt").symlink_to("/dev/zero")
    (inside / "again.md").symlink_to(inside / "good.md")
    # when
    found = read_folder(inside)
    # then
    assert sorted(page.name for page in found.pages) == ["again", "good"]
    assert [re.sub(r"^.*/", "", one) for one in found.problems] == [
        "leak.md: it is a link to another folder; copy the page.",
        "zero.txt: it is a link to another folder; copy the page.",
    ]
