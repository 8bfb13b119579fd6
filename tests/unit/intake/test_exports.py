"""Exports of helpdesks, with every field of their public schemas: they go in as they come."""

from pathlib import Path

import pytest

from tests.unit.intake.taking import taken
from worker.intake import ReadingOptions
from worker.intake.presets import PRESETS

EXPORTS = Path(__file__).parents[2] / "data" / "exports"

# file: the product; the first one's id, customer, channel and time
WANTED = {
    "zendesk.json": ("zendesk", "35431", "20978391", "web", "2026-11-21 10:09:18"),
    "freshdesk.json": ("freshdesk", "21", "6", "Portal", "2026-11-24 09:05:44"),
    "freshdesk_account.json": ("freshdesk", "701", "1002", "Portal", "2026-11-24 09:39:38"),
    "intercom.json": ("intercom", "19221", "u1", "email", "2025-11-24 16:00:01"),
    "helpscout.json": ("helpscout", "11", "2801", "email", "2026-11-24 20:18:33"),
    "gorgias.json": ("gorgias", "501", "901", "email", "2026-11-24 00:59:00"),
    "front.json": ("front", "cnv_1", "a1@mail.example", "email", "2025-11-24 16:00:01"),
    "chatwoot.json": ("chatwoot", "31", "71", "Channel::WebWidget", "2025-11-24 16:00:01"),
    "salesforce.json": ("salesforce", "00001021", "003xx000001", "Web", "2026-11-24 08:15:00"),
    "salesforce.csv": ("salesforce", "00001021", "a1@mail.example", "Web", "2026-11-21 08:15:00"),
    "jira.json": ("jira", "SUP-1", "a1@mail.example", None, "2026-11-24 07:15:00"),
    "jira_service.json": ("jira", "SUP-1", "a1@mail.example", None, "2026-11-24 07:15:00"),
    "zammad.json": ("zammad", "22001", "41", "email", "2026-11-24 08:15:01"),
    "freescout.json": ("freescout", "1", "71", "email", "2026-11-24 08:15:01"),
    "osticket.csv": ("osticket", "1", "61", "Email", "2026-11-24 08:15:01"),
    "gmail.mbox": (None, "m1@mail.example", "a1@mail.example", "email", "2026-11-24 08:15:00"),
}


@pytest.mark.parametrize("name", sorted(WANTED))
def test_an_export_goes_in_without_an_option(name: str) -> None:
    preset, first_id, customer, channel, at = WANTED[name]
    found = taken(EXPORTS / name)
    assert (found.refused, found.rejects) == (None, [])
    assert len(set(found.ids)) == 3
    assert all("my parcel" in body and "<" not in body for body in found.bodies), found.bodies
    first = found.records[0]
    assert (first.external_id, first.customer_id, first.channel) == (first_id, customer, channel)
    assert f"{first.received_at:%Y-%m-%d %H:%M:%S}" == at
    assert first.subject is not None
    assert (found.preset, found.guessed != []) == (preset, preset is not None)


def test_a_report_that_ends_in_totals_and_a_notice_goes_in(tmp_path: Path) -> None:
    rows = [
        '"Case Number","Contact Name","Subject","Opened Date","Case Owner","Description"',
        '"00001001","Ann","Login","11/24/2026 8:15 AM","Bob","I cannot log in"',
        '"00001002","Ben","Bill","11/25/2026 8:15 PM","Bob","My bill is wrong"',
        '"","","","","",""',
        '"Grand Totals (2 records)"',
        '"Copyright (c) 2000-2026. All rights reserved."',
    ]
    path = tmp_path / "report.csv"
    path.write_text("\n".join(rows))
    found = taken(path)
    assert (found.refused, found.ids, found.preset) == (
        None,
        ["00001001", "00001002"],
        "salesforce",
    )
    assert len(found.rejects) == 2


def test_a_column_that_is_mostly_empty_is_meant_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("id,message\n1,\n2,   \n3,Where is my card?\n")
    found = taken(path)
    assert (found.refused, found.bodies, len(found.rejects)) == (None, ["Where is my card?"], 2)


@pytest.mark.parametrize("name", sorted(WANTED))
def test_the_preset_of_its_name_does_the_same(name: str) -> None:
    if (preset := WANTED[name][0]) is None:
        return
    as_it_comes = taken(EXPORTS / name)
    named = taken(EXPORTS / name, options=ReadingOptions(usual=PRESETS[preset].columns))
    assert named.refused is None
    assert named.records == as_it_comes.records


def test_a_mail_is_its_words_and_its_attachments_are_named() -> None:
    found = taken(EXPORTS / "gmail.mbox")
    record = found.records[0]
    assert ("left_out", "attachments") in {(n["care"], n["column"]) for n in found.noted}
    assert (
        record.body == "Hello, my parcel 1 has not arrived. Grüße\nFrom what I read it should have."
    )
    assert record.subject == "Paket € 1"
    assert (record.metadata or {})["attachments"] == ["bill.pdf"]
    assert (record.metadata or {})["thread"] == "1781"


def test_what_agents_typed_into_jira_is_a_line_a_paragraph() -> None:
    body = taken(EXPORTS / "jira.json").bodies[0]
    assert body == "Hello, my parcel 1 has not arrived. What now?\nThanks @help\none"
