"""The list of jobs: in an order, by what is known of a message, with a line of each text for those
who may read it, and with ticks that lead to what fits."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from tests.support.pages import Page, get_page, jobs_on
from tests.support.promises import do, one
from tests.support.web import browsing, dashboard, visiting
from tests.support.works import hand_in
from worker.config.dashboard import DashboardSettings
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_token
from worker.store.reading import listing

SECRET = "My card 4111 was eaten"
TOLD = """
UPDATE jobs SET state = 'answered', tier = 'haiku', cost = id * 0.01,
  finished_at = now() - id * interval '1 minute';
INSERT INTO attempts (job_id, fence, stage, lane, outcome, reasons, policy_version, budget_day,
  available_at, finished_at)
SELECT id, 1, 'answer', 'realtime', 'accepted', '{}', 'v', current_date, now(), now() FROM jobs;
INSERT INTO results (job_id, fence, reply, tier, model, accepted, confidence)
SELECT id, 1, 'Reply number ' || id, 'haiku', 'm', true, (id % 10) / 10.0 FROM jobs;
UPDATE messages SET customer_id = 'c' || id, subject = 'About case ' || id,
  language = CASE WHEN id % 2 = 0 THEN 'de' ELSE 'en' END;
"""
VIEWER = "rung_a-token-of-somebody-who-may-look"


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[httpx2.Client]:
    hand_in(engine, settings, [f"{SECRET} {n}" for n in range(60)], name="day")
    do(engine, TOLD)
    with dashboard(settings) as url, browsing(url) as found:
        yield found


def following(page: Page) -> str:
    (address,) = [a for a in page.links() if "shown=" in a or "before=" in a]
    return address


@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        ("", range(60, 0, -1)),
        ("cost", range(60, 0, -1)),
        ("ended", range(1, 61)),
        ("confidence", sorted(range(60, 0, -1), key=lambda job: (job % 10, -job))),
    ],
)
def test_every_order_shows_every_job_once_and_says_how_many(
    client: httpx2.Client, sort: str, wanted: Any
) -> None:
    first = get_page(client, "/jobs", run="day", sort=sort)
    second = get_page(client, following(first))
    assert jobs_on(first) + jobs_on(second) == list(wanted)
    assert "1 to 50 of 60" in first.text
    assert "51 to 60 of 60" in second.text


def test_an_order_looks_at_a_bounded_number_and_says_so(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: one more than are sorted whole
    monkeypatch.setattr(listing, "WINDOW", 20)
    assert "1 to 50 of 60" in get_page(client, "/jobs", sort="ended").text
    monkeypatch.setattr(listing, "SORTED", 59)
    do_not_see = get_page(client, "/jobs", sort="ended")
    # then
    assert "1 to 20 of 20 that were sorted, the newest of 60" in do_not_see.text
    assert jobs_on(do_not_see) == list(range(41, 61))
    assert jobs_on(get_page(client, following(do_not_see))) == list(range(21, 41))


def test_people_are_looked_up_by_what_is_known_of_them(client: httpx2.Client) -> None:
    assert jobs_on(get_page(client, "/jobs", customer="c17")) == [17]
    assert jobs_on(get_page(client, "/jobs", subject="CASE 31")) == [31]
    assert jobs_on(get_page(client, "/jobs", where="customer in (c3, c4) and language = de")) == [4]
    german = get_page(client, "/jobs", language="de", run="day")
    assert "1 to 30 of 30" in german.text
    assert [o.text for o in german.root.all("select", id="run")[0].all("option")] == ["any", "day"]


def test_a_line_of_each_text_is_for_those_who_may_read_it(
    client: httpx2.Client, settings: Settings, engine: Engine
) -> None:
    # given
    do(
        engine,
        "INSERT INTO reviews (job_id, verdict, reply, reviewer) VALUES (60, 'edit', 'Mine', 'a')",
    )
    hidden = get_page(client, "/jobs")
    # when
    shown = get_page(client, "/jobs", text="1")
    # then
    assert SECRET not in hidden.text
    assert f"message About case 59 {SECRET} 58" in shown.text
    assert "reply Reply number 59" in shown.text
    assert ("reply Mine edit" in shown.text, "Reply number 60" in shown.text) == (True, False)
    action, target = one(engine, "SELECT action, target FROM audit_events ORDER BY id DESC")
    assert (action, target.startswith("jobs 11, 12, 13")) == ("read text", True)
    # when
    known = DashboardSettings.model_validate(
        {"tokens": {"eve": {"sha256": SecretStr(hash_token(VIEWER)), "role": "viewer"}}}
    )
    headers = {"Accept": "text/html", "Authorization": f"Bearer {VIEWER}"}
    with (
        dashboard(settings.model_copy(update={"dashboard": known})) as url,
        visiting(url, headers=headers) as eve,
    ):
        page = get_page(eve, "/jobs", text="1", subject="case 31")
        # then
        assert (SECRET in page.text, len(jobs_on(page))) == (False, 50)
        assert not page.root.all("input", name="job")
        for path in ("/jobs", "/api/jobs", "/actions/cancel"):
            assert eve.get(path, params={"where": "subject contains 31"}).status_code == 403
            assert eve.get(path, params={"where": "not metadata.x = 1"}).status_code == 403
        assert eve.get("/jobs", params={"where": "customer = c1"}).status_code == 200


def test_verbs_and_ticks_are_those_that_fit(client: httpx2.Client, engine: Engine) -> None:
    # given
    ended = get_page(client, "/jobs", run="day", state="answered")
    do(engine, "UPDATE jobs SET state = 'dead', reason = 'schema' WHERE id IN (58, 59)")
    do(engine, "UPDATE jobs SET state = 'routed', finished_at = NULL WHERE id = 57")
    # when
    page = get_page(client, "/jobs", run="day", tier="haiku")
    # then
    assert not [link for link in ended.links() if link.startswith("/actions/")]
    assert not ended.root.all("input", name="job")
    verbs = [link.split("?")[0] for link in page.links() if link.startswith("/actions/")]
    assert verbs == [f"/actions/{one}" for one in ("retry", "cancel", "priority", "budget")]
    boxes = {
        b.attributes["value"]: b.attributes["data-fits"] for b in page.root.all("input", name="job")
    }
    assert boxes == {"59": "retry", "58": "retry", "57": "cancel priority"}
    # when
    preview = get_page(
        client, client.get("/jobs/ticked?job=59&job=57&do=retry").headers["location"]
    )
    # then
    assert "1 dead letter" in preview.text
    assert preview.form("/actions/retry")["where"] == "job in (59, 57)"
    assert "Tick some jobs first." in get_page(client, "/jobs/ticked?do=retry", 422).text


def test_an_empty_system_says_so(settings: Settings) -> None:
    with dashboard(settings) as url, browsing(url) as found:
        assert "Nothing has been submitted yet." in get_page(found, "/jobs").text
