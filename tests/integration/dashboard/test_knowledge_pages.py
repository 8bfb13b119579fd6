"""What the team's pages say, what a search finds in them, and what they do not say."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.support.guarding import guarding, sign_in
from tests.support.near_misses import Rows
from tests.support.pages import Page
from tests.support.promises import do, many
from tests.support.web import browsing
from tests.support.works import hand_in, settings_for
from worker.domain.pages import SourcePage
from worker.store.knowledge import sync_folder

PAGE = SourcePage(
    name="returns", path="returns.md", title="Returns <b>", language="en",
    markdown="# Returns\n\nParcels come back within 30 days.\n\n## Labels\n\nThey cost 4.90 EUR.",
)  # fmt: skip
LABELS = SourcePage(
    name="labels", path="labels.md", title="Labels", language="en", markdown="# Labels\n\nA code.",
)  # fmt: skip
ASKED = ["Do you sell gift cards?", "Is there a gift card?", "Where is your office?"]


@pytest.fixture
def url(engine: Engine, database_url: str) -> Iterator[str]:
    hand_in(engine, settings_for("", ""), ASKED, name="day")
    do(engine, "UPDATE jobs SET state = 'review', finished_at = now(), reason = 'not_covered'")
    with guarding(database_url) as found:
        yield found


def test_pages_are_listed_found_and_read(engine: Engine, url: str) -> None:
    with browsing(url) as bob:
        sign_in(bob, "bob", "viewer's word")
        nothing = bob.get("/knowledge").text
        sync_folder(engine, "pages", [PAGE])
        listed = bob.get("/knowledge").text
        found = bob.get("/knowledge", params={"q": "my parcel"}).text
        lost = bob.get("/knowledge", params={"q": "zebra"}).text
        read = bob.get("/knowledge/page", params={"folder": "pages", "name": "returns"})
        missing = bob.get("/knowledge/page", params={"folder": "pages", "name": "cards"})
    assert "No pages have been read yet" in nothing
    assert "Returns &lt;b&gt;" in listed
    assert PAGE.version in listed
    assert "returns#returns" in found
    assert "Nothing was found" in lost
    assert "They cost 4.90 EUR." in read.text
    assert (read.status_code, missing.status_code) == (200, 404)


def test_what_no_page_says_is_grouped_for_those_who_may_read_it(engine: Engine, url: str) -> None:
    with browsing(url) as ada, browsing(url) as bob:
        sign_in(ada, "ada", "enchantress of numbers")
        sign_in(bob, "bob", "viewer's word")
        seen, masked = ada.get("/knowledge/gaps").text, bob.get("/knowledge/gaps").text
        of_run = ada.get("/knowledge/gaps", params={"run": "day"}).text
        nobody = ada.get("/knowledge/gaps", params={"run": "night"})
    for text in (seen, of_run):
        assert "gift card" in text
        assert "other things" in text
        assert "day-0" in text
    assert "3 messages of the newest 2,000 that were left to a person" in masked
    assert "gift" not in masked
    assert nobody.status_code == 404
    noted = many(engine, "SELECT actor, affected FROM audit_events WHERE action = 'read text'")
    assert noted == [("ada", 3), ("ada", 3)]


def test_what_customers_call_it_is_learned_from_a_run_for_those_who_may_read_it(
    engine: Engine, url: str
) -> None:
    sync_folder(engine, "pages", [PAGE])
    do(engine, "UPDATE messages SET body = 'Refund please ' || id")
    with browsing(url) as ada, browsing(url) as bob:
        sign_in(ada, "ada", "enchantress of numbers")
        sign_in(bob, "bob", "viewer's word")
        none = ada.get("/knowledge/words").text
        with engine.begin() as connection:
            rows = Rows(connection)
            for number in range(3):
                job = rows.job(1, rows.message(body="Where is my parcel?"), state="answered")
                _answer(rows, job, "labels#labels")
                _answer(rows, number + 1, "returns#returns")
            connection.exec_driver_sql("UPDATE jobs SET state = 'answered' WHERE id < 4")
        sync_folder(engine, "pages", [PAGE, LABELS])
        seen, masked = ada.get("/knowledge/words"), bob.get("/knowledge/words")
        nobody = ada.get("/knowledge/words", params={"run": "night"})
        linked = "/knowledge/words" in Page(ada.get("/knowledge").text).links()
    assert "No accepted answer of day names a page" in none
    shown = [(row["answers"], row["words for its also"]) for row in Page(seen.text).rows("stacked")]
    assert shown == [("3", "parcel 3"), ("3", "refund 3")]
    assert "rung knowledge words day" in Page(seen.text).text
    assert "They are the customers’ own" in masked.text
    assert "refund" not in masked.text.lower()
    assert (nobody.status_code, linked) == (404, True)
    noted = many(engine, "SELECT actor FROM audit_events WHERE action = 'read text'")
    assert noted == [("ada",)]


def _answer(rows: Rows, job: int, source: str) -> None:
    rows.attempt(job, outcome="accepted")
    rows.insert("results", None, job_id=job, fence=1, reply="r", tier="haiku", model="m",
                accepted=True, fields=f'{{"sources": ["{source}"]}}')  # fmt: skip
