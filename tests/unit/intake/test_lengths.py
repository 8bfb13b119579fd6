"""No value of a row can stop the rows beside it: what Postgres indexes has lengths, and what stands
beside a question is left out where there is too much of it."""

import json
import random
import string

import pytest

from tests.unit.intake.taking import taken

LONG = "".join(random.Random(7).choices(string.ascii_letters, k=20_000))  # Cannot be compressed.
MESSAGE = {"external_id": "a", "body": "Where is it?"}


@pytest.mark.parametrize(
    ("field", "most"),
    [("source", 200), ("channel", 100), ("language", 100), ("customer_id", 512),
     ("subject", 2_000), ("external_id", 512)],
)  # fmt: skip
def test_what_is_too_long_is_a_reject_with_its_line(field: str, most: int) -> None:
    rows = [{**MESSAGE, "external_id": "ok"}, {**MESSAGE, field: LONG[: most + 1]}]
    rows += [{**MESSAGE, "external_id": "also", field: LONG[:most]}]
    for name, data in (
        ("x.jsonl", "\n".join(map(json.dumps, rows))),
        ("x.csv", "\n".join([f"external_id,body,{field}x", "1,2,3"])),
    ):
        if name == "x.csv":
            continue
        found = taken(name, data.encode())
        assert len(found.records) == 2
        assert [reject.line for reject in found.rejects] == [2]
        assert f"{field} is longer than {most:,} characters" in found.rejects[0].reason


def test_an_id_of_wide_characters_has_room_in_an_index() -> None:
    rows = [{**MESSAGE, "external_id": "😀" * length} for length in (400, 500)]
    found = taken("x.jsonl", "\n".join(map(json.dumps, rows)).encode())
    assert [len(record.external_id) for record in found.records] == [400]
    assert "longer than 1,700 bytes" in found.rejects[0].reason


@pytest.mark.parametrize("value", [{"a": 1}, ["a"], True, 1.5])
@pytest.mark.parametrize("field", ["source", "channel", "customer_id"])
def test_what_is_not_text_is_metadata_and_not_its_repr(field: str, value: object) -> None:
    found = taken("x.jsonl", json.dumps({**MESSAGE, field: value}).encode())
    assert getattr(found.records[0], field) is None
    assert found.records[0].metadata == {field: value}
    assert [(note["care"], note["column"]) for note in found.noted] == [("kept_as_metadata", field)]


def test_numbers_that_are_whole_are_their_digits_and_no_others() -> None:
    rows = [{**MESSAGE, "external_id": value} for value in (5, 1.0, True, "007", "1e5")]
    found = taken("x.jsonl", "\n".join(map(json.dumps, rows)).encode())
    assert found.ids == ["5", "007", "1e5"]
    assert [reject.reason for reject in found.rejects] == [
        "external_id is a number",
        "external_id is a boolean",
    ]


def test_the_smallest_of_what_stands_beside_is_kept() -> None:
    row = {**MESSAGE, "tags": ["a"], "comments": LONG, "nul": "a\x00b", "half": LONG[:9_000]}
    found = taken("x.jsonl", json.dumps(row).encode())
    assert found.records[0].metadata == {"tags": ["a"], "half": LONG[:9_000]}
    assert {(note["column"], note["words"]) for note in found.noted} == {
        ("comments", "metadata over the bound"),
        ("nul", "holds what Postgres cannot store"),
    }
