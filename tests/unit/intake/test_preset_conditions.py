"""Each condition of a preset decides of some conversation: none can go without one being read
otherwise. `PRIVATE` is what only the team may read, `AGENT` what the team wrote to the customer."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.intake.preset_cases import ASKED, MORE_CASES, Row, said
from tests.unit.intake.taking import taken
from tests.unit.intake.test_whose_words import DOCUMENTS
from worker.intake import ReadingOptions
from worker.intake.presets import PRESETS

CONDITION = re.compile(r"\[[^\]]*\]")
BEGINNING = re.compile(r"(^|\|)\.")
"""A dot that nothing is before any more."""


# What is read of each row, None where nothing of it is the customer's.
def spoken(body: str, **more: Any) -> Row:
    return {"type": "VoiceComment", "body": "Call", "data": {"transcription_text": body}, **more}


CASES: dict[str, list[tuple[Row, str | None]]] = {
    "zendesk": [
        (
            {"requester_id": 5, "via": {"channel": "voice"}}
            | {
                "comments": [
                    spoken("PRIVATE", author_id=7, public=False),
                    spoken("PRIVATE", author_id=7, public=True, type="Comment"),
                    spoken(ASKED, author_id=7, public=True),
                ]
            },
            ASKED,
        ),
        (
            {"requester_id": 5, "via": {"channel": "email"}}
            | {"comments": [spoken("LATER", author_id=7), said(ASKED, author_id=5)]},
            ASKED,
        ),
        (
            {"requester_id": 5, "submitter_id": 5, "is_public": False, "description": "PRIVATE"}
            | {"comments": [said("PRIVATE", author_id=5, public=False)]},
            None,
        ),
        (
            {"requester_id": 5, "submitter_id": 7, "description": "PRIVATE"}
            | {"comments": [said("PRIVATE", author_id=7, public=False)]},
            None,
        ),
        (
            {"requester_id": 5, "submitter_id": 7, "description": "AGENT"}
            | {"comments": [said("PRIVATE", author_id=5, public=False), said(ASKED, author_id=5)]},
            ASKED,
        ),
        (
            {"requester": {"id": 5}, "raw_subject": "x", "description": "AGENT"}
            | {"comments": [said("PRIVATE", author_id=5, public=False), said(ASKED, author_id=5)]},
            ASKED,
        ),
        (
            {"requester": {"id": 5}, "raw_subject": "x", "description": "AGENT"}
            | {"comments": [said("AGENT", author_id=7), said(ASKED, author_id=5)]},
            ASKED,
        ),
    ],
    "freshdesk": [
        (
            {"source": 10, "description_text": "AGENT"}
            | {"conversations": [{"incoming": True, "private": False, "body_text": ASKED}]},
            ASKED,
        ),
        (
            {"source": 10, "description_text": "AGENT"}
            | {
                "conversations": [
                    {"incoming": True, "private": True, "body_text": "PRIVATE"},
                    {"incoming": True, "private": False, "body_text": ASKED},
                ]
            },
            ASKED,
        ),
    ],
    "intercom": [
        ({"source": said("Deleted", author={"type": "user"}, redacted=True)}, None),
        (
            {"source": said("Deleted", author={"type": "user"}, redacted=True)}
            | {
                "conversation_parts": {
                    "conversation_parts": [
                        said("Deleted", author={"type": "user"}, redacted=True),
                        said(ASKED, author={"type": "user"}, redacted=False),
                    ]
                }
            },
            ASKED,
        ),
        ({"category": "Customer", "ticket_attributes": {"_default_description_": ASKED}}, ASKED),
        ({"category": "Tracker", "ticket_attributes": {"_default_description_": "OURS"}}, None),
        (
            {"conversation_message": said("AGENT", author={"type": "admin"})}
            | {
                "conversation_parts": {
                    "conversation_parts": [
                        said(ASKED, part_type="comment", author={"type": "user"})
                    ]
                }
            },
            ASKED,
        ),
        (
            {"source": said("AGENT", author={"type": "admin", "id": 1, "email": "a@team.example"})}
            | {"user": {"id": 7}}
            | {
                "conversation_parts": {
                    "conversation_parts": [
                        said("PRIVATE", part_type="note", author={"type": "user"}),
                        said(ASKED, part_type="comment", author={"type": "user"}),
                    ]
                }
            },
            ASKED,
        ),
        (
            {"source": said("AGENT", author={"type": "bot", "email": "bot@team.example"})}
            | {"conversation_parts": {"conversation_parts": []}, "Message": ASKED},
            ASKED,
        ),
    ],
    "helpscout": [
        ({"threads": [said(ASKED, type="customer"), said("PRIVATE", type="note")]}, ASKED),
        (
            {
                "_embedded": {
                    "threads": [
                        said(ASKED, type="chat", createdBy={"type": "customer"}),
                        said("PRIVATE", type="note", createdBy={"type": "customer"}),
                    ]
                }
            },
            ASKED,
        ),
        (
            {
                "_embedded": {
                    "threads": [
                        said(ASKED, type="chat", createdBy={"type": "customer"}),
                        said("AGENT", type="chat", createdBy={"type": "user"}),
                    ]
                }
            },
            ASKED,
        ),
        (
            {"createdBy": {"type": "customer"}, "preview": "PRIVATE"}
            | {"_embedded": {"threads": [said("PRIVATE", type="note")]}},
            None,
        ),
    ],
    "gorgias": [
        ({"from_agent": False, "public": False, "body_text": "PRIVATE"}, None),
        ({"from_agent": True, "excerpt": "AGENT"}, None),
        ({"excerpt": "PRIVATE", "messages": [{"public": False, "body_text": "PRIVATE"}]}, None),
    ],
    "front": [
        (
            {
                "messages": [
                    {"is_inbound": True, "text": ASKED},
                    {"is_inbound": False, "text": "AGENT"},
                ]
            },
            ASKED,
        ),
        (
            {"is_inbound": True, "text": ASKED}
            | {
                "recipients": [
                    {"role": "to", "handle": "us@team.example"},
                    {"role": "from", "handle": "ann@x.example"},
                ]
            },
            ASKED,
        ),
        (
            {
                "last_message": {
                    "is_inbound": True,
                    "text": ASKED,
                    "recipients": [
                        {"role": "to", "handle": "us@team.example"},
                        {"role": "from", "handle": "ann@x.example"},
                    ],
                }
            },
            ASKED,
        ),
    ],
    "chatwoot": [
        (
            {
                "messages": [
                    {"message_type": 0, "content": "gone", "content_attributes": {"deleted": True}},
                    {"message_type": 0, "content": ASKED, "content_attributes": {}},
                ]
            },
            ASKED,
        ),
        (
            {
                "messages": [
                    {"message_type": 0, "private": True, "content": "PRIVATE"},
                    {"message_type": 0, "private": False, "content": ASKED},
                ]
            },
            ASKED,
        ),
        ({"message_type": 0, "private": True, "content": "PRIVATE"}, None),
        (
            {
                "last_non_activity_message": {
                    "message_type": 0,
                    "private": True,
                    "content": "PRIVATE",
                }
            },
            None,
        ),
    ],
    "jira": [
        (
            {
                "requestFieldValues": [
                    {"fieldId": "summary", "value": "Parcel"},
                    {"fieldId": "description", "value": ASKED},
                ]
            },
            ASKED,
        ),
        (
            {
                "requestFieldValues": [
                    {"fieldId": "priority", "value": "high"},
                    {"fieldId": "summary", "value": ASKED},
                ]
            },
            ASKED,
        ),
    ],
    "gmail": [
        ({"labelIds": ["SENT"], "snippet": "AGENT"}, None),
        ({"labelIds": ["INBOX"], "snippet": ASKED}, ASKED),
    ],
}
CASES |= MORE_CASES
for known in ("intercom", "front", "gorgias"):
    CASES[known] += CASES.pop(f"{known}'s kinds")
SIMPLE = [(product, *case) for product, cases in CASES.items() for case in cases]


def read(rows: Any, columns: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """What is taken of a document as a file of its own."""
    found = taken("day.json", json.dumps(rows).encode(), options=ReadingOptions(usual=columns))
    return [(one.body, one.customer_id, one.subject) for one in found.records]


def named(product: str, row: Row) -> list[Row]:
    return [{"key" if product == "jira" else "id": 1, **row}]


@pytest.mark.parametrize(("product", "row", "body"), SIMPLE)
def test_of_each_the_customers_words_are_read(product: str, row: Row, body: str | None) -> None:
    found = read(named(product, row), PRESETS[product].columns)
    assert [one[0] for one in found] == ([] if body is None else [body])


PLACES = [
    (product, field, found.start())
    for product, preset in PRESETS.items()
    for field, place in preset.columns.items()
    for found in CONDITION.finditer(place)
]


@pytest.mark.parametrize(("product", "field", "at"), PLACES)
def test_no_condition_can_go_unseen(product: str, field: str, at: int) -> None:
    columns = dict(PRESETS[product].columns)
    place = columns[field]
    without = BEGINNING.sub(r"\1", place[:at] + CONDITION.sub("", place[at:], count=1))
    documents = [rows for name, rows in DOCUMENTS.items() if name.partition("_")[0] == product]
    documents += [named(product, row) for row, _ in CASES.get(product, ())]
    changed = {**columns, field: without}
    assert any(read(rows, columns) != read(rows, changed) for rows in documents), place[at:]
