"""Every action in Debian's Chromium: preview, deed, what the page and SQL say then, and the way
back; and hostile words wherever words are shown."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.chromium import BODIES, NEEDED, Visit
from tests.support.guarding import USERS
from tests.support.promises import do, one
from tests.support.web import dashboard
from tests.support.works import drain, hand_in, working
from worker.config.settings import Settings
from worker.store.actions import glances

pytestmark = NEEDED
HOSTILE = "<script>document.title='owned'</script><b>x</b>\u202egnp.exe\u2066 \x1b[31mred\x07"
RAW = re.compile("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]")


def press(visit: Visit, link: str, button: str | re.Pattern[str], **fields: str) -> None:
    """Follows a link to a preview, fills what it asks for, looks, and presses its button."""
    visit.page.get_by_role("link", name=link, exact=True).first.click()
    visit.page.wait_for_url("**/actions/**")
    for label, value in fields.items():
        visit.page.get_by_label(re.compile(label)).fill(value)
        visit.page.get_by_role("button", name="What would it do?").click()
    visit.page.get_by_text("It is written to the audit.").wait_for()
    visit.page.get_by_role("button", name=button).click()
    visit.page.locator(".notice").wait_for()


def undo(visit: Visit) -> None:
    """Follows the way back, and presses the button there."""
    visit.page.get_by_role("link", name="Undo").click()
    visit.page.get_by_text("It is written to the audit.").wait_for()
    visit.page.locator("form[method=post] button").last.click()
    visit.page.locator(".notice").wait_for()


def said(visit: Visit) -> str:
    """What the page says was done."""
    return str(visit.page.locator(".notice p").inner_text())


@pytest.mark.usefixtures("worked")
def test_queues_are_paused_drained_and_resumed(chromium: Any, url: str, engine: Engine) -> None:
    visit = Visit(chromium, url)
    state = "SELECT paused FROM tiers WHERE name = :name"
    for link, button, name, words in (
        ("Pause haiku", "Pause the queue haiku", "haiku", "haiku is paused."),
        ("Drain sonnet", "Drain the queue sonnet", "sonnet", "sonnet begins nothing new"),
        ("Pause everything", "Pause every queue", "everything", "everything is paused."),
    ):
        # when
        visit.page.goto("/")
        press(visit, link, button)
        # then
        assert words in said(visit)
        assert one(engine, state, name=name)[0] is True
        visit.page.locator(".troubles li").first.wait_for()
        # when
        undo(visit)
        # then
        assert f"{name} goes on." in said(visit)
        assert one(engine, state, name=name)[0] is False
    visit.close()


@pytest.mark.usefixtures("worked")
def test_a_run_is_paused_put_first_given_money_and_cancelled(
    chromium: Any, url: str, engine: Engine
) -> None:
    # given
    visit = Visit(chromium, url)
    run = "SELECT state, priority, budget_cap FROM runs WHERE name = 'open'"
    visit.page.goto("/runs/open")
    # when
    press(visit, "Pause", "Pause open")
    assert one(engine, run)[0] == "paused"
    undo(visit)
    assert one(engine, run)[0] == "active"
    press(visit, "Priority", re.compile("Change the priority"), priority="7")
    assert (said(visit), one(engine, run)[1]) == ("The priority of run open is 7 now.", 7)
    undo(visit)
    assert one(engine, run)[1] == 0
    press(visit, "Budget", re.compile("Change the budget"), budget="12.5")
    assert (said(visit), one(engine, run)[2]) == ("The budget of run open is $12.50 now.", 12.5)
    undo(visit)
    assert one(engine, run)[2] is None
    visit.page.get_by_role("link", name="Cancel", exact=True).click()
    visit.page.get_by_text("60 open messages will end without an answer").wait_for()
    visit.page.get_by_role("button", name="Cancel open").click()
    # then
    visit.page.locator(".notice").wait_for()
    assert said(visit) == "60 jobs of run open: cancelled."
    assert not visit.page.get_by_role("link", name="Undo").count()
    cancelled = "SELECT count(*) FROM jobs WHERE state = 'cancelled' AND run_id = 2"
    assert (one(engine, run)[0], one(engine, cancelled)[0]) == ("cancelled", 60)
    visit.page.goto("/audit")
    assert visit.page.locator("tbody tr").count() == 7
    visit.close()


@pytest.mark.usefixtures("worked")
def test_dead_letters_are_retried_by_cause_and_by_filter(
    chromium: Any, url: str, engine: Engine
) -> None:
    visit = Visit(chromium, url)
    visit.page.goto("/dead")
    press(visit, "Retry these", "Retry dead letters of day")
    assert said(visit) == "2 jobs of run day: tried again."
    assert one(engine, "SELECT count(*) FROM jobs WHERE state = 'dead'")[0] == 0
    # when
    visit.page.goto("/jobs")
    visit.page.get_by_label("Where").fill("external_id in (open-1, open-2)")
    visit.page.get_by_role("button", name="Show").click()
    assert "where=external_id" in visit.page.url
    press(visit, "Their priority", re.compile("Change the priority"), priority="9")
    assert "The priority of 2 jobs is 9 now" in said(visit)
    press(visit, "Budget of their runs", re.compile("Change the budget"), budget="30")
    assert "The budget of 1 run is $30.00 now" in said(visit)
    press(visit, "Cancel those that are open", re.compile("Cancel jobs"))
    # then
    assert "2 jobs of external_id in (open-1, open-2): cancelled." in said(visit)
    found = one(engine, "SELECT array_agg(state), max(priority) FROM jobs WHERE id IN (62, 63)")
    assert tuple(found) == (["cancelled", "cancelled"], 9)
    visit.close()


def test_a_run_is_followed_on_a_phone_while_it_proceeds(
    chromium: Any, url: str, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    visit = Visit(chromium, url, **phone)
    visit.page.goto("/runs/day")
    visit.page.get_by_text("0 of 60 messages are done").wait_for()
    with working(settings) as runtime:
        # when
        drain(runtime, rounds=2)
        ended = one(engine, "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL")[0]
        # then
        visit.page.get_by_text(f"{ended} of 60 messages are done").wait_for()
        drain(runtime)
    visit.page.get_by_text("60 of 60 messages are done").wait_for()
    spent = one(engine, "SELECT sum(cost) FROM calls")[0]
    visit.page.get_by_text(f"${spent:.4f}").first.wait_for()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    visit.close()


@pytest.mark.usefixtures("worked")
def test_many_are_counted_by_themselves_before_there_is_a_button(
    chromium: Any, url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a look that is quick, and a count that takes a while
    monkeypatch.setattr(glances, "OPEN_LOOKED_AT", 10)
    visit, held = Visit(chromium, url), list[Any]()
    visit.page.route("**/*count=all*", lambda route: held.append(route))
    # when
    visit.page.goto("/actions/cancel?where=state+%3D+queued")
    # then
    visit.page.get_by_role("status").get_by_text("Counting…").wait_for()
    assert "at least 10" in visit.page.locator("main").inner_text()
    assert not visit.page.locator("main form").count()
    # when
    held[0].continue_()
    visit.page.get_by_role("button", name="Cancel jobs: state = queued").click()
    # then
    visit.page.locator(".notice").wait_for()
    assert said(visit).startswith("60 jobs of state = queued: cancelled.")
    visit.close()


@pytest.mark.usefixtures("worked")
def test_hostile_words_are_shown_and_obeyed_nowhere(
    chromium: Any, url: str, engine: Engine
) -> None:
    # given
    for statement in (
        "UPDATE runs SET name = :words, state_reason = :words WHERE id = 2",
        "UPDATE messages SET external_id = :words, subject = :words, channel = :words,"
        " body = :words WHERE id = 4",
        "UPDATE messages SET external_id = 'again ' || :words WHERE id = 2",
        "UPDATE jobs SET reason = :words WHERE id IN (2, 4)",
        "UPDATE results SET reply = :words WHERE job_id = 4",
        "UPDATE attempts SET worker = :words, reasons = ARRAY[:words] WHERE job_id = 4",
        "UPDATE calls SET error = :words WHERE job_id = 4",
        "INSERT INTO tiers (name, paused, paused_reason, paused_by)"
        " VALUES ('opus', true, :words, :words)",
        "INSERT INTO audit_events (actor, action, target, detail)"
        " VALUES (:words, 'pause', :words, jsonb_build_object('reason', CAST(:words AS text)))",
        "UPDATE workers SET host = :words, note = :words",
    ):
        do(engine, statement, words=HOSTILE)
    visit = Visit(chromium, url)
    for path in ("/", "/runs", "/runs/2", "/jobs", "/jobs/4", "/jobs/2", "/dead", "/review",
                 "/workers", "/audit", "/actions/cancel?run=2"):  # fmt: skip
        # when
        visit.page.goto(path)
        # then
        assert "owned" not in visit.page.title() or "<script>" in visit.page.title(), path
        assert visit.page.locator("main script, main b").count() == 0, path
        assert RAW.search(visit.page.locator("body").inner_text()) is None, path
        assert RAW.search(visit.page.content()) is None, path
    visit.page.goto("/jobs/4")
    visit.page.get_by_role("button", name="Show the text").click()
    shown = visit.page.locator("pre.text").first.inner_text()
    assert shown.startswith("<script>document.title='owned'</script><b>x</b>\\x202egnp.exe")
    visit.close()


@pytest.mark.usefixtures("worked")
def test_a_viewer_signs_in_sees_everything_and_changes_nothing(
    chromium: Any, settings: Settings, engine: Engine
) -> None:
    guarded = settings.model_copy(
        update={"dashboard": type(settings.dashboard).model_validate({"users": USERS})}
    )
    with dashboard(guarded) as url:
        visit = Visit(chromium, url)
        visit.page.goto("/review")
        # when
        visit.page.get_by_label("Name").fill("bob")
        visit.page.get_by_label("Password").fill("wrong")
        visit.page.get_by_role("button", name="Sign in").click()
        visit.page.get_by_role("alert").wait_for()
        visit.wrong.clear()
        visit.page.get_by_label("Name").fill("bob")
        visit.page.get_by_label("Password").fill("viewer's word")
        visit.page.get_by_role("button", name="Sign in").click()
        # then
        visit.page.get_by_text("1 message for review").wait_for()
        visit.page.get_by_text("bob, viewer").wait_for()
        visit.page.goto("/")
        assert not visit.page.get_by_role("link", name="Pause haiku").is_visible()
        visit.page.goto("/jobs/4")
        assert not visit.page.get_by_role("button", name="Show the text").count()
        visit.page.goto("/jobs?state=dead")
        assert not visit.page.get_by_text("Cancel those that are open").count()
        visit.page.goto("/actions/pause?tier=haiku")
        assert not visit.page.locator("main button").count()
        visit.close()
    assert one(engine, "SELECT count(*) FROM audit_events")[0] == 0


@pytest.mark.usefixtures("worked")
def test_no_page_shows_what_a_customer_wrote_unasked_and_each_can_be_printed(
    chromium: Any, url: str, engine: Engine
) -> None:
    do(engine, "UPDATE messages SET body = 'SECRETWORD', subject = 'SECRETWORD'")
    do(engine, "UPDATE results SET reply = 'SECRETWORD'")
    visit = Visit(chromium, url)
    for path in ("/", "/runs", "/runs/day", "/jobs", "/jobs/4", "/dead", "/review", "/workers",
                 "/audit"):  # fmt: skip
        visit.page.goto(path)
        assert "SECRETWORD" not in visit.page.content(), path
        visit.page.emulate_media(media="print")
        assert not visit.page.locator("nav").is_visible(), path
        assert visit.page.locator("main h1").is_visible(), path
        visit.page.emulate_media(media="screen")
    visit.page.goto("/jobs/4")
    visit.page.get_by_role("button", name="Show the text").click()
    visit.page.get_by_text("SECRETWORD").first.wait_for()
    event = one(engine, "SELECT action, target FROM audit_events ORDER BY id DESC")
    assert tuple(event) == ("read text", "job 4")
    visit.close()
