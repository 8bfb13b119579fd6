"""The dashboard in Debian's Chromium: every page, no console errors, live, phone, dark, keyboard.

Skipped, loudly, where there is no browser: `apt-get install chromium`.
"""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.chromium import BODIES, CLIPPED, NEEDED, Visit
from tests.support.promises import do, one
from tests.support.works import drain, hand_in, working
from worker.config.settings import Settings

pytestmark = NEEDED
PAGES = {
    "/": "Nothing is under way", "/runs": "Runs", "/runs/day": "day", "/jobs": "Jobs",
    "/jobs?run=day&climbed=1": "Jobs", "/jobs/1": "day-0", "/dead": "2 dead letters",
    "/review": "1 message for review", "/workers": "Workers", "/audit": "Audit",
    "/hand-over": "The file, as the helpdesk exports it",
    "/actions/pause?tier=opus": "Pause the queue opus", "/actions/priority?run=open": "Change",
    "/actions/cancel?run=open": "Cancel open",
}  # fmt: skip


@pytest.mark.parametrize(("widths", "scheme"), [((1440, 1024), "light"), ((390, 360), "dark")])
@pytest.mark.usefixtures("worked")
def test_every_page_fits_and_complains_of_nothing(
    chromium: Any, url: str, engine: Engine, widths: Sequence[int], scheme: str
) -> None:
    # given
    for statement in CROWDED:
        do(engine, statement)
    visit = Visit(chromium, url, color_scheme=scheme)
    colours = set()
    for path in PAGES:
        # when
        visit.page.goto(path)
        for width in widths:
            visit.page.set_viewport_size({"width": width, "height": 800})
            # then
            wide = visit.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} wide"
            assert visit.page.evaluate(CLIPPED) == [], f"{path} at {width}"
            assert visit.page.evaluate(SMALL_TARGETS) == [], path
        assert visit.page.locator("main h1").count() == 1, path
        assert visit.page.get_by_text("Simulated.", exact=True).is_visible(), path
        colours.add(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    (colour,) = colours
    assert (sum(map(int, re.findall(r"\d+", colour))) < 200) == (scheme == "dark")
    visit.close()


CROWDED = (
    """INSERT INTO run_counts (run_id, state, tier, jobs)
    SELECT r.id, s.state, s.tier, 188888 FROM runs AS r CROSS JOIN (VALUES
      ('queued', ''), ('submitted', ''), ('dead', ''), ('cancelled', ''), ('answered', 'haiku'),
      ('dead', 'haiku'), ('submitted', 'haiku'), ('review', 'opus')) AS s (state, tier)
    ON CONFLICT (run_id, state, tier) DO UPDATE SET jobs = excluded.jobs""",
    """INSERT INTO run_escalations (run_id, from_tier, to_tier, reason, escalations)
    SELECT r.id, 'haiku', s.up, s.why, 38888 FROM runs AS r CROSS JOIN (VALUES
      ('sonnet', 'low_confidence'), ('opus', 'placeholder'), ('person', 'refused:cyber'),
      ('opus', 'truncated')) AS s (up, why)
    ON CONFLICT (run_id, from_tier, to_tier, reason) DO UPDATE SET escalations = 38888""",
)
"""Figures as wide as they come, at every place of the ladder."""
SMALL_TARGETS = """
[...document.querySelectorAll('button, .button')]
  .filter(e => e.offsetParent && (e.offsetHeight < 24 || e.offsetWidth < 24))
  .map(e => e.textContent)
"""


def test_the_first_page_follows_a_run_by_itself(
    chromium: Any, url: str, engine: Engine, settings: Settings
) -> None:
    # given
    visit = Visit(chromium, url)
    visit.page.goto("/")
    visit.page.get_by_text("Nothing has been submitted yet.").wait_for()
    # when
    hand_in(engine, settings, BODIES, name="day")
    # then
    visit.page.get_by_text("0 of 60 messages are done").wait_for()
    visit.page.get_by_text("No worker is running, and 60 messages wait.").wait_for()
    # when
    with working(settings) as runtime:
        drain(runtime)
    # then
    visit.page.get_by_text("The last run, day, has ended").wait_for()
    answered = one(engine, "SELECT count(*) FROM jobs WHERE state = 'answered'")[0]
    shown = visit.page.locator(".ladder svg:visible").get_attribute("aria-label")
    stopped = sum(int(n) for n in re.findall(r"(\d+) answered", shown))
    assert stopped == answered
    assert "The last run, day, has ended" in visit.page.title()
    visit.close()


@pytest.mark.usefixtures("worked")
def test_what_has_the_focus_keeps_it_while_the_page_changes(
    chromium: Any, url: str, engine: Engine
) -> None:
    # given
    visit = Visit(chromium, url, reduced_motion="reduce")
    visit.page.goto("/")
    visit.page.locator("#pulse", has_text="live").wait_for()
    assert visit.page.evaluate("document.getAnimations().length") == 0
    button = visit.page.get_by_role("link", name="Pause sonnet")
    button.focus()
    # when
    do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = 61")
    visit.page.get_by_text("1 of 60 messages is done").wait_for()
    # then
    focused = visit.page.evaluate("document.activeElement.getAttribute('href')")
    assert focused == "/actions/pause?tier=sonnet"
    visit.close()


@pytest.mark.usefixtures("worked")
def test_the_keyboard_alone_pauses_a_queue_and_takes_it_back(
    chromium: Any, url: str, engine: Engine
) -> None:
    # given
    visit = Visit(chromium, url)
    page = visit.page
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    for keys, heading in (
        ("ge", "Deliveries"),
        ("gd", "2 dead letters"),
        ("gn", "messages are done"),
    ):
        # when
        page.keyboard.type(keys)
        # then
        page.locator("h1", has_text=heading).wait_for()
    # when
    page.get_by_role("link", name="Pause haiku").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/actions/**")
    page.locator("[name=because]:focus").wait_for()
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    # then
    page.get_by_text("haiku is paused.").wait_for()
    assert one(engine, "SELECT paused_reason FROM tiers WHERE name = 'haiku'")[0] == "by keyboard"
    # when
    page.get_by_role("link", name="Undo").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Resume the queue haiku").focus()
    page.keyboard.press("Enter")
    # then
    page.get_by_text("haiku goes on.").wait_for()
    assert one(engine, "SELECT paused FROM tiers WHERE name = 'haiku'")[0] is False
    visit.close()


@pytest.mark.usefixtures("worked")
def test_text_is_masked_shown_and_harmless(chromium: Any, url: str, engine: Engine) -> None:
    # given
    hostile = "<img src=x onerror=\"document.title='owned'\"><script>alert(1)</script>"
    do(engine, "UPDATE messages SET body = :body WHERE id = 4", body=hostile)
    do(engine, "UPDATE results SET reply = :body WHERE job_id = 4", body=hostile)
    visit = Visit(chromium, url)
    visit.page.goto("/jobs/4")
    assert "onerror" not in visit.page.content()
    # when
    visit.page.get_by_role("button", name="Show the text").click()
    # then
    shown = visit.page.locator("pre.text")
    assert [shown.nth(n).inner_text() for n in (0, 1)] == [hostile, hostile]
    assert visit.page.title() == "day-3 – Rung"
    # when
    visit.page.get_by_label("Send the best effort as it is").check()
    visit.page.get_by_role("button", name="Give the verdict").click()
    # then
    visit.page.get_by_text("Verdict on job 4: accepted.").wait_for()
    visit.close()


@pytest.mark.usefixtures("worked")
def test_it_works_without_scripts_and_prints(chromium: Any, url: str) -> None:
    visit = Visit(chromium, url, java_script_enabled=False)
    visit.page.goto("/")
    visit.page.get_by_role("link", name="Pause opus").click()
    visit.page.get_by_role("button", name="Pause the queue opus").click()
    assert visit.page.get_by_text("opus is paused.", exact=True).is_visible()
    visit.page.emulate_media(media="print")
    assert not visit.page.locator("nav").is_visible()
    assert visit.page.locator(".ladder svg.wide").is_visible()
    visit.close()
