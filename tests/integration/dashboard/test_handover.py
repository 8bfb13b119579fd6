"""A file handed over in the browser: looked at first, started once, by those who may."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.guarding import csrf_of, guarding, sign_in
from tests.support.promises import many, one
from tests.support.web import browsing, dashboard
from tests.support.works import settings_for

REPORTS = Path(__file__).parents[2] / "data" / "reports"
HTML = {"Accept": "text/html"}
NAMELESS = (
    b"a,b\nx1,Where is my card? It was sent a week ago.\nx2,How can I close my account please?\n"
)


@pytest.fixture
def client(engine: Engine, database_url: str) -> Iterator[httpx2.Client]:
    settings = settings_for(database_url, "http://127.0.0.1:1")
    with dashboard(settings) as url, browsing(url) as visitor:
        yield visitor


def post(client: httpx2.Client, content: bytes, name: str, **fields: str) -> httpx2.Response:
    """Sends the form as a browser does, with what the page put into it."""
    fields = {"csrf_token": csrf_of(client), **fields}
    return client.post("/hand-over", data=fields, files={"file": (name, content)}, headers=HTML)


def words(answer: httpx2.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_an_export_is_looked_at_then_started(client: httpx2.Client, engine: Engine) -> None:
    # given
    name = "01-zendesk_pretty.json"
    content = (REPORTS / name).read_bytes()
    # when
    seen = post(client, content, name, step="look", budget="2.50")
    stored = one(engine, "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM messages)")
    begun = post(
        client,
        content,
        name,
        step="start",
        policy="fallback",
        budget="2.50",
        deadline="6h",
        run="A day",
    )
    again = post(client, content, name, step="start")
    # then
    assert "external_id ← id body ← description" in words(seen)
    assert "as zendesk exports it" in words(seen)
    assert "taken 4 rejected 0 known already 0" in words(seen)
    assert "Start: 4 messages" in words(seen)
    assert tuple(stored) == (0, 0)
    assert (begun.status_code, begun.headers["location"]) == (303, "/runs/A%20day")
    made = one(
        engine,
        "SELECT name, policy_name, budget_cap, deadline > now() + interval '5 hours',"
        " (SELECT count(*) FROM jobs) FROM runs",
    )
    assert tuple(made) == ("A day", "fallback", 2.5, True, 4)
    events = many(engine, "SELECT action, target, affected, actor <> '' FROM audit_events")
    assert events == [("submit", "run A day", 4, True)]
    assert "All of them are in A day already." in words(again)


def test_columns_that_are_not_certain_are_shown_before_they_are_taken(
    client: httpx2.Client, engine: Engine
) -> None:
    blind = post(client, NAMELESS, "x.csv", step="start")
    seen = post(client, NAMELESS, "x.csv", step="look")
    said = post(client, NAMELESS, "x.csv", step="look", **{"map.external_id": "a", "map.body": "c"})
    assert blind.status_code == 422
    assert one(engine, "SELECT count(*) FROM runs")[0] == 0
    assert "Is that so?" in words(seen)
    assert "x1 Where is my card?" in words(seen)
    assert 'name="seen"' in seen.text
    assert "Which column is body (what the customer wrote)?" in words(said)
    assert "Start:" not in words(said)
    assert post(client, NAMELESS, "x.csv", step="start", seen="1").status_code == 303
    assert one(engine, "SELECT count(*) FROM jobs")[0] == 2


def test_what_is_not_taken_is_named_by_line(client: httpx2.Client) -> None:
    table = b"external_id,body\na,Where is it?\n,no id\n"
    seen = post(client, table, "x.csv", step="look")
    begun = post(client, table, "x.csv", step="start")
    assert "line 3: missing external_id" in words(seen)
    assert "Run x has begun accepted 1 rejected 1" in words(begun)
    assert 'href="/runs/x"' in begun.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"budget": "a lot"}, "no number of dollars. What helps: write it as 5 or 12.50"),
        ({"budget": "nan"}, "The budget is no number of dollars."),
        ({"deadline": "2001-01-01"}, "Deadline 2001-01-01 has passed."),
        ({"deadline": "soon"}, "Deadline 6h"),
        ({"policy": "nope"}, "There is no policy called &#39;nope&#39;."),
        ({"run": "a\tb"}, "The name of a run holds"),
    ],
)
def test_a_wrong_wish_is_answered_in_words(
    client: httpx2.Client, engine: Engine, fields: dict[str, str], said: str
) -> None:
    answer = post(client, b"external_id,body\na,b\n", "x.csv", step="start", **fields)
    assert (answer.status_code, said in words(answer)) == (422, True)
    assert one(engine, "SELECT count(*) FROM runs")[0] == 0


def test_no_file_and_what_is_none_are_answered_in_words(client: httpx2.Client) -> None:
    nothing = client.post(
        "/hand-over",
        data={"csrf_token": csrf_of(client), "step": "look"},
        files={"file": ("", b"")},
        headers=HTML,
    )
    assert "No file was chosen." in words(nothing)
    assert "x.pdf is a PDF." in words(post(client, b"%PDF-1.7", "x.pdf", step="look"))


def test_only_who_may_and_meant_to_hands_over(engine: Engine, database_url: str) -> None:
    file, table = {"file": ("x.csv", b"external_id,body\na,b\n")}, {"step": "start"}
    with guarding(database_url) as url, browsing(url) as ada, browsing(url) as bob:
        sign_in(ada, "ada", "enchantress of numbers")
        sign_in(bob, "bob", "viewer's word")
        csrf = {"csrf_token": csrf_of(ada)}
        refused = [
            ada.post("/hand-over", data=table, files=file),
            ada.post("/hand-over", data={**table, "csrf_token": csrf_of(bob)}, files=file),
            ada.post(
                "/hand-over",
                data={**table, **csrf},
                files=file,
                headers={"Origin": "http://x.example"},
            ),
            # Files are taken nowhere else.
            ada.post("/actions/pause", data={"tier": "opus", **csrf}, files=file),
            bob.post("/hand-over", data={**table, "csrf_token": csrf_of(bob)}, files=file),
        ]
        assert [answer.status_code for answer in refused] == [403] * 5
        assert "An operator submits files." in bob.get("/hand-over").text
        assert "<form id=" not in bob.get("/hand-over").text
        assert one(engine, "SELECT count(*) FROM runs")[0] == 0
        assert ada.post("/hand-over", data={**table, **csrf}, files=file).status_code == 303
    assert one(engine, "SELECT count(*) FROM runs")[0] == 1


def test_a_file_over_the_bound_is_refused(engine: Engine, database_url: str) -> None:
    settings = settings_for(database_url, "http://127.0.0.1:1", dashboard={"upload_mb": 1})
    with dashboard(settings) as url, browsing(url) as client:
        form = client.get("/hand-over").text
        answer = post(client, b"x" * 1_000_001, "x.csv", step="look")
    assert answer.status_code == 413
    # Whoever sent it reads how much is taken, and what helps; the page refuses it before it leaves.
    helps = "Cut the file into several, or submit it in a terminal: rung enqueue FILE."
    assert f"That is more than 1 MB, the most that is taken here at once. {helps}" in words(answer)
    assert 'data-most="1"' in form
    assert helps in form
