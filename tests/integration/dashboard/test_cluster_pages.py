"""Messages that are alike, on a page: with their words for those who may read them, and one verdict
for all that wait."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.support.guarding import guarding, sign_in
from tests.support.pages import Page
from tests.support.promises import do, many, one
from tests.support.web import browsing
from tests.support.works import hand_in, settings_for
from worker.store.queue.review_clusters import COMPARING, TRY_LOCK

SAID = "The app shows error {} when I pay, and it was working until this morning"


@pytest.fixture
def url(engine: Engine, database_url: str) -> Iterator[str]:
    bodies = [*(SAID.format(n) for n in range(6)), "Where is my card?", "How do I close it?"]
    hand_in(engine, settings_for(database_url, ""), bodies, name="today")
    do(engine, "UPDATE jobs SET state = 'review', reason = 'schema', finished_at = now()")
    with guarding(database_url) as found:
        yield found


def test_one_verdict_for_all_that_wait_and_are_alike(engine: Engine, url: str) -> None:
    with browsing(url) as ada, browsing(url) as bob:
        sign_in(ada, "ada", "enchantress of numbers")
        sign_in(bob, "bob", "viewer's word")
        # given
        masked = Page(bob.get("/clusters", params={"review": 1, "text": 1}).text)
        shown = Page(ada.get("/clusters", params={"review": 1, "text": 1}).text)
        assert ("The app shows" in masked.text, "The app shows" in shown.text) == (False, True)
        assert "6 for a person" in masked.text
        assert not masked.root.all("form", action="/clusters/verdict")
        noted = many(engine, "SELECT actor FROM audit_events WHERE action = 'read text'")
        assert noted == [("ada",)]
        form = shown.form("/clusters/verdict")
        # when: one of them is judged meanwhile
        do(engine, "INSERT INTO reviews (job_id, verdict, reason, reviewer)"
           " VALUES (6, 'reject', 'known', 'bob')")  # fmt: skip
        said = {**form, "verdict": "reject", "reason": "an outage"}
        late = ada.post("/clusters/verdict", data=said)
        # then
        assert (late.status_code, "not the 6 that were shown" in late.text) == (422, True)
        # when
        done = ada.post("/clusters/verdict", data={**said, "counted": "5"})
        after = Page(ada.get(done.headers["location"]).text)
        # then
        assert "5 verdicts taken." in after.text
        assert "No 3 messages that wait say almost the same." in after.text
        assert one(engine, "SELECT count(*) FROM reviews WHERE reviewer = 'ada'")[0] == 5
        assert ada.post("/clusters/verdict", data={**said, "verdict": "edit"}).status_code == 422
        assert bob.post("/clusters/verdict", data=said).status_code == 403
        assert "6 for a person" in Page(ada.get("/clusters?run=1").text).text
        assert ada.get("/clusters?run=9").status_code == 404


def test_all_that_wait_are_compared_whatever_came_later(engine: Engine, url: str) -> None:
    with browsing(url) as ada:
        sign_in(ada, "ada", "enchantress of numbers")
        page = Page(ada.get("/clusters?review=1&run=1").text)
        assert "Of all 8 that wait for a person in this run" in page.text
        assert ("6 for a person" in page.text, "being compared" in page.text) == (True, False)
        assert not [one for one in page.links() if "far=" in one]
        # given: who was the first of them is judged, and one more comes in another run
        do(engine, "INSERT INTO reviews (job_id, verdict, reason, reviewer)"
           " VALUES (1, 'reject', 'known', 'bob')")  # fmt: skip
        hand_in(engine, settings_for(engine.url.render_as_string(hide_password=False), ""),
                [SAID.format(7)], name="later")  # fmt: skip
        do(engine, "UPDATE jobs SET state = 'review', finished_at = now() WHERE run_id = 2")
        # then
        (row,) = Page(ada.get("/clusters?review=1").text).rows("stacked")
        assert row["where they stand"] == "6 for a person"
        assert row["like"].startswith("today/today-1")
        (row,) = Page(ada.get("/clusters?review=1&run=1").text).rows("stacked")
        assert row["where they stand"] == "5 for a person"
        assert not Page(ada.get("/clusters?review=1&run=2").text).root.all("table", cls="stacked")


def test_what_nobody_has_compared_yet_is_said(engine: Engine, url: str) -> None:
    with browsing(url) as ada, engine.begin() as connection:
        sign_in(ada, "ada", "enchantress of numbers")
        connection.execute(TRY_LOCK, {"key": COMPARING})
        page = Page(ada.get("/clusters?review=1").text)
        assert "The last 8 are still being compared." in page.text
