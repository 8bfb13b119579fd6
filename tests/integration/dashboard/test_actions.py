"""Actions on screen: the preview's count is the effect's, also while workers run; each is audited
and can be taken back where that is possible."""

import datetime as dt
from decimal import Decimal

import httpx2
import pytest
from sqlalchemy import Engine, text

from tests.support.pages import Page
from tests.support.promises import do, one
from tests.support.works import drain, hand_in, working
from worker.config.settings import Settings
from worker.dashboard.screens.undoing import said, undo_address
from worker.store.reading.deeds import AuditEntry

BODIES = [f"Where is my card number {n}?" for n in range(20)]
KILL = """
UPDATE jobs SET state = 'dead', tier = 'haiku', reason = :why, failures = 3, finished_at = now(),
  cost = 0.01 WHERE id = ANY(:ids)
"""


def preview(client: httpx2.Client, address: str) -> Page:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def confirm(client: httpx2.Client, page: Page, **more: str) -> Page:
    """Presses the button of a preview; the page to which that leads."""
    (form,) = [
        f for f in page.root.all("form", method="post") if "/actions/" in f.attributes["action"]
    ]
    action = form.attributes["action"]
    answer = client.post(action, data={**page.form(action), **more})
    assert answer.status_code == 303, answer.text
    return preview(client, answer.headers["location"])


def figures(page: Page) -> dict[str, str]:
    (found,) = page.root.all("dl", cls="figures")
    return {pair.all("dt")[0].text: pair.all("dd")[0].text for pair in found.all("div")}


def undo(client: httpx2.Client, page: Page) -> Page:
    """Follows the notice's link, and presses the button there."""
    (notice,) = page.root.all("div", cls="notice")
    return confirm(client, preview(client, notice.all("a")[0].attributes["href"]))


def events(engine: Engine) -> list[tuple[str, str, str, int]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT actor, action, target, affected FROM audit_events ORDER BY id")
        )
        return [tuple(row) for row in rows]


def test_looking_at_a_preview_changes_nothing(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day", cap=Decimal(1))
    do(engine, KILL, ids=[1], why="schema")
    state = (
        "SELECT (SELECT md5(string_agg(j::text, '' ORDER BY id)) FROM jobs AS j),"
        " (SELECT md5(string_agg(r::text, '')) FROM runs AS r), (SELECT count(*) FROM tiers)"
    )
    before = one(engine, state)
    # when
    for address in ("pause?tier=haiku", "pause?tier=everything", "pause?run=day", "cancel?run=day",
                    "retry?run=day", "priority?run=day", "priority?run=day&to=7",
                    "budget?run=day", "budget?run=day&to=2"):  # fmt: skip
        preview(client, f"/actions/{address}")
    # then
    assert (one(engine, state), events(engine)) == (before, [])


def test_a_tier_is_paused_shown_and_resumed(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    page = preview(client, "/actions/pause?tier=haiku")
    assert figures(page) == {"messages": "20"}
    # when
    after = confirm(client, page, because="the prompt is wrong")
    # then
    queues = {row[""]: row["state"] for row in after.rows("queues")}
    assert queues["haiku"] == "paused the prompt is wrong"
    assert "haiku is paused by local, since" in after.text
    assert ": the prompt is wrong; 20 messages wait." in after.text
    with working(settings) as runtime:
        assert drain(runtime) == 0
        # when
        back = undo(client, after)
        # then
        assert "haiku goes on." in back.text
        assert drain(runtime) > 0
    assert events(engine) == [
        ("local", "pause", "haiku", 1), ("local", "resume", "haiku", 1)
    ]  # fmt: skip


def test_a_retry_opens_exactly_what_was_counted_while_more_die(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    do(engine, KILL, ids=[1, 2, 3], why="schema")
    do(engine, KILL, ids=[4, 5], why="too_long")
    do(engine, "UPDATE budgets SET spent = 0.05")
    page = preview(client, "/actions/retry?run=day&reason=schema")
    assert figures(page) == {"messages": "3", "expected spend": "$0.0300"}
    # when
    do(engine, KILL, ids=[6, 7, 8], why="schema")
    after = confirm(client, page)
    # then
    assert "3 jobs of run day: tried again." in after.text
    dead = one(engine, "SELECT array_agg(id ORDER BY id) FROM jobs WHERE state = 'dead'")[0]
    assert dead == [4, 5, 6, 7, 8]
    opened = one(engine, "SELECT DISTINCT state, tier, failures FROM jobs WHERE id <= 3")
    assert tuple(opened) == ("routed", "haiku", 0)
    assert events(engine) == [("local", "retry", "run day", 3)]


def test_a_cancel_counts_what_it_really_ended(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    page = preview(client, "/actions/cancel?run=day")
    assert figures(page)["messages"] == "20"
    # when
    with working(settings) as runtime:
        drain(runtime, rounds=1)
        do(engine, "UPDATE jobs SET state = 'answered', finished_at = now() WHERE id <= 4")
        after = confirm(client, page)
        drain(runtime)
    # then
    assert "16 jobs of run day: cancelled." in after.text
    assert after.root.all("div", cls="notice")[0].all("a") == []
    assert events(engine) == [("local", "cancel", "run day", 16)]
    again = client.post("/actions/cancel", data=page.form("/actions/cancel"))
    assert (again.status_code, "is cancelled" in again.text) == (409, True)


def test_a_run_is_put_before_another_and_back(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    hand_in(engine, settings, BODIES, name="night")
    asked = preview(client, "/actions/priority?run=night")
    assert asked.form("/actions/priority", "get") == {"run": "2", "to": "1"}
    page = preview(client, "/actions/priority?run=night&to=5")
    assert "It will be served before day." in page.text
    # when
    after = confirm(client, page)
    # then
    assert one(engine, "SELECT array_agg(priority ORDER BY id) FROM runs")[0] == [0, 5]
    undo(client, after)
    assert one(engine, "SELECT array_agg(priority ORDER BY id) FROM runs")[0] == [0, 0]


def test_a_budget_is_raised_the_run_goes_on_and_it_is_taken_back(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day", cap=Decimal("0.0001"))
    with working(settings) as runtime:
        drain(runtime)
        assert one(engine, "SELECT waiting_for FROM runs")[0] == "run budget"
        page = preview(client, "/actions/budget?run=day&to=3")
        assert "It waits for budget now, and goes on at once." in page.text
        # when
        after = confirm(client, page)
        drain(runtime)
    # then
    assert "The budget of run day is $3.00 now." in after.text
    state = one(engine, "SELECT state, waiting_for, budget_cap FROM runs")
    assert tuple(state) == ("finished", None, Decimal(3))
    assert one(engine, "SELECT cap FROM budgets WHERE run_id IS NOT NULL")[0] == Decimal(3)


def test_a_budget_below_what_is_spent_is_refused(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    hand_in(engine, settings, BODIES, name="day", cap=Decimal(5))
    do(engine, "UPDATE budgets SET spent = 2")
    refused = client.get("/actions/budget?run=day&to=1.5")
    assert refused.status_code == 422
    assert "has spent or reserved $2.00 already" in Page(refused.text).text
    page = preview(client, "/actions/budget?run=day&to=")
    after = confirm(client, page)
    assert "The budget of run day is without limit now." in after.text
    back = undo(client, after)
    assert one(engine, "SELECT cap FROM budgets WHERE run_id = 1")[0] == Decimal(5)
    assert "The budget of run day is $5.00" in back.text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/actions/dance?run=day", 404),
        ("/actions/pause?tier=nope", 404),
        ("/actions/pause", 404),
        ("/actions/cancel?run=nope", 404),
        ("/actions/resume?run=over", 409),
        ("/actions/priority?run=day&to=many", 422),
        ("/actions/priority?run=day&to=101", 422),
        ("/actions/budget?run=day&to=-1", 422),
        ("/actions/budget?run=day&to=NaN", 422),
        ("/actions/retry?run=day&until=yesterday", 422),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    client: httpx2.Client, engine: Engine, settings: Settings, address: str, status: int
) -> None:
    # given
    hand_in(engine, settings, BODIES[:1], name="day")
    hand_in(engine, settings, BODIES[:1], name="over")
    do(engine, "UPDATE runs SET state = 'finished', finished_at = now() WHERE name = 'over'")
    token = preview(client, "/actions/pause?run=day").form("/actions/pause")
    path, _, query = address.partition("?")
    given = dict(pair.split("=") for pair in query.split("&") if pair)
    # when
    looked = client.get(address)
    posted = client.post(path, data={"csrf_token": "", **token, "run": "", **given})
    # then
    assert looked.status_code == status
    assert Page(looked.text).root.all("h1")[0].text in (
        "That cannot be done", "There is no such thing"
    )  # fmt: skip
    assert (posted.status_code >= 400, events(engine)) == (True, [])


def test_every_action_says_what_was_done_and_knows_its_way_back() -> None:
    at = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)

    def event(action: str, target: str, **detail: object) -> AuditEntry:
        return AuditEntry(
            id=1,
            at=at,
            actor="kim",
            action=action,
            target=target,
            affected=2,
            detail=detail,
            now=at,
        )

    assert [undo_address(e) for e in (
        event("pause", "haiku"), event("resume", "run day & night"), event("cancel", "run day"),
        event("priority", "run day", **{"from": 3, "to": 5}),
        event("budget", "run day", **{"from": None, "to": "2"}),
    )] == [
        "/actions/resume?tier=haiku", "/actions/pause?run=day%20%26%20night", None,
        "/actions/priority?run=day&to=3", "/actions/budget?run=day&to=",
    ]  # fmt: skip
    assert said(event("cancel", "run day")) == "2 jobs of run day: cancelled."
    assert said(event("unheard of", "x")) == "x unheard of."
