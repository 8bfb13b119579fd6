"""Pages of what is proved: certificates to sign, audits to judge blind, the frontier of a run."""

from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.pages import Page, get_page
from tests.support.promises import do, one
from tests.support.recorded import Traffic, answered_run
from tests.support.web import browsing, dashboard
from tests.support.works import settings_for
from worker.dashboard.pages import proof
from worker.store.reading import graded


@pytest.fixture
def client(engine: Engine, database_url: str, configured: None) -> Iterator[httpx2.Client]:
    """A dashboard over a run that was answered, audited and certified."""
    answered_run(engine, database_url, Traffic())
    said = say("certify", "monday", "--claim", "accuracy", "--score", "confidence",
               "--segment", "channel", "--json")  # fmt: skip
    assert said.document["certified"]
    with dashboard(settings_for(database_url, "http://127.0.0.1:1")) as url, browsing(url) as made:
        yield made


def test_a_certificate_can_be_read_and_signed(client: httpx2.Client) -> None:
    assert "/certificates/1" in get_page(client, "/certificates").links()
    page = get_page(client, "/certificates/1").text
    assert "At least 95.0 % of the answers accepted at haiku are right." in page
    assert "Signed:" in page
    assert "mail" in page
    assert get_page(client, "/certificates/99", 404)


def test_audits_are_judged_blind_and_reading_is_noted(
    client: httpx2.Client, engine: Engine
) -> None:
    # given
    do(engine, "DELETE FROM truths")
    do(engine, "UPDATE audits SET state = 'open', again = false")
    first = get_page(client, "/audits")
    assert "where is my parcel" not in first.text
    # when
    shown = client.post("/audits/next", data=first.form("/audits/next"))
    page = Page(shown.text)
    form = page.form("/audits/verdict")
    after = client.post("/audits/verdict", data={**form, "verdict": "wrong"})
    # then
    assert "where is my parcel" in page.text
    assert "claude-" not in shown.text.partition("<main")[2]
    assert one(engine, "SELECT is_right FROM truths")[0] is False
    assert one(engine, "SELECT count(*) FROM audit_events WHERE action = 'read text'")[0] == 2
    again = client.post(
        "/audits/verdict", data={**Page(after.text).form("/audits/verdict"), "verdict": "undo"}
    )
    assert again.status_code == 200
    assert one(engine, "SELECT count(*) FROM truths WHERE undone_at IS NULL")[0] == 0
    bad = client.post("/audits/verdict", data={**form, "verdict": "perhaps"})
    assert bad.status_code == 422


def test_the_frontier_of_a_run_marks_what_ran(client: httpx2.Client) -> None:
    page = get_page(client, "/runs/1/frontier")
    assert "as it ran" in page.text
    assert "always opus" in page.text
    assert get_page(client, "/runs/99/frontier", 404)


def test_a_frontier_of_which_nothing_is_known_draws_nothing(
    client: httpx2.Client, engine: Engine
) -> None:
    do(engine, "DELETE FROM truths")
    do(engine, "UPDATE audits SET state = 'open'")
    page = get_page(client, "/runs/1/frontier")
    assert "Nobody has judged an answer of this run yet" in page.text
    assert not page.root.all("svg", cls="frontier")
    assert "always opus" in page.text


def test_a_frontier_of_a_part_does_not_say_that_nobody_has_judged(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    for module in (graded, proof):
        monkeypatch.setattr(module, "READ_WHOLE", 10)
    do(engine, "UPDATE audits SET state = 'open'")
    do(engine, "DELETE FROM truths")
    page = get_page(client, "/runs/1/frontier")
    assert "Of the messages that are read here nobody has judged an answer" in page.text
    assert "Nobody has judged an answer of this run yet" not in page.text
    assert "rung evaluate" in page.text


def test_doubt_is_a_trouble_on_the_first_page(client: httpx2.Client, engine: Engine) -> None:
    do(engine, "UPDATE certificates SET state = 'amber'")
    page = get_page(client, "/")
    assert "Certificate 1 (haiku) is in doubt" in page.text
    assert "/certificates/1" in page.links()
