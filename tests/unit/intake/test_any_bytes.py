"""Whatever bytes come in: rows, named rejects, or a sentence about the file; never a traceback."""

import gzip
import io
import json
import zipfile
from collections.abc import Sequence

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.intake.taking import Taken, taken
from worker.intake import Caps, Reject
from worker.intake.cell_words import tidied

KINDS = ("x.csv", "x.tsv", "x.jsonl", "x.json", "x.gz", "x.zip", "x.txt", "-")


def storable(found: Taken) -> None:
    """Every record can be written to Postgres and every reject into a file."""
    for record in found.records:
        texts = (record.external_id, record.body, record.source, record.channel)
        more = (record.customer_id, record.subject, record.language)
        for text in (*texts, *more):
            assert text is None or "\x00" not in text
            (text or "").encode()
        assert b"\\u0000" not in orjson.dumps(record.metadata)
        assert record.external_id.strip()
        assert record.body.strip()
    for reject in found.rejects:
        assert reject.line >= 1
        assert reject.reason.isprintable()
        (reject.external_id or "").encode()


def zipped(names: Sequence[str], data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, data)
    return packed.getvalue()


names_ = st.sampled_from(KINDS)
pieces = st.sampled_from(
    [
        b'{"external_id":',
        b'"a"',
        b',"body":',
        b'"hi"',
        b"}",
        b"[",
        b"]",
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b"external_id,body\n",
        b"external_id\tbody\n",
        b"a,b\n",
        b"\x00",
        b"\x1e",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\\ud800",
        b"\\u0000",
        b"\xff",
        b"NaN",
        b" ",
        "é".encode(),
        "\u2028".encode(),
        b"{" * 30,
        b"[" * 2000,
        b"1" * 5000,
        b"null",
        b":",
    ]
)
soups = st.lists(pieces | st.binary(max_size=4), max_size=24).map(b"".join)
cells = st.text(max_size=12) | st.none() | st.integers() | st.lists(st.integers(), max_size=2)
objects = st.dictionaries(
    st.sampled_from(["external_id", "body", "subject", "channel", "received_at", "x", "é"]),
    cells | st.sampled_from(["2026-01-01T00:00:00+23:59", "0001-01-01T00:00:00+10:00", "\ud800"]),
    max_size=5,
)


@given(names_, soups | st.binary(max_size=200))
@example("x.json", b'[{"external_id":"a","body":"\\ud800"}]')
@example("x.jsonl", b"\x00\n{}")
@example("x.zip", zipped(["."], b"x"))
def test_any_bytes_are_rows_or_named_rejects(name: str, data: bytes) -> None:
    # when
    found = taken(name, data, Caps(line=4_000, depth=5))
    # then
    storable(found)
    assert found.records or found.rejects or found.refused


@given(names_, soups, st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_how_it_trickles_in_changes_nothing(name: str, data: bytes, sizes: list[int]) -> None:
    caps = Caps(line=4_000, depth=5)
    assert taken(name, data, caps, sizes) == taken(name, data, caps, [len(data) + 9])


@given(st.lists(objects, min_size=1, max_size=20), st.booleans())
def test_every_row_of_json_lines_is_taken_or_named(
    rows: list[dict[str, object]], escaped: bool
) -> None:
    # given
    lines = [json.dumps(row, ensure_ascii=True) for row in rows]
    if not escaped:
        lines = [_unescaped(line, row) for line, row in zip(lines, rows, strict=True)]
    # when
    found = taken("x.jsonl", "\n".join(lines).encode())
    # then
    if found.refused is None:
        storable(found)
        numbers = sorted([r.line for r in found.records] + [r.line for r in found.rejects])
        assert numbers == list(range(1, len(rows) + 1))


def _unescaped(line: str, row: dict[str, object]) -> str:
    """With its characters as themselves, where UTF-8 has them."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return line
    return json.dumps(row, ensure_ascii=False)


WIDE = -(2**63) - 1
"""More than 64 bits hold."""


@given(st.lists(objects | cells, min_size=1, max_size=20))
@example([{"external_id": "0", "subject": [WIDE], "body": "\ud800"}])
@example([{"body": [WIDE], "external_id": "\ud800"}])
def test_an_array_and_its_lines_come_to_the_same_rows(elements: list[object]) -> None:
    # given
    elements = [e for e in elements if e is not None] or [{}]
    rows = [json.dumps(element) for element in elements]
    # when
    array = taken("x.json", f"[{','.join(rows)}]".encode())
    # then
    if array.refused is not None:
        held = [e.get(n) for e in elements if isinstance(e, dict) for n in ("external_id", "body")]
        assert "no column called" in array.refused or "not certain" in array.refused
        assert not all(held[0::2]) or not all(held[1::2])
        return
    storable(array)
    assert len(array.records) + len(array.rejects) == len(elements)
    lines = taken("x.jsonl", "\n".join(["{}", *rows]).encode())
    if lines.refused is None:
        assert [r.external_id for r in array.records] == [r.external_id for r in lines.records]
        assert [r.body for r in array.records] == [r.body for r in lines.records]


printable = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\x00\u2028"), max_size=20
)
DRAWN = frozenset("-+=:|_ ")
"""Of a line that is drawn under a header, and is no row."""


def undrawn(row: tuple[str, str, str]) -> tuple[str, str, str]:
    """The row, with an id where it would look like such a line."""
    return row if set("".join(row)) - DRAWN or not "".join(row).strip() else ("id", *row[1:])


table_rows = st.lists(
    st.tuples(
        printable.map(lambda t: t or "id"), printable | st.just('say "hi",\nor not'), printable
    ).map(undrawn),
    min_size=1,
    max_size=15,
)


@given(table_rows, st.sampled_from(["\n", "\r\n", "\r"]))
def test_every_row_of_a_table_is_taken_as_it_was_or_named(
    rows: list[tuple[str, str, str]], newline: str
) -> None:
    # given
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    lines = ["external_id,body,subject", *(",".join(map(quoted, row)) for row in rows)]
    # when
    found = taken("x.csv", newline.join(lines).encode())
    # then
    assert found.refused is None
    storable(found)
    empty = sum(not any(map(str.strip, row)) for row in rows)
    assert len(found.records) + len(found.rejects) == len(rows) - empty
    wanted = [(_id(row[0]), *row[1:]) for row in rows if row[0].strip() and row[1].strip()]
    bodies = {(r.external_id, r.body, r.subject or "") for r in found.records}
    assert bodies <= set(wanted)


def _id(cell: str) -> str:
    """What a table's id is known by."""
    return tidied(cell, floats=True)[0]


@given(soups, st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_archive_is_a_sentence(data: bytes, at: int, byte: int) -> None:
    whole = b'{"external_id":"a","body":"hi"}\n' + data
    for name, packed in (
        ("x.jsonl.gz", gzip.compress(whole, mtime=0)),
        ("x.zip", zipped(["x.jsonl"], whole)),
    ):
        damaged = bytearray(packed)
        damaged[at % len(damaged)] = byte
        for broken in (bytes(damaged), packed[: at % len(packed)]):
            storable(taken(name, broken))


@given(soups)
@settings(max_examples=40)
def test_packing_changes_nothing(data: bytes) -> None:
    plain = taken("x.jsonl", b'{"external_id":"a","body":"hi"}\n' + data)
    packed = taken("x.jsonl.gz", gzip.compress(b'{"external_id":"a","body":"hi"}\n' + data))
    archived = taken("x.zip", zipped(["x.jsonl"], b'{"external_id":"a","body":"hi"}\n' + data))
    assert (packed.records, packed.rejects) == (plain.records, plain.rejects)
    assert (archived.records, archived.rejects) == (plain.records, plain.rejects)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'[{"external_id":"a","body":"b"}] 7', "something else than a list"),
        (b'[{"external_id":"a","body":"b"}]\xc3', "is not UTF-8"),
        (b'[{"external_id":"a","body":"b"},]', "comma too many"),
        (b'[{"external_id":"a","body":"b"} {"external_id":"c","body":"d"}]', "misses a comma"),
        (b'[{"external_id":"a","body":"b"}', "misses a comma"),
    ],
)
def test_nothing_of_an_array_is_lost_without_a_word(data: bytes, words: str) -> None:
    refused = taken("x.json", data).refused
    assert refused is not None
    assert words in refused


def test_documents_one_behind_the_other_are_all_read() -> None:
    found = taken(
        "x.json",
        b'[{"external_id":"a","body":"b"}] [{"external_id":"c","body":"d"}]{"external_id":'
        b'"e",\n"body":"f"}',
    )
    assert [(r.line, r.external_id) for r in found.records] == [(1, "a"), (1, "c"), (1, "e")]


def test_a_line_of_one_nul_is_not_called_long() -> None:
    found = taken("x.jsonl", b'{"external_id":"a","body":"b"}\n\x00\n')
    assert [(r.line, r.reason) for r in found.rejects] == [(2, "invalid JSON at column 1")]


def test_half_a_character_in_an_array_is_one_reject() -> None:
    found = taken(
        "x.json", b'[{"external_id":"a","body":"\\ud800"},{"external_id":"b","body":"c"}]'
    )
    assert [r.external_id for r in found.records] == ["b"]
    assert found.rejects == [Reject(1, "invalid JSON (lone surrogate)")]


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_a_deep_value_of_a_known_field_is_one_reject(name: str) -> None:
    row = '{"external_id":"a","body":"b","channel":' + "[" * 900 + "]" * 900 + "}"
    found = taken(name, (f"[{row}]" if name == "x.json" else row).encode())
    assert [(r.external_id, r.reason) for r in found.rejects] == [("a", "nesting too deep")]


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_a_deep_value_beside_a_question_is_left_out_and_said(name: str) -> None:
    row = '{"external_id":"a","body":"b","n":1,"log":' + "[" * 30 + "]" * 30 + "}"
    found = taken(name, (f"[{row}]" if name == "x.json" else row).encode())
    assert [(r.external_id, r.metadata) for r in found.records] == [("a", {"n": 1})]
    assert [(n["care"], n["column"], n["words"]) for n in found.noted] == [
        ("left_out", "log", "nested deeper than 20 levels")
    ]


def test_times_of_any_offset_can_be_stored() -> None:
    rows = [
        {"external_id": at, "body": "b", "received_at": at}
        for at in ("2026-01-01T00:00:00+23:59", "2026-01-01T00:00:00+00:00:01.5")
    ] + [{"external_id": "early", "body": "b", "received_at": "0001-01-01T00:00:00+10:00"}]
    found = taken("x.jsonl", "\n".join(map(json.dumps, rows)).encode())
    times = [r.received_at.isoformat() if r.received_at else None for r in found.records]
    assert times == ["2025-12-31T00:01:00+00:00", "2025-12-31T23:59:58.500000+00:00", None]
