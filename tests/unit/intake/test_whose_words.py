"""Of several voices, what the customer wrote is taken: never a note of the team, and no agent's or
bot's words where the product tells them apart.

The conversations in `whose_words.json` follow the public schemas of their products: notes before
the first message, tickets that an agent began, messages of an attachment alone, deleted persons.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.intake.taking import Taken, taken
from worker.intake import ReadingOptions
from worker.intake.presets import PRESETS

DOCUMENTS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data/exports/whose_words.json").read_text()
)
# the ids that are taken, and those of which nothing is the customer's
WANTED: dict[str, tuple[str, str]] = {
    "zendesk_incremental": ("1 2 3 5 6 7 9 10", "4 8"),
    "zendesk_pages": ("1 3", "2"),
    "zendesk_account": ("1 2 3", ""),
    "freshdesk_conv": ("1 2 4 5", "3 6"),
    "intercom_conv": ("1001 1002 1003 1005", "1004 1006"),
    "helpscout_conv": ("1 3 4 5 6", "2"),
    "helpscout_list": ("1 3", "2"),
    "gorgias_conv": ("1 2 3 4 6 7", "5"),
    "gorgias_messages": ("11 14", "12 13"),
    "front_conv": ("cnv_1 cnv_3 cnv_5 cnv_6", "cnv_2 cnv_4 cnv_7"),
    "front_messages": ("msg_1 msg_3", "msg_2 msg_4"),
    "chatwoot_conv": ("1 2 5 6", "3 4 7"),
    "chatwoot_messages": ("1 4", "2 3 5"),
    "salesforce_soql": ("00001021 00001023 00001024 00001025", "00001022"),
}


def test_every_document_is_looked_at() -> None:
    assert set(DOCUMENTS) == set(WANTED)


def _taken(name: str, options: ReadingOptions | None = None) -> Taken:
    return taken(f"{name}.json", json.dumps(DOCUMENTS[name]).encode(), options=options)


@pytest.mark.parametrize("name", sorted(WANTED))
@pytest.mark.parametrize("named", [False, True])
def test_the_customers_words_are_taken_and_no_others(name: str, *, named: bool) -> None:
    product = name.partition("_")[0]
    usual = ReadingOptions(usual=PRESETS[product].columns) if named else None
    found = _taken(name, usual)
    ids, others = WANTED[name]
    assert found.refused is None
    assert (found.ids, [one.external_id for one in found.rejects]) == (ids.split(), others.split())
    assert not any("PRIVATE" in body for body in found.bodies)
    agents = {i for i, body in zip(found.ids, found.bodies, strict=True) if "AGENT" in body}
    # Of a ticket in Zendesk without its comments, nobody can say who wrote it.
    assert agents == ({"3"} if name == "zendesk_pages" else set())


def test_a_file_of_notes_alone_is_not_read_by_the_names_of_its_columns() -> None:
    rows = [row for row in DOCUMENTS["zendesk_incremental"] if row["id"] == 4]
    found = taken("day.json", json.dumps(rows).encode())
    assert (found.preset, found.ids) == ("zendesk", [])
    assert [one.reason for one in found.rejects] == [
        "missing body (nothing that the customer wrote)"
    ]


def test_two_persons_who_are_not_there_are_not_the_same() -> None:
    row = {"id": 1, "raw_subject": "x", "description": "PRIVATE", "requester": {"id": 5}}
    row["comments"] = [{"author_id": 7, "public": False, "body": "PRIVATE"}]
    found = taken("day.json", json.dumps([row]).encode())
    assert (found.ids, len(found.rejects)) == ([], 1)


@pytest.mark.parametrize("label", ["Sent", "=?UTF-8?Q?Entw=C3=BCrfe?=", "Opened,Gesendet"])
def test_mails_of_the_mailboxs_owner_are_no_questions(label: str) -> None:
    head = "X-Gmail-Labels: {}\nSubject: Re\nFrom: a@b.example"
    mail = f"From 1@xxx Tue Nov 24 08:15:00 +0000 2026\n{head}\n\n{{}}\n\n"
    text = mail.format(label, "our answer") + mail.format("Inbox", "Where is it?")
    found = taken("all.mbox", text.encode())
    assert (found.bodies, len(found.rejects)) == (["Where is it?"], 1)
    assert "owner" in found.rejects[0].reason


def test_what_is_called_internal_is_not_offered_as_a_body() -> None:
    head = "Case Number,Subject,Internal Comments\n"
    rows = "".join(f"{i},Parcel,Looks like fraud to me so do not refund\n" for i in range(5))
    found = taken("day.csv", (head + rows).encode())
    assert "nor another" in (found.refused or "")
    assert "--map body=COLUMN" in (found.mend or "")
    assert "Internal" not in (found.mend or "")
