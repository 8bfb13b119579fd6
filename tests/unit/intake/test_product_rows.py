"""What a product says of a whole row: deleted, spam, between colleagues, and numbers for words."""

import json
from typing import Any

import pytest

from tests.unit.intake.taking import taken
from worker.domain.text import neutralise_formula
from worker.intake import ReadingOptions
from worker.intake.presets import PRESETS
from worker.intake.product_rows import EARLIER, RESTORED
from worker.runs.exports import as_csv, json_row, layout
from worker.store.reading.results import COLUMNS, OWN

ASKED = "Where is my parcel?"
ROWS: dict[str, dict[str, Any]] = {
    "zendesk": {
        "id": 1,
        "requester_id": 5,
        "submitter_id": 5,
        "description": ASKED,
        "via": {"channel": "email"},
        "status": "open",
    },
    "freshdesk": {
        "id": 1,
        "requester_id": 5,
        "responder_id": None,
        "description_text": ASKED,
        "source": 1,
        "status": 2,
        "priority": 4,
        "spam": False,
        "deleted": False,
    },
    "helpscout": {
        "id": 1,
        "mailboxId": 2,
        "preview": "",
        "state": "published",
        "status": "active",
        "threads": [{"type": "customer", "body": ASKED}],
    },
    "gorgias": {
        "id": 1,
        "created_datetime": "2026-11-24T08:15:00",
        "spam": False,
        "trashed_datetime": None,
        "messages": [{"from_agent": False, "body_text": ASKED}],
    },
    "front": {
        "id": "cnv_1",
        "recipient": {"handle": "a@x.example"},
        "status": "assigned",
        "last_message": {"is_inbound": True, "text": ASKED},
    },
    "salesforce": {"CaseNumber": "00001", "Description": ASKED, "IsDeleted": False},
    "freescout": {
        "id": 1,
        "mailboxId": 1,
        "threadsCount": 1,
        "state": "published",
        "status": "active",
        "_embedded": {"threads": [{"type": "customer", "body": ASKED}]},
    },
    "hubspot": {"id": "1", "properties": {"content": ASKED}, "archived": False},
    "zoho": {
        "ticketNumber": "1",
        "threadCount": "1",
        "description": ASKED,
        "isSpam": False,
        "isTrashed": False,
    },
}
AWAY: list[tuple[str, dict[str, Any], str]] = [
    ("zendesk", {"status": "deleted"}, "deleted"),
    ("zendesk", {"via": {"channel": "side_conversation"}}, "side conversation"),
    ("freshdesk", {"deleted": True}, "deleted"),
    ("freshdesk", {"spam": True}, "spam"),
    ("helpscout", {"state": "deleted"}, "deleted"),
    ("helpscout", {"status": "spam"}, "spam"),
    ("gorgias", {"trashed_datetime": "2026-11-25T08:15:00"}, "deleted"),
    ("gorgias", {"spam": True}, "spam"),
    ("front", {"status": "deleted"}, "deleted"),
    ("front", {"status": "spam"}, "spam"),
    ("salesforce", {"IsDeleted": "true"}, "deleted"),
    ("freescout", {"state": "deleted"}, "deleted"),
    ("freescout", {"status": "spam"}, "spam"),
    ("hubspot", {"archived": True}, "deleted"),
    ("zoho", {"isTrashed": True}, "deleted"),
    ("zoho", {"isSpam": True}, "spam"),
]


def read(*rows: dict[str, Any], options: ReadingOptions | None = None) -> Any:
    return taken("day.json", json.dumps(rows).encode(), options=options)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(("product", "change", "reason"), AWAY)
def test_nobody_waits_for_an_answer_to_what_is_away(
    product: str, change: dict[str, Any], reason: str, *, named: bool
) -> None:
    options = ReadingOptions(usual=PRESETS[product].columns) if named else None
    found = read(ROWS[product], {**ROWS[product], **change}, options=options)
    assert found.bodies == [ASKED]
    assert [reason in one.reason for one in found.rejects] == [True]


def test_who_says_what_the_message_is_gets_all_of_them() -> None:
    options = ReadingOptions(columns={"body": "description"})
    found = read({**ROWS["zendesk"], "status": "deleted"}, options=options)
    assert found.bodies == [ASKED]


def test_the_numbers_of_freshdesk_are_words() -> None:
    row = ROWS["freshdesk"]
    found = read(row, {**row, "id": 2, "source": 9, "status": 17, "priority": 1})
    assert [one.channel for one in found.records] == ["Email", "Feedback Widget"]
    told = [{n: one.metadata[n] for n in ("status", "priority")} for one in found.records]
    assert told == [{"status": "Open", "priority": "Urgent"}, {"status": 17, "priority": "Low"}]
    assert {one["column"] for one in found.noted} >= {"source", "status", "priority"}


def test_a_number_stays_where_the_word_is_beside_it() -> None:
    found = read({**ROWS["freshdesk"], "source_name": "Post", "status_name": "Offen"})
    assert found.records[0].channel == "Post"
    assert found.records[0].metadata["status"] == 2


BODIES = [
    "- one\n- two: where is my parcel?",
    "'- so we write. Why?",
    "+49 30 1 is my number.",
    "Hello?",
]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_results_of_rung_give_the_messages_as_they_were_and_no_earlier_answer(kind: str) -> None:
    rows = [
        {
            **dict.fromkeys(COLUMNS, None),
            "external_id": f"-{number}",
            "message": body,
            "subject": "=1",
            "customer_id": "+49301",
            "send": "A reply, which no customer wrote.",
            "state": "answered",
            OWN: {"tags": "@a", "state": "open"},
        }
        for number, body in enumerate(BODIES)
    ]
    columns = layout(["tags", "state"])
    lines = "".join(json.dumps(json_row(row, columns, neutralise_formula)) + "\n" for row in rows)
    data = lines if kind == "jsonl" else "".join(as_csv(rows, columns))
    found = taken(f"results.{kind}", data.encode())
    assert (found.refused, found.preset, found.bodies) == (None, "rung", BODIES)
    assert found.ids == ["-0", "-1", "-2", "-3"]
    assert {(one.subject, one.customer_id) for one in found.records} == {("=1", "+49301")}
    assert [one.metadata for one in found.records] == [{"tags": "@a", "row.state": "open"}] * 4
    noted = {note["words"]: note["rows"] for note in found.noted if note["column"] != "message"}
    assert noted[EARLIER] == noted[RESTORED] == 4
