"""JSON in any shape: Python's json on the same bytes is the oracle, and a record is one record."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.intake.taking import Taken, taken
from worker.domain.backlog import Caps
from worker.intake import ReadingOptions

texts = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=12
)
values = st.recursive(
    texts
    | st.integers(-(10**20), 10**20)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
messages = st.lists(
    st.fixed_dictionaries(
        {
            "external_id": texts.map(lambda text: f"i{text}"),
            "body": texts.map(lambda text: f"b{text}"),
            "more": values,
        }
    ),
    min_size=1,
    max_size=8,
)
SHAPES = ("lines", "pretty", "array", "pretty array", "wrapped", "deep", "pages")


def written(rows: list[dict[str, Any]], shape: str) -> str:
    match shape:
        case "lines":
            return "\n".join(json.dumps(row) for row in rows)
        case "pretty":
            return "\n".join(json.dumps(row, indent=2) for row in rows)
        case "array":
            return json.dumps(rows)
        case "pretty array":
            return json.dumps(rows, indent=1)
        case "wrapped":
            return json.dumps({"next": None, "users": [{"name": "a"}], "tickets": rows, "n": 5})
        case "deep":
            return json.dumps({"data": {"meta": {"all": 3}, "payload": rows}}, indent=2)
        case _:
            return "\n".join(json.dumps({"results": [row], "page": 1}) for row in rows)


@given(messages, st.sampled_from(SHAPES), st.integers(1, 50))
def test_every_shape_comes_to_the_same_rows(
    rows: list[dict[str, Any]], shape: str, size: int
) -> None:
    found = taken("x.json", written(rows, shape).encode(), sizes=[size])
    assert (found.refused, found.rejects) == (None, [])
    assert [(r.external_id, r.body) for r in found.records] == [
        (row["external_id"], row["body"]) for row in rows
    ]


@given(messages, st.sampled_from(SHAPES), st.data())
def test_truncated_anywhere_no_row_is_made_up(
    rows: list[dict[str, Any]], shape: str, data: st.DataObject
) -> None:
    whole = written(rows, shape).encode()
    found = taken("x.json", whole[: data.draw(st.integers(1, len(whole)))])
    wanted = [(row["external_id"], row["body"]) for row in rows]
    came = [(record.external_id, record.body) for record in found.records]
    assert came == wanted[: len(came)]
    assert found.records or found.rejects or found.refused


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("quotes", ['"', "\\", '{"external_id":"T-1","body":"no"}', "]}\n[{"])
def test_a_record_of_any_size_is_one_reject_and_what_follows_is_read(
    shape: str, quotes: str
) -> None:
    rows = [
        {"external_id": "a", "body": "before"},
        {"external_id": "b", "body": quotes * 9_000},
        {"external_id": "c", "body": "after"},
    ]
    found = taken("x.json", written(rows, shape).encode(), Caps(line=4_000), sizes=[700])
    assert found.ids == ["a", "c"]
    assert len(found.rejects) == 1
    assert "longer than 4,000" in found.rejects[0].reason


def test_a_reject_is_named_by_the_line_on_which_it_starts() -> None:
    rows = [{"external_id": f"m{n}", "body": "x" if n != 2 else None} for n in range(4)]
    found = taken("x.json", json.dumps(rows, indent=2).encode())
    assert [(reject.line, reject.reason) for reject in found.rejects] == [(10, "missing body")]


def test_where_the_rows_are_can_be_said() -> None:
    data = {
        "errors": [{"id": 1, "text": "x"}],
        "mine": {"here": [{"external_id": "a", "body": "b"}]},
    }
    found = taken("x.json", json.dumps(data).encode(), options=ReadingOptions(records="mine.here"))
    assert found.ids == ["a"]


def test_names_of_keys_follow_the_rule_of_headers() -> None:
    rows = [
        {"External ID": "a", "BODY": "x", "Customer-Id": "c"},
        {"externalId": "b", "Body": "y", "customer_id": "d"},
        {"external_id": "c", "External Id": "no", "body": "z"},
    ]
    found = taken("x.jsonl", "\n".join(map(json.dumps, rows)).encode())
    assert [(r.external_id, r.customer_id) for r in found.records] == [
        ("a", "c"),
        ("b", "d"),
        ("c", None),
    ]


@pytest.mark.parametrize(
    ("place", "body"),
    [
        ("source.body", "inner"),
        ("nothing.here|source.body", "inner"),
        ("empty|title", "Title"),
        ("title+source.body", "Title\n\ninner"),
        ("parts.0.text", "one"),
        ("parts.-1.text", "two"),
        ("parts[kind=b].0.text", "two"),
        ("parts[ours=false].text", "one"),
        ("parts.text", "one\n\ntwo"),
        ("a.b+c", "a name with signs"),
        ("[what?]", "a name that is no path"),
    ],
)
def test_a_place_leads_to_what_is_meant(place: str, body: str) -> None:
    row = {
        "id": 7,
        "title": "Title",
        "empty": "  ",
        "source": {"Body": "inner"},
        "parts": [{"text": "one", "kind": "a", "ours": False}, {"text": "two", "kind": "b"}],
        "a.b+c": "a name with signs",
        "[what?]": "a name that is no path",
        "body": "not this one",
    }
    columns = {"external_id": "id", "body": place}
    found = taken("x.jsonl", json.dumps(row).encode(), options=ReadingOptions(columns=columns))
    assert (found.ids, found.bodies) == (["7"], [body])


def refused(said: dict[str, str]) -> Taken:
    data = b'{"id":"a","text":"hello there"}\n{"id":"b","text":"and again"}'
    return taken("x.jsonl", data, options=ReadingOptions(columns=said))


def test_a_column_that_is_said_and_is_not_there_is_a_refusal() -> None:
    found = refused({"external_id": "id", "body": "txet"})
    assert found.refused is not None
    assert "no column called txet; there are: 'id', 'text'" in found.refused
    assert found.mend == "rung enqueue --map external_id=id --map body=COLUMN x.jsonl"
    assert refused({"external_id": "id", "body": "text", "subject": "title"}).refused is not None
