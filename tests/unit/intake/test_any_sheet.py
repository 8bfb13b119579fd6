"""Spreadsheets are read as those who wrote them read them: openpyxl's cells come back,
and an ODS file's; one that ends anywhere makes up no row."""

import datetime as dt
import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.intake.taking import packed, taken
from tests.unit.intake.test_any_bytes import storable
from tests.unit.intake.test_any_file import EXAMPLES, NAMED, accounted, at, ids
from tests.unit.intake.test_sheets import CONTENT
from worker.intake.sheets import as_text

moments = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2099, 1, 1)).map(  # noqa: DTZ001
    lambda when: when.replace(microsecond=0)
)
numbers = st.integers(-(10**14), 10**14) | st.floats(-1e9, 1e9, allow_nan=False)
printing = st.text(st.sampled_from("ab é漢,;\"'\t\n<&\u2028\x85\ufeff\xa0="), max_size=12)
values = st.none() | printing | numbers | st.booleans() | moments
sheets = st.lists(st.tuples(ids | st.integers(0, 10**12), values, values), min_size=1, max_size=6)


def excel(rows: Sequence[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [("external_id", "body", "note"), *rows]:
        sheet.append(row)
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # Also what looks like a formula.
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@settings(max_examples=EXAMPLES)
@given(sheets, at)
def test_a_workbook_is_what_openpyxl_reads(rows: Sequence[tuple[Any, ...]], cut: int) -> None:
    # given
    data = excel(rows)
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True).active
    assert book is not None
    read = [tuple(map(as_text, row)) for row in book.iter_rows(min_row=2, values_only=True)]
    # when
    found = taken("x.xlsx", data, options=NAMED)
    # then
    accounted(found, len(read))
    for record in found.records:
        external_id, body, note = read[record.line - 2]
        assert (record.external_id, (record.metadata or {}).get("note", "")) == (external_id, note)
        assert record.body == body or "<" in body
    short = taken("x.xlsx", data[: cut % len(data)], options=NAMED)
    storable(short)
    assert short.refused is not None
    assert short.records == found.records[: len(short.records)]


def office(rows: Sequence[Sequence[Any]], repeated: int = 1) -> str:
    def cell(value: Any) -> str:
        if isinstance(value, bool):
            said = f'office:value-type="boolean" office:boolean-value="{str(value).lower()}"'
            return f"<table:table-cell {said}/>"
        if isinstance(value, int | float):
            return f'<table:table-cell office:value-type="float" office:value="{value!r}"/>'
        if isinstance(value, dt.datetime):
            said = f'office:value-type="date" office:date-value="{value.isoformat()}"'
            return f"<table:table-cell {said}/>"
        paragraphs = (
            "".join(
                escape(piece) for piece in line.replace("\t", "<tab>").split(" ") if piece
            ).replace(escape("<tab>"), "<text:tab/>")
            for line in (value or "").split("\n")
        )
        inner = "".join(f"<text:p>{said}</text:p>" for said in paragraphs) if value else ""
        return f"<table:table-cell>{inner}</table:table-cell>"

    made = "".join(
        f"<table:table-row table:number-rows-repeated={quoteattr(str(repeated))}>"
        f"{''.join(map(cell, row))}</table:table-row>"
        for row in rows
    )
    head = "".join(map(cell, ("external_id", "body", "note")))
    return (
        f'{CONTENT[: CONTENT.index("<table:table ")]}<table:table table:name="T">'
        f"<table:table-row>{head}</table:table-row>{made}"
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )


def in_a_sheet(content: str | bytes) -> bytes:
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return packed({"mimetype": kind, "content.xml": content})


@settings(max_examples=EXAMPLES)
@given(sheets, st.integers(1, 3), at)
def test_an_opendocument_sheet_is_its_cells(
    rows: Sequence[tuple[Any, ...]], times: int, cut: int
) -> None:
    # given
    content = office(rows, times)
    # when
    found = taken("x.ods", in_a_sheet(content), options=NAMED)
    # then
    accounted(found, len(rows) * times)
    for record in found.records:
        external_id, body, _ = rows[(record.line - 2) // times]
        assert record.external_id == str(external_id)
        if isinstance(body, str) and "<" not in body:
            assert record.body == body.replace(" ", "")
    # A file that is cut off, and one whose content is.
    data = in_a_sheet(content)
    for short in (data[: cut % len(data)], in_a_sheet(content.encode()[: cut % len(content)])):
        begun = taken("x.ods", short, options=NAMED)
        storable(begun)
        assert begun.refused is not None
        assert begun.records == found.records[: len(begun.records)]
