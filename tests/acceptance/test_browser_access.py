"""Every page in light and dark, looked at by axe-core, which ships with the tests: no network."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.chromium import NEEDED, Visit
from tests.support.page_addresses import CSRF, addresses, forms
from tests.support.promises import do
from tests.support.web import dashboard
from worker.config.settings import Settings
from worker.domain.pages import SourcePage
from worker.store.knowledge import sync_folder
from worker.store.queue import deliveries

pytestmark = NEEDED
AXE = (Path(__file__).parents[1] / "data" / "axe" / "axe.min.js").read_text("utf-8")
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 800}
ZOOMED = {"width": 720, "height": 450}
"""A screen of 1440 at 200 %."""
TROUBLES = {"/jobs?where=banana": 422, "/no-such-page": 404}
MAIN = "main"
"""What differs from page to page: the frame around it is looked at once and again."""
WRONG = """
async part => (await axe.run(part ?? document, {resultTypes: ['violations']})).violations.map(
  found => `${found.id}: ${found.nodes.map(node => node.html.slice(0, 120)).join(' | ')}`)
"""
HISTORY = """
INSERT INTO minutes (at, taken_at, ended, waiting, failed_calls, spent)
SELECT m, m, n * 3, 60 - n, n / 7, n * 0.01
FROM (SELECT n, date_trunc('minute', now()) - (60 - n) * interval '1 minute' AS m
  FROM generate_series(0, 60) AS n WHERE n NOT BETWEEN 20 AND 24) AS minutes
ON CONFLICT DO NOTHING
"""


CERTIFICATE = """
INSERT INTO certificates (claim, tier, top, alpha, delta, errors, labels, upper, coverage,
  threshold, segment_by, key, runs, sources, rehearsal, state, voided_by, issued_by)
VALUES ('accuracy', 'haiku', 'opus', 0.05, 0.05, 0, 100, 0.03, 0.5, 0.9, 'difficulty',
  '{"model": "claude-haiku-5-5"}', '["day"]', '{}', true, 'void', 'the model changed', 'ada')
"""
SEND = """
sent => {
  const form = document.createElement('form');
  Object.assign(form, {method: 'post', action: sent.action});
  for (const [name, value] of Object.entries(sent.fields)) {
    form.append(Object.assign(document.createElement('input'), {type: 'hidden', name, value}));
  }
  if (sent.file) {
    form.enctype = 'multipart/form-data';
    const file = Object.assign(document.createElement('input'), {type: 'file', name: 'file'});
    const held = new DataTransfer();
    held.items.add(new File([sent.file[1]], sent.file[0], {type: 'text/csv'}));
    file.files = held.files;
    form.append(file);
  }
  document.body.append(form);
  form.submit();
}
"""
DRAWN = """
INSERT INTO audits (job_id, fence, run_id, tier, probability)
SELECT job_id, fence, 1, tier, 0.5 FROM results ORDER BY job_id LIMIT 3
"""
FIT = "[document.documentElement.scrollWidth, document.querySelectorAll('main h1').length]"


@pytest.fixture
def furnished(engine: Engine, worked: None) -> None:
    """Every page has something to show."""
    do(engine, HISTORY)
    do(engine, CERTIFICATE)
    do(engine, DRAWN)
    deliveries.announce(engine, {"helpdesk": False})
    markdown = "# Returns\n\nParcels come back within 30 days."
    page = SourcePage(
        name="returns", path="returns.md", title="Returns", language="en", markdown=markdown
    )
    sync_folder(engine, "pages", [page])


@pytest.mark.usefixtures("furnished")
def test_axe_finds_nothing_on_any_page_and_each_fits_a_phone(chromium: Any, url: str) -> None:
    wrong: dict[str, list[str]] = {}
    visit = visit_with_axe(chromium, url)
    for path in addresses():
        visit.page.set_viewport_size(WIDE)
        status = visit.page.goto(path).status
        found = looked_at(visit.page, None)
        if status not in (200, TROUBLES.get(path)):
            found.append(f"HTTP {status}")
        if found:
            wrong[path] = found
    close_with_refusals(visit)
    assert wrong == {}


@pytest.mark.usefixtures("furnished")
def test_axe_finds_nothing_on_any_page_that_answers_a_form(chromium: Any, url: str) -> None:
    wrong: dict[str, list[str]] = {}
    visit = visit_with_axe(chromium, url)
    visit.page.goto("/actions/cancel?run=open")
    csrf = visit.page.locator(f"input[name={CSRF}]").first.input_value()
    for sent in forms():
        visit.page.set_viewport_size(WIDE)
        # when
        with visit.page.expect_navigation() as coming:
            visit.page.evaluate(SEND, asdict(sent) | {"fields": {CSRF: csrf, **sent.fields}})
        found = looked_at(visit.page, MAIN)
        # then
        if coming.value.status != sent.status:
            found.append(f"HTTP {coming.value.status}")
        if found:
            wrong[f"{sent.action} {sent.status}"] = found
    close_with_refusals(visit)
    assert wrong == {}


def visit_with_axe(chromium: Any, url: str) -> Visit:
    """A tab whose pages all come with axe: it need not be sent to each."""
    visit = Visit(chromium, url)
    visit.context.add_init_script(AXE)
    return visit


def looked_at(page: Any, part: str | None) -> list[str]:
    """What is wrong with the page before us, or with this part of it: wide and light, then narrow
    and dark."""
    page.emulate_media(color_scheme="light")
    found = list(page.evaluate(WRONG, part))
    page.set_viewport_size(ZOOMED)
    if (width := page.evaluate(FIT)[0]) != ZOOMED["width"]:
        found.append(f"{width} wide at 200 %")
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    found += [f"dark {one}" for one in page.evaluate(WRONG, part)]
    if (fits := page.evaluate(FIT)) != [PHONE["width"], 1]:
        found.append(f"{fits[0]} wide, {fits[1]} headings")
    return found


def close_with_refusals(visit: Visit) -> None:
    """A refusal was asked for: that Chromium notes it is no trouble."""
    visit.wrong[:] = [said for said in visit.wrong if "status of 4" not in said]
    visit.close()


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
