"""A lead without a terminal, in Debian's Chromium: hands a file in, watches, reviews, downloads."""

import csv
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tests.support.chromium import NEEDED, Visit
from tests.support.promises import do, one
from tests.support.works import drain, working
from worker.config.settings import Settings

pytestmark = NEEDED
EXPORT = Path(__file__).parents[1] / "data" / "reports" / "06-customer_support_tickets.csv"


def test_a_lead_hands_in_watches_reviews_and_downloads(
    chromium: Any, url: str, engine: Engine, settings: Settings
) -> None:
    visit = Visit(chromium, url, accept_downloads=True)
    page = visit.page
    page.get_by_role("link", name="Submit").first.click()
    # what cannot be taken
    page.get_by_label("The file").set_input_files(
        {"name": "few.csv", "mimeType": "text/csv", "buffer": b"external_id,body\nA,Where?\nB,\n"}
    )
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download the rejected row").click()
    assert coming.value.suggested_filename == "few.rejects.csv"
    assert "few.csv,3,B," in Path(coming.value.path()).read_text()
    assert not page.locator("#sending").is_visible()
    # looks
    page.get_by_label("The file").set_input_files(EXPORT)
    page.get_by_text("Start: 3 messages").wait_for()
    heads = page.locator(".first-rows thead").inner_text()
    assert ("Ticket ID" in heads, "Ticket Description" in heads) == (True, True)
    assert page.locator(".expected").inner_text().startswith("dollars")
    assert one(engine, "SELECT count(*) FROM messages")[0] == 0
    page.get_by_label("Policy").select_option("escalate")
    page.get_by_label("Budget in dollars").fill("3")
    page.get_by_label("Name of the run").fill("monday")
    page.get_by_label("Name of the run").blur()
    page.locator("#look:not([aria-busy])").wait_for()
    # watches
    page.get_by_role("button", name="Start: 3 messages").click()
    page.wait_for_url("**/runs/monday")
    page.get_by_text("0 of 3 messages are done").wait_for()
    made = one(engine, "SELECT policy_name, budget_cap FROM runs")
    assert tuple(made) == ("escalate", 3)
    with working(settings) as runtime:
        drain(runtime)
    page.get_by_text("3 of 3 messages are done").wait_for()
    # reviews
    do(engine, "UPDATE jobs SET state = 'answered' WHERE state = 'review'")
    do(engine, "UPDATE jobs SET state = 'review', reason = 'low_confidence' WHERE id = 2")
    page.goto("/jobs/2")
    page.get_by_role("button", name="Show the text").click()
    page.get_by_label("Send this instead").check()
    page.get_by_label("Reply to send instead").fill("We have sent you a new one.")
    page.get_by_role("button", name="Give the verdict").click()
    page.locator(".notice").wait_for()
    # downloads
    page.goto("/runs/monday")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download answers").click()
    rows = list(csv.DictReader(Path(coming.value.path()).read_text("utf-8-sig").splitlines()))
    assert len(rows) == 3
    assert {row["external_id"] for row in rows} == {"1", "2", "3"}
    assert "We have sent you a new one." in {row["send"] for row in rows}
    assert all(row["message"] for row in rows)
    visit.close()
