"""Every page in light and dark, looked at by axe-core, which ships with the tests: no network."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.chromium import NEEDED, Visit
from tests.support.promises import do
from tests.support.web import dashboard
from worker.config.settings import Settings

pytestmark = NEEDED
AXE = Path(__file__).parents[1] / "data" / "axe" / "axe.min.js"
PAGES = (
    "/", "/hand-over", "/runs", "/runs/day", "/runs/day/sample?text=1",
    "/runs/day/sample?with=open", "/jobs",
    "/jobs?run=day&text=1&sort=cost", "/jobs?where=banana", "/jobs/1", "/jobs/4", "/dead",
    "/review", "/review/queue", "/review/queue?text=1&last=1", "/workers", "/audit",
    "/certificates", "/audits", "/runs/1/frontier", "/actions/pause?tier=opus",
    "/actions/budget?run=open", "/actions/cancel?run=open", "/no-such-page", "/deliveries",
    "/clusters", "/clusters?review=1&text=1", "/knowledge", "/knowledge/gaps", "/runs/day/sample",
)  # fmt: skip
WRONG = """
async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
  found => `${found.id}: ${found.nodes.map(node => node.html.slice(0, 120)).join(' | ')}`)
"""
HISTORY = """
INSERT INTO minutes (at, taken_at, ended, waiting, failed_calls, spent)
SELECT m, m, n * 3, 60 - n, n / 7, n * 0.01
FROM (SELECT n, date_trunc('minute', now()) - (60 - n) * interval '1 minute' AS m
  FROM generate_series(0, 60) AS n WHERE n NOT BETWEEN 20 AND 24) AS minutes
ON CONFLICT DO NOTHING
"""


@pytest.mark.usefixtures("worked")
def test_axe_finds_nothing_on_any_page(chromium: Any, url: str, engine: Engine) -> None:
    # given
    do(engine, HISTORY)
    wrong: dict[tuple[str, str], list[str]] = {}
    for scheme in ("light", "dark"):
        visit = Visit(chromium, url, color_scheme=scheme)
        for path in PAGES:
            # when
            visit.page.goto(path)
            visit.page.evaluate(AXE.read_text("utf-8"))
            if found := visit.page.evaluate(WRONG):
                wrong[scheme, path] = found
        visit.wrong[:] = [said for said in visit.wrong if "404" not in said and "422" not in said]
        visit.close()
    # then
    assert wrong == {}


@pytest.mark.usefixtures("worked")
def test_charts_say_their_values_to_pointer_and_keyboard_and_paper(
    chromium: Any, url: str, engine: Engine
) -> None:
    # given
    do(engine, HISTORY)
    visit = Visit(chromium, url, java_script_enabled=True)
    page = visit.page
    page.goto("/runs/day")
    curve = page.locator("figure.plot").last
    summary = curve.locator("[data-readout]").inner_text()
    # when
    curve.locator("svg").focus()
    page.keyboard.press("Home")
    first = curve.locator("[data-readout]").inner_text()
    page.keyboard.press("ArrowRight")
    second = curve.locator("[data-readout]").inner_text()
    curve.locator(".place").last.hover()
    hovered = curve.locator("[data-readout]").inner_text()
    # then
    assert len({summary, first, hovered}) == 3
    assert all(said.startswith("until ") for said in (first, second, hovered))
    # when
    page.keyboard.press("Tab")
    page.mouse.move(0, 0)
    # then
    assert curve.locator("[data-readout]").inner_text() == summary
    # when: on paper nothing lies over anything
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 780, "height": 1000})
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 780
    visit.close()


def test_a_page_that_lost_its_server_turns_grey_and_says_since_when(
    chromium: Any, settings: Settings
) -> None:
    # given
    with dashboard(settings) as address:
        visit = Visit(chromium, address)
        visit.page.goto("/")
        visit.page.locator("#pulse", has_text="live").wait_for()
        assert visit.page.locator("body.stale").count() == 0
    # then
    visit.page.locator("#pulse", has_text=re.compile(r"not live since \d\d:\d\d")).wait_for()
    assert visit.page.locator("body.stale main").is_visible()
    assert visit.page.get_by_role("alert").inner_text().startswith("Nothing has been heard since")
    visit.wrong.clear()
    visit.close()


OVERLAPS = """() => {
  const cards = [...document.querySelectorAll('.card, .foot, .top')].filter(e => e.offsetParent);
  const boxes = cards.map(e => [e.className, e.getBoundingClientRect()]);
  return boxes.flatMap(([a, x], n) => boxes.slice(n + 1)
    .filter(([, y]) => Math.min(x.right, y.right) - Math.max(x.left, y.left) > 1
      && Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top) > 1)
    .map(([b]) => `${a} over ${b}`));
}"""
