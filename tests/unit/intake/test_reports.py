"""Small exports of helpdesks, made after public reports of what went wrong with such files."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.intake.taking import taken
from worker.intake import ReadingOptions

REPORTS = Path(__file__).parents[2] / "data" / "reports"
ZENDESK = {"external_id": "id", "body": "description"}
KAGGLE = {"external_id": "Ticket ID", "body": "Ticket Description"}


@pytest.mark.parametrize(
    ("name", "columns", "ids"),
    [
        ("01-zendesk_pretty.json", {}, ["35436", "35437", "35438", "35439"]),
        ("03-zendesk_tickets.jsonl", ZENDESK, ["35436", "35437", "35438", "35439"]),
        ("03-zendesk_tickets.jsonl", {}, ["35436", "35437", "35438", "35439"]),
        ("04-zendesk_string_ids.jsonl", ZENDESK, ["35436", "35437", "35438", "35439"]),
        ("06-customer_support_tickets.csv", KAGGLE, ["1", "2", "3"]),
        ("06-customer_support_tickets.csv", {}, ["1", "2", "3"]),
        ("09-intercom.jsonl", {"external_id": "id", "body": "source.body"}, ["19221", "19222"]),
        ("09-intercom.jsonl", {}, ["19221", "19222"]),
        ("10-jira_service_desk.csv", {"external_id": "Issue key", "body": "Description"},
         ["SUP-1", "SUP-2"]),
        ("10-jira_service_desk.csv", {}, ["SUP-1", "SUP-2"]),
        ("11-excel_unicode.csv", {}, ["U-1", "U-2"]),
        ("12-excel_de.csv", {}, ["D-1", "D-2"]),
        ("13-zendesk_with_comments.jsonl", {}, ["C-1", "C-2"]),
        ("20-intercom_flat.jsonl", {}, ["IC-1", "IC-2"]),
    ],
)  # fmt: skip
def test_every_row_is_taken(name: str, columns: dict[str, str], ids: list[str]) -> None:
    found = taken(REPORTS / name, options=ReadingOptions(columns=columns))
    assert (found.refused, found.rejects) == (None, [])
    assert [record.external_id for record in found.records] == ids


def test_repeated_columns_that_are_not_ours_become_lists() -> None:
    record = taken(REPORTS / "10-jira_service_desk.csv").records[0]
    assert record.metadata is not None
    assert (record.metadata["Comment"], record.metadata["Labels"]) == (["a", "b"], ["vip", "web"])


def test_a_semicolon_and_a_german_time_are_found_out() -> None:
    found = taken(REPORTS / "12-excel_de.csv")
    assert found.document["delimiter"] == ";"
    assert [str(r.received_at) for r in found.records] == [
        "2026-11-24 08:15:00+00:00",
        "2026-11-24 09:20:00+00:00",
    ]
    assert found.records[1].metadata == {"Betrag, EUR": "1.299,00"}


def test_comments_beyond_the_bound_are_left_out_and_said() -> None:
    found = taken(REPORTS / "13-zendesk_with_comments.jsonl")
    assert [
        (note["care"], note["column"], note["rows"], note["first_line"]) for note in found.noted
    ] == [("left_out", "comments", 2, 1)]


def test_a_source_that_is_an_object_is_metadata_and_never_a_name() -> None:
    found = taken(REPORTS / "20-intercom_flat.jsonl")
    assert [record.source for record in found.records] == [None, None]
    assert all(isinstance((r.metadata or {})["source"], dict) for r in found.records)
    assert [(note["care"], note["column"]) for note in found.noted] == [
        ("kept_as_metadata", "source")
    ]


def test_a_workbook_that_is_none_is_called_one_in_a_sentence() -> None:
    found = taken(REPORTS / "18-tickets.xlsx")
    assert found.refused is not None
    assert "Excel workbook" in found.refused
    assert "Content_Types" not in found.refused


def test_a_cell_of_five_megabytes_is_one_row(tmp_path: Path) -> None:
    subprocess.run([sys.executable, REPORTS / "25-make_big_field.py"], cwd=tmp_path, check=True)
    found = taken(tmp_path / "big_field.csv")
    assert [record.external_id for record in found.records] == ["BB-1", "BB-3", "BB-4"]
    assert [(reject.line, reject.reason) for reject in found.rejects] == [
        (3, "body is longer than 200,000 characters")
    ]


def test_each_line_may_wrap_its_row() -> None:
    data = (
        b'{"ticket":{"id":1,"description":"broken lamp"}}\n{"ticket":{"id":2,"description":"late"}}'
    )
    assert taken("x.jsonl", data).ids == ["1", "2"]


def test_a_list_without_rows_is_a_file_without_rows() -> None:
    assert taken("x.json", b'{"tickets": [], "next_page": null}').refused == "x.json holds no rows."


FRESHDESK = (
    b"Ticket ID,Subject,Source,Created time,Description,Email\n21,a,Email,2026-11-24,lost,b@c.d\n"
)


def test_how_a_message_came_is_not_where_its_id_is_unique() -> None:
    record = taken("x.csv", FRESHDESK).records[0]
    assert (record.source, record.channel, record.customer_id) == (None, "Email", "b@c.d")
    own = taken("x.csv", b"external_id,body,Source\n1,hello,desk\n").records[0]
    assert (own.source, own.channel) == ("desk", None)


@pytest.mark.parametrize(
    ("header", "mend"),
    [
        (
            "Description,Name",
            "--map body=Description --map customer_id=Name --map external_id=COLUMN",
        ),
        ("id,Name", "--map external_id=id --map customer_id=Name --map body=COLUMN"),
    ],
)
def test_what_is_missing_is_named_and_what_was_found_is_filled_in(header: str, mend: str) -> None:
    found = taken("x.csv", f"{header}\nm1,Ann\nm2,Bob\n".encode())
    assert found.mend == f"rung enqueue {mend} x.csv"


def test_two_columns_that_could_be_the_body_are_asked_about() -> None:
    found = taken("x.csv", b"id,Description,Message\n1,my lamp broke,hello there\n2,parcel,late\n")
    assert found.refused is not None
    assert "not certain" in found.refused
