"""Tables of conversations that Rung has no preset for: what the team wrote is a reject that says
so, and no column that may mean something else is taken for a sign of it."""

import json
from typing import Any

import pytest

from tests.unit.intake.taking import taken
from worker.intake import ReadingOptions

ASKED, TEAMS = "Where is my parcel? It is late.", "Hello Ann, we have sent it again today. Bob"


def read(customers: dict[str, Any], teams: dict[str, Any], **options: Any) -> Any:
    rows = [
        {"id": "1", "message": ASKED, **customers},
        {"id": "2", "message": TEAMS, **teams},
    ]
    data = json.dumps(rows).encode()
    return taken("talk.json", data, options=ReadingOptions(**options))


@pytest.mark.parametrize(
    ("column", "customers", "teams"),
    [
        ("direction", "inbound", "outbound"),
        ("Message Type", "INCOMING", "NOTE"),
        ("sender_type", "Customer", "Agent"),
        ("author_type", "user", "admin"),
        ("author", {"type": "user"}, {"type": "bot"}),
        ("role", "user", "assistant"),
        ("is_incoming", "1", "0"),
        ("Richtung", "eingehend", "Ausgehend"),
        ("Remitente", "Cliente", "agente"),
        ("from_agent", None, True),
    ],
)
def test_what_the_team_wrote_is_a_reject_that_says_by_which_column(
    column: str, customers: Any, teams: Any
) -> None:
    found = read({column: customers}, {column: teams})
    assert (found.refused, found.bodies) == (None, [ASKED])
    (reject,) = found.rejects
    assert (reject.external_id, "written by the team" in reject.reason) == ("2", True)


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        ("direction", "outbound", "outbound"),
        ("direction", "north", "out"),
        ("type", "question", "note"),
        ("role", "user", "admin"),
        ("from", "Berlin", "support"),
        ("internal", False, True),
        ("private", "No", "Yes"),
        ("internal", None, "no"),
        ("is_incoming", None, True),
    ],
)
def test_words_that_may_mean_something_else_say_nothing(column: str, one: Any, other: Any) -> None:
    found = read({column: one}, {column: other})
    assert (found.refused, found.bodies, found.rejects) == (None, [ASKED, TEAMS], [])


def test_who_says_what_the_message_is_gets_every_row() -> None:
    found = read({"direction": "inbound"}, {"direction": "outbound"}, columns={"body": "message"})
    assert found.bodies == [ASKED, TEAMS]


@pytest.mark.parametrize(("column", "of_the_team"), [("internal", True), ("public", False)])
def test_a_note_is_the_teams_where_rows_are_messages_of_tickets(
    column: str, *, of_the_team: bool
) -> None:
    said = {column: not of_the_team}, {column: of_the_team}
    (one, other) = ({"ticket_id": 7, **row} for row in said)
    assert read(one, other).bodies == [ASKED]
    assert read(one, other, usual={"body": "message"}).bodies == [ASKED, TEAMS]
    assert read(*said).bodies == [ASKED, TEAMS]


def test_comments_whose_authors_are_numbers_are_not_taken_unasked() -> None:
    row = {"author_id": 5, "audit_id": 9, "body": ASKED, "message": None}
    refused = read(row, row).refused
    assert "do not tell customers from agents" in str(refused)
    assert read(row, row, columns={"body": "body"}).refused is None
