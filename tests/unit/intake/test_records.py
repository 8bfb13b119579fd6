"""A record is one record, however long: Python's csv on the same bytes is the oracle."""

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.intake.taking import taken
from worker.domain.backlog import Caps
from worker.intake.dialects import Dialect
from worker.intake.records import Fields, records

PIECES = ['"', '""', ",", ";", "\n", "\r", "\r\n", "a", "bc", "x" * 7, "\x00", "é", " ", "\u2028"]
soups = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@given(soups, st.sampled_from([3, 5, 8, 13, 1_000]), st.integers(1, 9))
@example("abcde\ryz\n", 3, 9)  # What was read behind the CR begins the next line.
def test_records_are_those_of_csv_whatever_the_cap_and_the_pieces(
    text: str, cap: int, size: int
) -> None:
    # given
    try:
        wanted = [fields for fields in csv.reader(io.StringIO(text, newline="")) if fields]
    except csv.Error:
        return
    data = text.encode()
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    # when
    found = list(records(iter(pieces), Dialect(), cap))
    # then
    assert len(found) == len(wanted)
    assert all(one.wrong or one.fields == two for one, two in zip(found, wanted, strict=True))


@given(soups, st.integers(1, 9))
def test_records_read_in_one_go_are_those_read_one_by_one(text: str, piece: int) -> None:
    data = text.encode()
    # A mark of byte order in a piece has its records read one by one; a cell of it is no mark.
    marked = "\ufeffa\n".encode() + data
    (first, *one_by_one) = records(iter([marked]), Dialect(), 1_000)
    pieces = (data[at : at + piece] for at in range(0, len(data), piece))
    at_once = list(records(pieces, Dialect(), 1_000))
    assert first == Fields(1, ["a"])
    found = [(one.line + 1, one.fields, one.wrong is None) for one in at_once]
    assert found == [(one.line, one.fields, one.wrong is None) for one in one_by_one]


@pytest.mark.parametrize(
    ("dialect", "data", "fields"),
    [
        (Dialect(escape="\\"), b"a,\\N\n", ["a", ""]),
        (Dialect(wrapped=True), b'"a,""b"""\n', ["a", "b"]),
    ],
)
def test_other_dialects_are_read_as_they_are_meant(
    dialect: Dialect, data: bytes, fields: list[str]
) -> None:
    assert [one.fields for one in records(iter([data]), dialect, 1_000)] == [fields]


def test_a_record_over_the_cap_is_none_however_short_its_lines_are() -> None:
    (found,) = records(iter([b'"aaaa\nbbbb"\n']), Dialect(), 8)
    assert found == Fields(1, [], "record is longer than 8 characters")


def test_rows_before_a_file_breaks_off_are_read() -> None:
    def broken() -> Iterator[bytes]:
        yield b"external_id,body\na,b\n"
        raise OSError("gone")

    read = records(broken(), Dialect(), 1_000)
    assert [next(read).fields, next(read).fields] == [["external_id", "body"], ["a", "b"]]
    with pytest.raises(OSError, match="gone"):
        next(read)


@given(st.lists(st.text(st.sampled_from('ab",\n\r x'), max_size=30), min_size=1, max_size=9))
def test_no_row_is_made_by_what_stands_in_a_cell(bodies: list[str]) -> None:
    # given
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["external_id", "body"])
    writer.writerows([f"id-{number}", f"b{body}"] for number, body in enumerate(bodies))
    # when
    found = taken("x.csv", out.getvalue().encode(), Caps(line=25, body_chars=20))
    # then
    wanted = {f"id-{number}": f"b{body}" for number, body in enumerate(bodies)}
    assert len(found.records) + len(found.rejects) == len(bodies)
    assert all(wanted[record.external_id] == record.body for record in found.records)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("length", range(90, 112))
def test_a_cap_that_falls_anywhere_into_a_line_end_keeps_step(end: str, length: int) -> None:
    rows = [
        "external_id,body",
        f"a,{'x' * length}",
        "b,short",
        f'c,"{"y" * length}{end}T-1,no"',
        "d,z",
    ]
    found = taken("x.csv", end.join(rows).encode(), Caps(line=100))
    ids = [*found.ids, *(reject.external_id for reject in found.rejects)]
    assert {"b", "d"} <= set(found.ids)
    assert "T-1" not in ids
    assert len(ids) == 4
    assert {reject.line for reject in found.rejects} <= {2, 4}


def test_a_quote_that_is_never_closed_takes_one_row_and_says_how_far_it_goes() -> None:
    found = taken("x.csv", b'external_id,body\na,fine\nb,"open\nc,x\nd,y\n')
    assert found.ids == ["a"]
    assert [(r.line, r.reason) for r in found.rejects] == [(3, "malformed quoting (to line 5)")]


def test_text_behind_a_closed_quote_makes_no_second_row() -> None:
    found = taken("x.csv", b'external_id,body\na,"x"y,"z\nT-1,refund me"\nb,fine\n')
    assert found.ids == ["b"]
    assert [reject.line for reject in found.rejects] == [2]
