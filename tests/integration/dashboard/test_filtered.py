"""What is done to jobs that a filter chooses, and draining: what a preview has counted is what is
changed, never more, and fewer only where jobs ended meanwhile, which is said."""

from decimal import Decimal
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, text

from tests.support.pages import Page
from tests.support.promises import do, one
from tests.support.works import drain, hand_in, working
from worker.config.settings import Settings
from worker.store.actions import glances
from worker.store.queue.dispatch import dispatch

BODIES = [f"Where is my card number {n}?" for n in range(30)]
KILL = """
UPDATE jobs SET state = 'dead', tier = 'haiku', reason = 'schema', finished_at = now(), cost = 0.01
WHERE id = ANY(:ids)
"""


def preview(client: httpx2.Client, action: str, **query: Any) -> Page:
    answer = client.get(f"/actions/{action}", params=query)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def press(client: httpx2.Client, action: str, page: Page) -> httpx2.Response:
    return client.post(f"/actions/{action}", data=page.form(f"/actions/{action}"))


def after(client: httpx2.Client, action: str, page: Page) -> Page:
    answer = press(client, action, page)
    assert answer.status_code == 303, answer.text
    return Page(client.get(answer.headers["location"]).text)


def counted(page: Page) -> int:
    (found,) = page.root.all("dl", cls="figures")
    return int(found.all("div")[0].all("dd")[0].text)


def event(engine: Engine) -> tuple[Any, ...]:
    row = one(engine, "SELECT action, target, affected, detail FROM audit_events ORDER BY id DESC")
    return tuple(row)


def test_the_list_of_jobs_leads_to_actions_on_what_it_shows(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    hand_in(engine, settings, BODIES, name="day")
    page = Page(client.get("/jobs", params={"state": "queued", "run": "day"}).text)
    links = [link for link in page.links() if link.startswith("/actions/")]
    assert [link.split("?")[0] for link in links] == [
        "/actions/cancel", "/actions/priority", "/actions/budget"
    ]  # fmt: skip
    assert counted(Page(client.get(links[0]).text)) == 30
    assert not [x for x in Page(client.get("/jobs").text).links() if x.startswith("/actions/")]


def test_a_cancel_while_workers_run_adds_up_to_what_was_counted(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    hand_in(engine, settings, BODIES, name="night")
    with working(settings) as runtime:
        drain(runtime, rounds=1)
        page = preview(client, "cancel", where="run = day")
        before = counted(page)
        # when
        drain(runtime, rounds=1)
        hand_in(engine, settings, BODIES[:5], name="later")
        done = after(client, "cancel", page)
    # then
    action, target, affected, detail = event(engine)
    ended = "SELECT count(*) FROM jobs WHERE run_id = 1 AND state IN ('answered', 'review')"
    cancelled = one(engine, "SELECT count(*) FROM jobs WHERE state = 'cancelled'")[0]
    assert (action, target, detail["counted"]) == ("cancel", "run = day", before)
    assert affected == cancelled == 30 - one(engine, ended)[0]
    assert before >= affected
    assert f"{affected} jobs of run = day: cancelled." in done.text.replace("1 job ", "1 jobs ")
    assert (f"{before - affected} more were counted" in done.text) is (before > affected)
    others = one(engine, "SELECT count(*) FROM jobs WHERE run_id > 1 AND state = 'cancelled'")
    assert others[0] == 0


def test_a_retry_by_a_filter_opens_what_was_counted_while_more_die(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    do(engine, KILL, ids=[1, 2, 3])
    page = preview(client, "retry", where="reason contains schema")
    assert counted(page) == 3
    # when
    do(engine, KILL, ids=[4, 5])
    done = after(client, "retry", page)
    # then
    assert "3 jobs of reason contains schema: tried again." in done.text
    dead = one(engine, "SELECT array_agg(id ORDER BY id) FROM jobs WHERE state = 'dead'")[0]
    assert dead == [4, 5]
    assert event(engine)[2] == 3


def test_a_set_that_has_grown_is_left_alone(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given: a filter that jobs can come to meet, and not only leave
    hand_in(engine, settings, BODIES, name="day")
    move = "UPDATE jobs SET state = 'routed', tier = 'opus' WHERE id = ANY(:ids)"
    do(engine, move, ids=[1, 2])
    page = preview(client, "cancel", where="tier = opus")
    # when
    do(engine, move, ids=[3])
    refused = press(client, "cancel", page)
    # then
    assert refused.status_code == 409
    assert "It was 2 jobs when they were counted, and would be 3 now." in refused.text
    state = (
        "SELECT count(*) FILTER (WHERE state = 'cancelled'), (SELECT count(*) FROM audit_events)"
    )
    assert tuple(one(engine, f"{state} FROM jobs")) == (0, 0)


def test_chosen_jobs_go_before_the_others_of_their_run(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day", channel="chat")
    do(engine, "UPDATE messages SET channel = 'email' WHERE id IN (20, 25)")
    do(engine, "UPDATE jobs SET available_at = now() - interval '5 minutes' WHERE id = 7")
    asked = preview(client, "priority", where="channel = email")
    assert asked.form("/actions/priority", "get") == {"where": "channel = email", "to": "10"}
    page = preview(client, "priority", where="channel = email", to=10)
    # when
    done = after(client, "priority", page)
    # then
    assert "The priority of 2 jobs is 10 now (channel = email)." in done.text
    assert event(engine)[3] == {"from": 0, "to": 10, "counted": 2}
    now = Page(client.get("/").text)
    (routing,) = [row for row in now.rows("queues") if row[""] == "routing"]
    assert routing["oldest wait"] == "5 min"
    with working(settings) as runtime:
        do(runtime.engine, "UPDATE workers SET capacity = '{\"routing\": 1}'")
        (chunk,) = dispatch(runtime.engine, chunk=25, redispatch_s=60)
    assert sorted(chunk.ids) == [20, 25]


def test_the_budget_of_all_runs_that_a_filter_meets(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    for name, cap in (("day", 1), ("night", 2), ("over", 3)):
        hand_in(engine, settings, BODIES[:2], name=name, cap=Decimal(cap))
    do(engine, "UPDATE runs SET state = 'finished', finished_at = now() WHERE name = 'over'")
    do(engine, "UPDATE budgets SET spent = 0.5 WHERE run_id = 1")
    low = client.get("/actions/budget", params={"where": "state = queued", "to": "0.2"})
    assert (low.status_code, "$0.5000 already" in low.text) == (422, True)
    page = preview(client, "budget", where="state = queued", to=7)
    assert counted(page) == 2
    assert "day and night: the budget of each becomes $7.00." in page.text
    # when
    done = after(client, "budget", page)
    # then
    assert "The budget of 2 runs is $7.00 now (state = queued)." in done.text
    caps = one(engine, "SELECT array_agg(cap::int ORDER BY run_id) FROM budgets WHERE run_id > 0")
    assert caps[0] == [7, 7, 3]


def test_a_budget_is_for_the_runs_that_are_known_only_after_all_were_looked_at(
    client: httpx2.Client, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    for name in ("day", "night"):
        hand_in(engine, settings, BODIES[:4], name=name)
    do(engine, "UPDATE jobs SET difficulty = 'SIMPLE' WHERE id IN (1, 8)")
    monkeypatch.setattr(glances, "RUNS_LOOKED_AT", 4)
    where = {"where": "difficulty = SIMPLE", "to": "7"}
    # when
    first = preview(client, "budget", **where)
    # then
    assert "at least 1" in first.root.all("dl", cls="figures")[0].text
    assert "In 1 run with open messages none of the newest is meant." in first.text
    assert not first.root.all("form", action="/actions/budget")
    form = preview(client, "pause", tier="haiku").form("/actions/pause")
    refused = client.post("/actions/budget", data={**form, **where})
    assert (refused.status_code, "count them all" in refused.text) == (422, True)
    assert "of each run" in preview(client, "budget", where="difficulty = SIMPLE").text
    # when
    (counting,) = [link for link in first.links() if "count=all" in link]
    whole = Page(client.get(f"/actions/budget{counting}").text)
    done = after(client, "budget", whole)
    # then
    assert "The budget of 2 runs is $7.00 now" in done.text


def test_a_drained_tier_takes_back_what_was_not_begun(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    do(engine, "UPDATE jobs SET lease_until = now() + interval '1 minute' WHERE id <= 4")
    do(engine, "INSERT INTO dispatches (job_id, queue) SELECT id, queue FROM jobs WHERE id > 4")
    page = preview(client, "drain", tier="haiku")
    assert counted(page) == 26
    assert "4 calls in flight will end and be recorded" in page.text
    # when
    done = after(client, "drain", page)
    # then
    assert "haiku begins nothing new and runs empty." in done.text
    (haiku,) = [row for row in done.rows("queues") if row[""] == "haiku"]
    assert haiku["state"] == "draining drained by hand"
    marks = "SELECT count(*) FROM dispatches"
    assert (one(engine, marks)[0], event(engine)[:3]) == (0, ("drain", "haiku", 26))
    # when
    do(engine, "UPDATE jobs SET lease_until = NULL")
    (haiku,) = [x for x in Page(client.get("/").text).rows("queues") if x[""] == "haiku"]
    assert haiku["state"] == "paused drained by hand"
    (notice,) = done.root.all("div", cls="notice")
    back = Page(client.get(notice.all("a")[0].attributes["href"]).text)
    # then
    assert "haiku goes on." in after(client, "resume", back).text


def test_a_preview_says_what_it_does_to_deadlines(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    hand_in(engine, settings, BODIES, name="day")
    hand_in(engine, settings, BODIES, name="night")
    do(engine, "UPDATE runs SET deadline = now() + interval '1 hour' WHERE name = 'day'")
    do(engine, "UPDATE runs SET deadline = now() - interval '1 hour' WHERE name = 'night'")
    for action in ("pause", "drain"):
        words = preview(client, action, tier="haiku").text
        assert "day must be done by" in words
        assert "30 of its messages are still open. As things are now: late: its deadline" in words
    assert "night will be served sooner." in preview(client, "cancel", run="day").text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("pause?where=state+%3D+dead", 422),
        ("cancel?where=stat+%3D+dead", 422),
        ("cancel?where=state+%3D+queued&run=nope", 404),
        ("priority?where=state+%3D+queued&to=1000", 422),
        ("drain?run=day", 422),
        ("drain?tier=nope", 404),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: httpx2.Client, engine: Engine, settings: Settings, address: str, status: int
) -> None:
    hand_in(engine, settings, BODIES[:1], name="day")
    assert client.get(f"/actions/{address}").status_code == status
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_events")).scalar() == 0


def test_of_many_it_is_said_how_many_at_least_and_all_are_counted_before_the_deed(
    client: httpx2.Client, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    do(engine, KILL, ids=[1, 2, 3, 4, 5])
    monkeypatch.setattr(glances, "OPEN_LOOKED_AT", 10)
    monkeypatch.setattr(glances, "DEAD_LOOKED_AT", 2)
    where = {"where": "state = queued"}
    # when
    first = preview(client, "cancel", **where)
    # then: there is nothing to press, and who goes without is told what to do
    assert "at least 10" in first.root.all("dl", cls="figures")[0].text
    assert "The newest 10 were looked at; there are 25 open messages." in first.text
    assert not first.root.all("form", action="/actions/cancel")
    assert "at least 2" in preview(client, "retry", where="reason = schema").text
    assert "at least 10" in preview(client, "priority", to="5", **where).text
    form = preview(client, "pause", tier="haiku").form("/actions/pause")
    refused = client.post("/actions/cancel", data={**form, **where})
    assert (refused.status_code, "count them all" in refused.text) == (422, True)
    # when
    (counting,) = [link for link in first.links() if "count=all" in link]
    whole = Page(client.get(f"/actions/cancel{counting}").text)
    assert counted(whole) == 25
    done = after(client, "cancel", whole)
    # then
    assert "25 jobs of state = queued: cancelled." in done.text
    assert event(engine)[2] == 25
