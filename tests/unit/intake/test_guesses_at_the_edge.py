"""What decides which column is what: each condition alone, by rows that miss it."""

from typing import Any

import pytest

from tests.unit.intake.taking import taken
from worker.intake import ReadingOptions
from worker.intake.guess import guess
from worker.intake.likely_columns import by_columns

LONG = "My parcel has been on its way for three weeks"
ROWS = [{"xq": f"k{number}", "zz": f"{LONG}, {number}"} for number in range(4)]
ZENDESK: dict[str, Any] = {"raw_subject": "Parcel", "description": LONG, "other": "Another text"}


def found(rows: list[dict[str, Any]], name: str) -> tuple[str, bool] | None:
    return by_columns(rows, {}, set()).get(name)


def column(name: str, *values: Any) -> list[dict[str, Any]]:
    return [{"id": number, name: value} for number, value in enumerate(values)]


def test_of_a_places_alternatives_those_are_shown_that_its_rows_use() -> None:
    rows = [{"id": 1, "a": "", "b": LONG, "c": LONG}, {"id": 2, "a": LONG, "b": LONG, "c": LONG}]
    guessed = guess(rows, {"external_id": "id", "body": "a|b|c"})
    assert guessed.shown_place("body") == "a|b"


def test_of_a_map_only_what_leads_somewhere_is_taken_and_what_is_said_comes_first() -> None:
    rows = b"external_id,body,subject,text\n1,No,Parcel,Where is it?\n"
    usual = {"subject": "raw_subject", "body": "body", "external_id": "external_id"}
    options = ReadingOptions(columns={"body": "text"}, usual=usual)
    (record,) = taken("day.csv", rows, options=options).records
    assert (record.subject, record.body) == ("Parcel", "Where is it?")


def test_what_only_contents_tell_is_not_certain() -> None:
    guessed = guess(ROWS, {})
    assert (guessed.columns, guessed.missing) == ({"external_id": "xq", "body": "zz"}, ())
    assert not guessed.certain


def test_rows_without_a_word_say_nothing_of_their_columns() -> None:
    empty = [{"xq": " ", "zz": None}] * 8
    assert guess([*ROWS, *empty], {}).columns == guess(ROWS, {}).columns
    assert guess(empty, {}).names == ("xq", "zz")


def test_what_was_said_stands_beside_what_was_found() -> None:
    guessed = guess([{"Ticket ID": one["xq"], "zz": one["zz"]} for one in ROWS], {"body": "zz"})
    assert guessed.columns == {"external_id": "Ticket ID", "body": "zz"}
    assert (guessed.certain, guessed.found) == (True, {"external_id"})


def test_of_a_product_the_places_that_lead_somewhere_and_no_others() -> None:
    guessed = guess([{"id": 1, **ZENDESK}, {"id": 2, **ZENDESK}], {"body": "other"})
    assert guessed.preset == "zendesk"
    assert guessed.columns["body"] == "other"
    assert set(guessed.columns) == {"external_id", "body", "subject"}


def test_a_product_whose_ids_are_not_there_is_another() -> None:
    rows = [{"id": 1, **ZENDESK}, {"id": None, **ZENDESK}, {"id": None, **ZENDESK}]
    assert guess(rows, {}).preset is None


@pytest.mark.parametrize(
    ("name", "values", "body"),
    [
        ("zz", (LONG, LONG, LONG), ("zz", False)),
        ("agent zz", (LONG, LONG, LONG), None),
        ("zz", ("Late", "Lost", "Broken"), None),
        ("description", (LONG, LONG, LONG), ("description", True)),
        ("text", (LONG, LONG, LONG), ("text", False)),
        ("description", (LONG, "", ""), ("description", True)),
        ("description", ("17", "", ""), None),
        ("comment", (LONG, "", ""), None),
    ],
)
def test_a_body_is_known_by_its_name_or_by_what_is_long(
    name: str, values: tuple[str, ...], body: Any
) -> None:
    assert found(column(name, *values), "body") == body


def test_a_body_within_an_object_is_not_sure() -> None:
    rows = [{"id": number, "inner": {"description": LONG}} for number in range(3)]
    assert found(rows, "body") == ("inner.description", False)


@pytest.mark.parametrize(
    ("values", "found_as"),
    [(("k1", "k2"), ("xq", False)), (("k1",), None), (("k 1", "k 2"), None)],
)
def test_an_id_is_short_without_spaces_and_different_in_more_than_one_row(
    values: tuple[str, ...], found_as: Any
) -> None:
    assert found([{"xq": value, "n": {"m": 1}} for value in values], "external_id") == found_as
