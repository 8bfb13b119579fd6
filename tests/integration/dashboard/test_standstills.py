"""What stands still says so on the first page and on its run's: why, since when, with the button
that helps."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.pages import Page
from tests.support.promises import do, one
from tests.support.web import browsing, dashboard
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.settings import Settings
from worker.lanes.upkeep.budget_stops import tell_of_stops
from worker.sandbox.simulator.state import State
from worker.store.actions import holds
from worker.store.audit import Actor
from worker.store.queue.rate_holds import note_hold

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(5)]
ADA = Actor("ada")


@pytest.fixture
def settings(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Settings:
    policy = {"preset": "single:haiku"}
    return settings_for(database_url, simulator[1], redis_url=redis_url, policy=policy)


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with dashboard(settings) as address:
        yield address


def shown(url: str, *paths: str) -> list[Page]:
    with browsing(url) as client:
        return [Page(client.get(path).text) for path in paths]


def wrong(page: Page) -> list[str]:
    """What is wrong, with its buttons; clocks stand at noon, on whichever day."""
    return [
        re.sub(r"(?:\d+ \w{3} \d{4} )?\b\d\d:\d\d\b", "12:00", item.text)
        for found in page.root.all("ul", cls="troubles")
        for item in found.all("li")
    ]


def row(page: Page, queue: str) -> dict[str, str]:
    (found,) = (line for line in page.rows("queues") if line[""] == queue)
    return dict(found)


def test_a_budget_stop_says_since_when_and_how_long_the_oldest_waits(
    url: str, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day", cap=Decimal("0.000001"))
    with working(settings) as runtime:
        drain(runtime)
        make_due(engine)
        drain(runtime)
    tell_of_stops(engine)
    do(engine, "UPDATE notices SET at = now() - interval '5 minutes'")
    # when
    now, run, runs = shown(url, "/", "/runs/day", "/runs")
    # then
    assert now.root.all("h1")[0].text.startswith("Stopped by its budget. 0 of 5 messages are done")
    for page in (now, run):
        (said,) = (words for words in wrong(page) if "budget" in words)
        assert said.startswith("day is stopped by its budget since 12:00: <$0.0001 of its")
        assert said.endswith("Raise the budget")
    assert row(now, "haiku")["oldest wait"] == "5 min"
    assert row(now, "haiku")["state"] == "waits for budget"
    assert "day stopped by its budget" in run.text
    assert runs.rows("stacked")[0]["state"].startswith("stopped by its budget")


def test_what_waits_for_a_budget_is_not_called_well_while_another_run_goes_on(
    url: str, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a run without money at one queue, and another that is still to be routed
    hand_in(engine, settings, BODIES, name="day", cap=Decimal("0.000001"))
    with working(settings) as runtime:
        drain(runtime)
        make_due(engine)
        drain(runtime)
        hand_in(engine, settings, BODIES, name="other")
        monkeypatch.setenv("DATABASE_URL", settings.database_url or "")
        # when
        (now,) = shown(url, "/")
        told = {line["queue"]: line["state"] for line in say("status", "--json").document["queues"]}
        # then
        assert row(now, "haiku")["state"] == told["haiku"] == "waits for budget"
        assert row(now, "routing")["state"] == told["routing"] == "ok"
        # when one of the other waits there too
        do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku' WHERE id = 6")
        (now,) = shown(url, "/")
        # then
        assert row(now, "haiku")["state"] == "ok"


def test_a_held_queue_is_not_called_well(url: str, engine: Engine, settings: Settings) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    note_hold(engine, ["haiku"], 900.0, 1_200.0)
    # when
    now, run, form = shown(url, "/", "/runs/day", "/actions/resume?tier=haiku")
    # then
    assert ("Try haiku at once" in form.text, "held again by itself" in form.text) == (True, True)
    told = ("haiku is held since 12:00, until 12:00: Claude asked for 20 min of silence (429), and"
            " is asked again sooner; 5 messages wait. It goes on by itself then."
            " Try haiku at once")  # fmt: skip
    assert told in wrong(now)
    assert told in wrong(run)
    found = row(now, "haiku")
    assert re.fullmatch(r"held until (\d+ \w{3} \d{4} )?\d\d:\d\d", found["state"])
    assert [link.text for link in now.root.all("a") if "=haiku" in link.attributes["href"]] == [
        "Try haiku at once", "Try haiku at once"
    ]  # fmt: skip


def test_a_hold_of_one_tier_is_one_alarm_where_nothing_waits_to_be_routed(
    url: str, engine: Engine, settings: Settings, configured: None
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    with working(settings):
        note_hold(engine, ["routing", "haiku"], 900, 1_200)
        # when
        (now,) = shown(url, "/")
        # then
        held = [told for told in wrong(now) if "is held" in told]
        assert [told.split()[0] for told in held] == ["haiku"]
        assert row(now, "routing")["state"].startswith("held")
        said = say("status").err
        assert ("haiku is held" in said, "routing is held" in said) == (True, False)


def test_while_everything_is_paused_nothing_else_is_offered(
    url: str, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    hand_in(engine, settings, BODIES[:2], name="held")
    holds.pause_queue(engine, ADA, "everything", "")
    # when
    (now,) = shown(url, "/")
    # then
    headline = now.root.all("h1")[0].text
    assert headline == (
        "Nothing goes on: everything is paused. 0 of 7 messages are done, in 2 runs."
    )
    assert wrong(now)[0] == (
        "Everything is paused by ada, since 12:00: 7 messages wait. Resume everything"
    )
    hrefs = [link.attributes["href"] for link in now.root.all("a")]
    assert not [href for href in hrefs if href.startswith(("/actions/pause", "/actions/drain"))]


@pytest.mark.parametrize(("ago", "told"), [(10, 0), (60, 1)])
def test_a_batch_that_claude_has_not_confirmed_is_said(
    url: str, engine: Engine, settings: Settings, ago: int, told: int
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="night", lane="batch")
    do(engine, "INSERT INTO message_batches (stage, tier, model, requests, created_at)"
       " VALUES ('answer', 'haiku', 'claude-haiku-5-5', 5, now() - make_interval(secs => :ago))",
       ago=ago)  # fmt: skip
    # when
    pages = shown(url, "/", "/runs/night")
    # then
    for page in pages:
        said = [words for words in wrong(page) if "not confirmed 1 batch with 5 requests" in words]
        assert len(said) == told


def test_a_run_that_is_over_has_no_trouble_with_queues(
    url: str, engine: Engine, settings: Settings
) -> None:
    hand_in(engine, settings, BODIES, name="day")
    do(engine, "UPDATE runs SET state = 'cancelled', finished_at = now()")
    holds.pause_queue(engine, ADA, "haiku", "")
    run, now = shown(url, "/runs/day", "/")
    assert (wrong(run), one(engine, "SELECT count(*) FROM tiers WHERE paused")[0]) == ([], 1)
    assert "The last runs" in now.text


def test_what_waits_in_batches_adds_up_on_the_first_page_from_when_one_is_being_sent(
    url: str, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="night", lane="batch")
    do(engine, "UPDATE jobs SET state = 'submitted'")
    do(engine, "INSERT INTO message_batches (stage, tier, model, requests, state) VALUES"
       " ('answer', 'haiku', 'claude-haiku-5-5', 3, 'intended'),"
       " ('answer', 'haiku', 'claude-haiku-5-5', 2, 'ended')")  # fmt: skip
    do(engine, "INSERT INTO message_batches (stage, tier, model, requests, state, submitted_at,"
       " next_poll_at) VALUES ('answer', 'haiku', 'claude-haiku-5-5', 5, 'submitted',"
       " now() - interval '7 minutes', now() + interval '30 seconds'),"
       " ('answer', 'haiku', 'claude-haiku-5-5', 9, 'recorded', now(), now())")  # fmt: skip
    # when
    (now,) = shown(url, "/")
    # then
    said = re.search(r"5 messages in 3 batches \(1 being sent, 1 at Claude, 1 being read\); the"
                     r" oldest was sent at \d\d:\d\d, 7 min ago; next look in (30|29) s",
                     now.text)  # fmt: skip
    assert said is not None
    assert "5 not yet routed, all in batches" in now.text


def test_workers_that_are_gone_are_gone_since_then(
    url: str, engine: Engine, settings: Settings
) -> None:
    hand_in(engine, settings, BODIES, name="day")
    with working(settings):
        do(engine, "UPDATE workers SET seen_at = now() - interval '5 minutes'")
        pages = shown(url, "/", "/runs/day")
    for page in pages:
        (said,) = [words for words in wrong(page) if words.startswith("No worker is")]
        assert said.startswith("No worker is running since 12:00, and 5 messages wait. Start one")
