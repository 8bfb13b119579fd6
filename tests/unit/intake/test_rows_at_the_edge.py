"""Rows at the edges of what is taken: caps, lines that are counted, invisible ids, NUL, times."""

import io
import json
import tracemalloc

import pytest

from tests.unit.intake.taking import taken
from worker.domain.backlog import Caps
from worker.intake import read_blocks
from worker.intake.dates import moment_of, order_of
from worker.intake.dialects import Dialect
from worker.intake.documents import read_documents
from worker.intake.jsonl import TOO_LONG, split_lines
from worker.intake.records import records

MESSAGE = {"external_id": "a", "body": "Where is it?"}


def lines(*rows: object) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def test_a_record_of_many_short_lines_has_the_same_cap() -> None:
    data = b'a,"' + b"line\n" * 20 + b'"\nb,c\n'
    found = list(records(iter([data]), Dialect(), 50))
    assert [one.wrong for one in found] == ["record is longer than 50 characters", None]
    assert found[1].fields == ["b", "c"]


def test_a_line_end_at_the_cap_is_counted() -> None:
    found = list(records(iter([b"aaaa\r\rb\r"]), Dialect(), 5))
    assert [(one.line, one.fields) for one in found] == [(1, ["aaaa"]), (3, ["b"])]


def test_what_atlassian_keeps_as_a_document_is_read_as_text() -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "Where is it?"}]}
    body = {"type": "doc", "version": 1, "content": [paragraph]}
    found = taken("x.jsonl", lines({**MESSAGE, "body": body}, {**MESSAGE, "external_id": "b"}))
    assert found.bodies == ["Where is it?"] * 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"external_id": "\u200b\u2060"}, "empty external_id"),
        ({"external_id": "a\x00b"}, "NUL in external_id"),
        ({"subject": "a\x00b"}, "NUL in subject"),
        ({"source": "a\x00b"}, "NUL in source"),
    ],
)
def test_what_cannot_be_seen_or_stored_is_a_reject(row: dict[str, str], reason: str) -> None:
    found = taken("x.jsonl", lines({**MESSAGE, **row}, {**MESSAGE, "external_id": "ok"}))
    assert found.ids == ["ok"]
    assert [one.reason for one in found.rejects] == [reason]


def test_an_id_with_something_invisible_in_it_is_taken_with_a_warning() -> None:
    data = lines({**MESSAGE, "external_id": "a\u200bb"}, {**MESSAGE, "external_id": "é"})
    (block,) = read_blocks("x.jsonl", io.BytesIO(data))
    assert [(one.line, one.reason) for one in block.warnings] == [
        (1, "external_id holds invisible characters")
    ]


def test_a_time_that_is_not_understood_is_noted() -> None:
    found = taken("x.jsonl", lines({**MESSAGE, "received_at": "soon"}))
    assert [(note["care"], note["column"]) for note in found.noted] == [
        ("kept_as_metadata", "received_at")
    ]


@pytest.mark.parametrize(
    ("beside", "words"),
    [({"nul": "a\x00b"}, "Postgres cannot store"), ({"long": "x" * 20_000}, "over the bound")],
)
def test_either_of_what_cannot_be_kept_is_left_out_by_itself(
    beside: dict[str, str], words: str
) -> None:
    found = taken("x.jsonl", lines({**MESSAGE, "kept": 1, **beside}))
    assert found.records[0].metadata == {"kept": 1}
    assert [words in note["words"] for note in found.noted] == [True]


def test_what_is_kept_stays_in_the_order_of_the_file() -> None:
    names = [f"{letter}{number}" for number in range(8) for letter in "zak"]
    row = MESSAGE | dict.fromkeys(names, "v") | {"long": "x" * 20_000}
    assert list(taken("x.jsonl", lines(row)).records[0].metadata or {}) == names


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (["99/99/2026", "04/11/2026"], (None, True)),
        (["11/11/2026"], (None, False)),
    ],
)
def test_only_a_date_that_can_be_one_shows_the_order(
    values: list[str], shown: tuple[None, bool]
) -> None:
    assert order_of(values) == shown


def test_a_dot_puts_the_day_first_and_a_missing_year_is_not_made_up() -> None:
    assert str(moment_of("04.11.2026 08:15", None)) == "2026-11-04 08:15:00+00:00"
    assert moment_of("Nov 24, 08:15", None) is None


def test_excels_own_word_for_its_delimiter_is_no_header() -> None:
    found = taken("x.csv", b"sep=;\nexternal_id;body\n1;Where, when, how?\n")
    assert (found.ids, found.bodies) == (["1"], ["Where, when, how?"])


def test_a_header_that_cannot_be_read_is_named() -> None:
    found = taken("x.csv", b'external_id,"bo"dy\n1,hello\n')
    assert "no header that can be read" in (found.refused or "")


def test_rows_that_fall_short_do_not_change_what_parts_the_columns() -> None:
    rows = [b"external_id;body;tag, or none", *[b"1;Where, is it?;x"] * 6, *[b"2;And, well"] * 4]
    assert taken("x.csv", b"\n".join(rows)).bodies[0] == "Where, is it?"


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_a_line_over_the_cap_is_one_reject_and_what_follows_is_read(size: int) -> None:
    rows = [lines(MESSAGE), b'{"long": "' + b"x" * 300 + b'"}', b"  ", lines(MESSAGE)]
    for data, rejected in ((rows, [2]), ([*rows, rows[1]], [2, 5])):
        found = taken("x.jsonl", b"\n".join(data), Caps(line=100), sizes=[size])
        assert len(found.records) == 2
        assert {one.reason for one in found.rejects} == {"line is longer than 100 bytes"}
        assert [one.line for one in found.rejects] == rejected


def test_a_long_line_is_dropped_as_it_comes() -> None:
    given = iter([b"x" * 60] * 1_000 + [b"\nend"])
    assert [len(line) for line in split_lines(given, 100)][-1] == 3
    in_two = iter([b"x" * 60, b"x" * 60 + b"\nend"])
    assert list(split_lines(in_two, 100)) == [TOO_LONG, b"end"]


def test_a_line_that_is_no_utf8_says_so() -> None:
    found = taken("x.jsonl", lines(MESSAGE) + b'\n{"external_id": "b", "body": "\xff"}')
    assert [one.reason for one in found.rejects] == ["invalid UTF-8"]


def documents(text: str, *, size: int = 1_000, cap: int = 1_000_000) -> list[object]:
    data = text.encode()
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return list(read_documents("x.json", pieces, Caps(line=cap)))


def test_an_empty_object_inside_is_no_row_of_its_own() -> None:
    assert documents('[{"ticket": {}}]') == [(1, {"ticket": {}})]
    assert documents('[{"ticket": {"a": 1}}]') == [(1, {"a": 1})]


@pytest.mark.parametrize("size", [1, 2, 5, 1_000])
def test_an_element_over_the_cap_is_stepped_over_escapes_and_all(size: int) -> None:
    long = json.dumps({"body": 'a "quoted\\" } ] word' * 20})
    found = documents(f'[{long}, {{"a": "\\\\"}}]', size=size, cap=100)
    assert [type(one).__name__ for one in found] == ["Reject", "tuple"]
    assert found[1] == (1, {"a": "\\"})


def test_a_number_at_the_end_of_a_piece_is_read_to_its_end() -> None:
    assert documents('{"a": 1}\n{"a": 1234}', size=17) == [(1, {"a": 1}), (2, {"a": 1234})]
    huge = documents('[{"a": ' + "9" * 5_000 + "}]")
    assert huge == [(1, {"a": "9" * 5_000})]


def test_a_doubled_quote_in_a_record_over_the_cap_is_no_end_of_it() -> None:
    data = b'a,"' + b"x" * 40 + b'""\nT-1,no"\nb,fine\n'
    found = list(records(iter([data]), Dialect(), 20))
    assert [one.fields for one in found] == [[], ["b", "fine"]]


def test_an_endless_line_is_not_held() -> None:
    piece = b"x" * 1_000_000
    tracemalloc.start()
    found = list(records(iter([b"a,", *[piece] * 20, b"\nb,fine\n"]), Dialect(), 1_000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[1].fields == ["b", "fine"]
    assert most < 12_000_000


def test_an_id_of_spaces_is_none() -> None:
    found = taken("x.jsonl", lines({**MESSAGE, "external_id": " \t "}, {**MESSAGE, "body": " \n"}))
    assert [one.reason for one in found.rejects] == ["empty external_id", "empty body"]


def test_a_number_that_a_piece_cuts_in_two_is_one_element() -> None:
    found = documents('[1234, {"a": 1}]', size=3)
    assert [type(one).__name__ for one in found] == ["Reject", "tuple"]


def test_an_endless_element_is_not_held() -> None:
    pieces = [b'[{"a": "', *[b"x" * 50_000] * 100, b'"}, {"b": 1}]']
    tracemalloc.start()
    found = list(read_documents("x.json", iter(pieces), Caps(line=1_000)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[1] == (1, {"b": 1})
    assert most < 2_000_000


def test_what_is_left_of_a_dropped_line_is_no_line_of_its_own() -> None:
    pieces = [b"x" * 60, b"x" * 60, b"tail\nend"]
    assert list(split_lines(iter(pieces), 100)) == [TOO_LONG, b"end"]


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_an_escaped_quote_ends_no_string_that_is_stepped_over(size: int) -> None:
    long = json.dumps({"body": '" } ] ' * 31})
    found = documents(f'[{long}, {{"a": 1}}]', size=size, cap=100)
    assert [type(one).__name__ for one in found] == ["Reject", "tuple"]
    assert found[1] == (1, {"a": 1})
