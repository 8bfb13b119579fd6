"""Two people at the queue of reviews, on pages and by the API."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.guarding import TOKEN, guarding, sign_in
from tests.support.pages import Page
from tests.support.promises import do, one
from tests.support.web import browsing
from tests.support.works import hand_in, settings_for

QUEUE = "/review/queue?text=1"


@pytest.fixture
def url(engine: Engine, database_url: str) -> Iterator[str]:
    hand_in(engine, settings_for("", ""), [f"My words {n}" for n in range(1, 4)], name="day")
    do(engine, "UPDATE jobs SET state = 'review', reason = 'schema', finished_at = now()")
    with guarding(database_url) as found:
        yield found


@pytest.fixture
def ada(url: str) -> Iterator[httpx2.Client]:
    with browsing(url) as client:
        sign_in(client, "ada", "enchantress of numbers")
        yield client


def shown(client: httpx2.Client, path: str = QUEUE) -> tuple[int, Page]:
    page = Page(client.get(path).text)
    (job,) = re.findall(r"My words (\d)", page.text)
    return int(job), page


def test_two_people_are_given_two_and_the_slower_learns_of_it(
    ada: httpx2.Client, url: str, engine: Engine
) -> None:
    with browsing(url) as also_ada:
        sign_in(also_ada, "ada", "enchantress of numbers")
        # when
        (mine, page), (theirs, _) = shown(ada), shown(also_ada)
        # then
        assert (mine, theirs) == (3, 2)
        assert "1 with others" in shown(also_ada)[1].text
        assert "ada reads it" in Page(ada.get("/review").text).text
        assert "ada reads it, since" in Page(also_ada.get(f"/jobs/{mine}").text).text
        assert "reads it" not in Page(ada.get(f"/jobs/{mine}").text).text
    # when: somebody else judges from the job's own page
    do(engine, "INSERT INTO reviews (job_id, verdict, reason, reviewer)"
       " VALUES (3, 'reject', 'it is wrong', 'bob')")  # fmt: skip
    (form,) = [
        {i.attributes["name"]: i.attributes.get("value", "") for i in form.all("input")}
        for form in page.root.all("form", action="/jobs/3/verdict")
        if form.all("input", name="reason")
    ]
    answer = ada.post("/jobs/3/verdict", data={**form, "reason": "no"})
    # then
    said = Page(ada.get(answer.headers["location"]).text).text
    assert re.search(
        "bob was faster with job 3 ?: rejected. Your verdict on it was not taken", said
    )
    assert one(engine, "SELECT count(*) FROM reviews")[0] == 1
    assert "My words 1" in said


def test_whoever_closes_the_page_leaves_it_to_the_next(
    ada: httpx2.Client, url: str, engine: Engine
) -> None:
    # given
    _, page = shown(ada)
    (form,) = page.root.all("form", action="/review/leave")
    fields = {i.attributes["name"]: i.attributes.get("value", "") for i in form.all("input")}
    held = "SELECT count(*) FROM reading_leases"
    # when
    for until in ("no time", "2026-01-01T00:00:00", fields["until"]):
        assert one(engine, held)[0] == 1
        assert ada.post("/review/leave", data={**fields, "until": until}).status_code == 204
    # then
    assert one(engine, held)[0] == 0


def test_programs_take_turns_too(ada: httpx2.Client, url: str, engine: Engine) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    with httpx2.Client(base_url=url, trust_env=False, headers=headers) as api:

        def ask(path: str = "next", **body: object) -> Any:
            answer = api.post(f"/api/review/{path}", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        # when
        first, second = ask(reader="eve"), ask(reader="mallory", run="day", cause="schema")
        # then
        assert [found["job"]["body"] for found in (first, second)] == ["My words 3", "My words 2"]
        assert (second["waiting"], second["read_by_others"]) == (3, 1)
        assert shown(ada)[0] == 1
        assert ask(reader="eve", skip=3)["job"] is None
        read = "SELECT count(*) FROM audit_events WHERE action = 'read text' AND actor = 'helpdesk'"
        assert one(engine, read)[0] == 2
        # when
        listed = [job["read_by"] for job in api.get("/api/review").json()["jobs"]]
        assert listed == [None, "helpdesk (mallory)", "ada"]
        assert ask("leave", reader="mallory") == {"freed": 1}
        assert ask(reader="eve", skip=3)["job"]["body"] == "My words 2"
        assert api.post("/api/review/next", json={"skip": 99}).status_code == 404
