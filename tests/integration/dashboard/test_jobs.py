"""Jobs on screen: lists that are complete and bounded, receipts that say why, text that is hidden
until it is asked for, and hostile text that does nothing."""

import re
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.pages import Page, get_page, jobs_on
from tests.support.promises import do, one
from tests.support.web import browsing, dashboard
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_password
from worker.store.reading import listing

SECRET = "My card 4111 was eaten by the machine in Lyon"
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202egnp.exe\u2066 \"'><img src=x onerror=alert(2)>"
PATHS = ("/", "/runs", "/runs/1", "/jobs", "/jobs/1", "/dead", "/review", "/workers", "/audit")
LETTERS = "UPDATE jobs SET state = 'dead', reason = :why, finished_at = now() WHERE id = ANY(:ids)"
PAUSED = "INSERT INTO tiers (name, paused, paused_reason) VALUES ('haiku', true, :bad)"
AUDITED = """
INSERT INTO audit_events (actor, action, target, detail)
VALUES (:bad, :bad, :bad, jsonb_build_object('k', CAST(:bad AS text)))
"""
REVIEW = "UPDATE jobs SET state = 'review', tier = 'opus', finished_at = now() WHERE id = :id"


def test_pages_show_every_job_once_newest_first(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    for name in ("day", "night"):
        hand_in(engine, settings, [f"{name} {n}" for n in range(70)], name=name)
    for path, wanted in (
        ("/jobs", range(140, 0, -1)),
        ("/jobs?run=day", range(70, 0, -1)),
        ("/jobs?state=queued&where=attempts+%3C+1", range(140, 0, -1)),
    ):
        # when
        seen: list[int] = []
        address: str | None = path
        while address is not None:
            page = get_page(client, address)
            seen += jobs_on(page)
            older = [link for link in page.links() if "before=" in link]
            address = older[0] if older else None
        # then
        assert seen == list(wanted), path


def test_a_filter_that_few_jobs_meet_looks_at_a_bounded_number(
    client: httpx2.Client, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr(listing, "WINDOW", 30)
    hand_in(engine, settings, [f"day {n}" for n in range(70)], name="day")
    do(engine, "UPDATE jobs SET escalations = 2 WHERE id = 3")
    # when
    page = get_page(client, "/jobs?climbed=1")
    # then
    assert "No job among the 30 that were looked at meets this." in page.text
    assert jobs_on(page) == []
    # when
    (further,) = [link for link in page.links() if "before=" in link]
    second = get_page(client, further)
    (last,) = [link for link in second.links() if "before=" in link]
    # then
    assert (jobs_on(second), jobs_on(get_page(client, last))) == ([], [3])


def test_filters_are_addresses_and_mistakes_are_sentences(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, [f"day {n}" for n in range(5)], name="day", channel="chat")
    do(engine, "UPDATE jobs SET state = 'answered', finished_at = now(), tier = 'opus',"
       " difficulty = 'COMPLEX'"
       " WHERE id = 2")  # fmt: skip
    # then
    assert jobs_on(get_page(client, "/jobs?tier=opus")) == [2]
    assert jobs_on(get_page(client, "/jobs?where=difficulty+%3D+COMPLEX+and+channel+%3D+chat")) == [
        2
    ]
    shown = get_page(client, "/jobs?run=day&tier=opus").text
    assert "rung reprocess --where 'run = day and tier = opus' --dry-run" in shown
    assert "rung reprocess" not in get_page(client, "/jobs?run=day&state=queued").text
    problem = get_page(client, "/jobs?where=banana+%3D+1", 422)
    assert "banana" in problem.root.all("pre", role="alert")[0].text
    assert "There is no run called" in get_page(client, "/jobs?run=nope", 422).text


def test_search_leads_straight_to_the_job(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    hand_in(engine, settings, ["one", "two"], name="day")
    assert client.get("/jobs?q=day-1").headers["location"] == "/jobs/2"
    assert client.get("/jobs?q=day/day-0").headers["location"] == "/jobs/1"
    assert "There is no job" in get_page(client, "/jobs?q=nothing", 422).text
    # when: another run has the same message
    hand_in(engine, settings, ["three"], name="again")
    do(engine, "INSERT INTO jobs (run_id, message_id) VALUES (2, 1)")
    # then
    assert set(jobs_on(get_page(client, "/jobs?q=day-0"))) == {1, 4}
    assert client.get("/jobs?q=day/day-0").headers["location"] == "/jobs/1"


def test_the_receipt_answers_why_at_a_glance(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, [f"Complicated case number {n}" for n in range(150)], name="day")
    with working(settings) as runtime:
        drain(runtime)
    climbed = one(
        engine,
        "SELECT e.job_id, e.from_tier, e.to_tier, a.confidence FROM escalations AS e"
        " JOIN attempts AS a ON a.job_id = e.job_id AND a.fence = e.fence"
        " WHERE e.reason = 'low_confidence' AND e.to_tier <> 'person' ORDER BY e.id LIMIT 1",
    )
    # when
    page = get_page(client, f"/jobs/{climbed.job_id}")
    # then
    (why,) = page.root.all("section", cls="story")
    assert (
        f"from {climbed.from_tier} to {climbed.to_tier}, because it was {climbed.confidence:.2f}"
        " sure, and 0.70 is asked" in why.text
    )
    attempts = one(engine, "SELECT count(*) FROM attempts WHERE job_id = :j", j=climbed.job_id)[0]
    cost = one(engine, "SELECT sum(cost) FROM calls WHERE job_id = :j", j=climbed.job_id)[0]
    assert f"{attempts} attempts, " in why.text
    assert f"It cost ${cost:.4f}." in why.text
    (timeline,) = page.root.all("ol", cls="timeline")
    assert len(timeline.all("li")) == attempts + 2


def test_text_is_hidden_until_an_operator_asks_and_the_asking_is_audited(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, [SECRET], name="day", subject="Eaten card", metadata={"vip": "yes!"})
    with working(settings) as runtime:
        drain(runtime)
    reply = one(engine, "SELECT reply FROM results")[0]
    for path in PATHS:
        html = client.get(path).text
        assert [word for word in (SECRET, reply, "Eaten card", "yes!") if word in html] == [], path
    # when
    form = get_page(client, "/jobs/1").form("/jobs/1")
    shown = client.post("/jobs/1", data=form)
    # then
    assert SECRET in shown.text
    assert reply[:40] in Page(shown.text).text
    assert shown.headers["cache-control"] == "no-store"
    event = one(engine, "SELECT actor, action, target, affected FROM audit_events")
    assert tuple(event) == ("local", "read text", "job 1", 1)
    assert "read text job 1" in get_page(client, "/audit").text
    assert client.post("/jobs/1", data={}).status_code == 403


def test_a_viewer_sees_no_text_and_no_buttons(
    database_url: str, engine: Engine, settings: Settings
) -> None:
    # given
    users = {"bob": {"password": hash_password("viewer's word"), "role": "viewer"}}
    seen = settings_for(database_url, "http://127.0.0.1:1", dashboard={"users": users})
    hand_in(engine, settings, [SECRET], name="day")
    do(engine, REVIEW, id=1)
    with dashboard(seen) as url, browsing(url) as viewer:
        viewer.post("/login", data={"name": "bob", "password": "viewer's word"})
        # when
        pages = [get_page(viewer, path) for path in (*PATHS, "/actions/cancel?run=day")]
        refused = viewer.post("/jobs/1", data=pages[0].form("/logout"))
    # then
    assert refused.status_code == 403
    assert {page.root.all("body")[0].attributes["class"] for page in pages} == {"viewer"}
    assert {f.attributes["action"] for p in pages for f in p.root.all("form", method="post")} == {
        "/logout"
    }
    assert not any(SECRET in page.html for page in pages)
    assert one(engine, "SELECT count(*) FROM audit_events WHERE action = 'read text'")[0] == 0


def test_hostile_text_is_shown_and_does_nothing(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, [HOSTILE, "x"], name="day", subject=HOSTILE, metadata={"k": HOSTILE},
            channel=HOSTILE)  # fmt: skip
    with working(settings) as runtime:
        drain(runtime)
    bad: dict[str, Any] = {"bad": HOSTILE}
    do(engine, "UPDATE messages SET external_id = :bad WHERE id = 1", **bad)
    do(engine, "UPDATE runs SET name = :bad, state_reason = :bad", **bad)
    do(engine, "UPDATE results SET reply = :bad", **bad)
    do(engine, "UPDATE calls SET output = :bad, error = :bad", **bad)
    do(engine, "UPDATE attempts SET reasons = ARRAY[:bad], outcome = 'rejected'", **bad)
    do(engine, LETTERS, why=HOSTILE, ids=[2])
    do(engine, "UPDATE jobs SET state = 'review', reason = :bad WHERE id = 1", **bad)
    do(engine, PAUSED, **bad)
    do(engine, AUDITED, **bad)
    # when
    shown = client.post("/jobs/1", data=get_page(client, "/jobs/1").form("/jobs/1"))
    pages = [client.get(path) for path in (*PATHS, "/audit?done=1")] + [shown]
    # then
    assert [page.status_code for page in pages] == [200] * len(pages)
    for page in pages:
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert not set("\x1b\u202e\u2066") & set(page.text)
        policy = page.headers["content-security-policy"]
        assert ("script-src 'self';" in policy, "unsafe" in policy) == (True, False)
        parsed = Page(page.text)
        assert {s.attributes["src"] for s in parsed.root.all("script")} == {"/static/rung.js"}
        assert not re.search(r"<[^>]+\s(on\w+|style)=", page.text)
    assert "\\x202egnp.exe" in shown.text


def test_dead_letters_are_grouped_by_cause_and_listed(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, [f"day {n}" for n in range(70)], name="day")
    do(engine, LETTERS, why="too_long", ids=list(range(1, 61)))
    do(engine, LETTERS, why="the API said: no", ids=[61, 62])
    # when
    page = get_page(client, "/dead")
    # then
    assert "62 dead letters" in page.text
    causes = page.root.all("table")[0].all("tbody")[0].all("tr")
    assert [row.text.split(" day")[0] for row in causes] == ["60 too long", "2 the API said: no"]
    older = next(link for link in page.links() if "before=" in link)
    assert jobs_on(page) + jobs_on(get_page(client, older)) == list(range(62, 0, -1))
    (cause,) = [x for x in page.links() if x.startswith("/dead?") and "API" in x]
    assert jobs_on(get_page(client, cause)) == [62, 61]
    assert "Dead letters 62" in page.text
    assert (
        "No message has ended as a dead letter in this run" in get_page(client, "/dead?run=99").text
    )


def test_a_verdict_is_given_on_the_page(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, ["Where is my card?"], name="day")
    do(engine, REVIEW, id=1)
    assert jobs_on(get_page(client, "/review")) == [1, 1]
    form = get_page(client, "/jobs/1").form("/jobs/1/verdict")
    # when
    refused = client.post("/jobs/1/verdict", data={**form, "verdict": "edit"})
    taken = client.post(
        "/jobs/1/verdict", data={**form, "verdict": "edit", "reply": "It is on\r\nits way."}
    )
    # then
    assert (refused.status_code, taken.status_code) == (422, 303)
    assert "An edit needs the reply" in Page(refused.text).text
    said = one(engine, "SELECT verdict, reply, reviewer FROM reviews")
    assert tuple(said) == ("edit", "It is on\nits way.", "local")
    assert "Verdict on job 1: edited." in get_page(client, taken.headers["location"]).text
    # what is decided waits for nobody
    assert "Nothing waits for a person" in get_page(client, "/review").text
    job = get_page(client, "/jobs/1").text
    assert "Edited by local" in job
    assert "local wrote the reply that goes out." in job
    assert "It is on" not in job
