"""Reviews, one at a time: the next comes by itself, and what is said can be taken back until it has
gone out."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.pages import Page, get_page
from tests.support.promises import do, one
from tests.support.web import browsing, dashboard
from tests.support.works import hand_in
from worker.config.settings import Settings
from worker.store.reading import review_queue
from worker.store.reading.review_queue import ReviewScope, next_review

FOR_A_PERSON = """
UPDATE jobs SET state = 'review', tier = 'opus', reason = 'low_confidence', finished_at = now();
UPDATE jobs SET reason = 'schema' WHERE id = 2;
INSERT INTO attempts (job_id, fence, stage, tier, lane, outcome, reasons, policy_version,
  budget_day, available_at, finished_at)
SELECT id, 1, 'answer', 'opus', 'realtime', 'rejected', '{low_confidence}', 'v', current_date,
  now(), now() FROM jobs;
INSERT INTO results (job_id, fence, reply, tier, model, accepted, confidence)
SELECT id, 1, 'Best effort ' || id, 'opus', 'm', false, 0.4 FROM jobs WHERE id <> 3;
"""


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[httpx2.Client]:
    hand_in(engine, settings, [f"My words {n}" for n in range(1, 5)], name="day")
    do(engine, FOR_A_PERSON)
    with dashboard(settings) as url, browsing(url) as found:
        yield found


def heading(page: Page) -> str:
    return page.root.all("h1")[0].text


def shown(page: Page) -> int:
    """The job that a page of the queue shows."""
    (found,) = re.findall(r"My words (\d)", page.text)
    return int(found)


def judge(client: httpx2.Client, page: Page, word: str, **given: str) -> Page:
    action = f"/jobs/{shown(page)}/verdict"
    fields = [
        {i.attributes["name"]: i.attributes.get("value", "") for i in form.all("input")}
        for form in page.root.all("form", action=action)
    ]
    (chosen,) = [one for one in fields if one["verdict"] == word]
    answer = client.post(action, data={**chosen, **given})
    assert answer.status_code == 303, answer.text
    return get_page(client, answer.headers["location"])


def undo(client: httpx2.Client, page: Page) -> httpx2.Response:
    return client.post("/review/undo", data=page.form("/review/undo"))


def test_the_next_one_comes_by_itself(client: httpx2.Client, engine: Engine) -> None:
    # given
    hidden = get_page(client, "/review/queue")
    assert ("My words" in hidden.text, heading(hidden)) == (False, "4 messages wait for a person")
    (begin,) = [link for link in hidden.links() if "text=1" in link]
    # when
    first = get_page(client, begin)
    # then
    assert (heading(first), shown(first)) == ("1 of 4 4 wait", 4)
    assert "Best effort 4" in first.text
    assert "it was" in first.text
    read = one(engine, "SELECT action, target FROM audit_events ORDER BY id DESC")
    assert tuple(read) == ("read text", "job 4")
    # when
    second = judge(client, first, "accept")
    # then
    assert (heading(second), shown(second)) == ("2 of 4 3 wait", 3)
    assert "There is no best effort" in second.text
    assert 'value="accept"' not in second.html
    assert "Review 3" in second.text
    # when
    (skip,) = [link for link in second.links() if "skipped=1" in link]
    third = get_page(client, skip)
    assert (heading(third), shown(third)) == ("3 of 4 3 wait, 1 skipped", 2)
    fourth = judge(client, third, "reject", reason="It is wrong")
    assert (heading(fourth), shown(fourth)) == ("4 of 4 2 wait, 1 skipped", 1)
    third = get_page(client, undo(client, fourth).headers["location"])
    assert (heading(third), shown(third)) == ("3 of 4 3 wait, 1 skipped", 2)
    fourth = judge(client, third, "reject", reason="It is wrong")
    assert (heading(fourth), shown(fourth)) == ("4 of 4 2 wait, 1 skipped", 1)
    last = judge(client, fourth, "edit", reply="Better words")
    # then
    assert heading(last) == "1 message waits for a person"
    assert "1 message that you skipped still waits." in last.text
    said = "SELECT array_agg(verdict || ':' || job_id ORDER BY id) FROM reviews"
    assert one(engine, said)[0] == ["accept:4", "reject:2", "edit:1"]


def test_a_verdict_is_taken_back_until_it_has_gone_out(
    client: httpx2.Client, engine: Engine
) -> None:
    # given
    do(engine, "INSERT INTO delivery_targets (name) VALUES ('desk')")
    second = judge(client, get_page(client, "/review/queue?text=1"), "accept")
    # when
    taken = undo(client, second)
    # then
    again = get_page(client, taken.headers["location"])
    assert (taken.status_code, heading(again), shown(again)) == (303, "1 of 4 4 wait", 4)
    assert "The verdict on job 4 is taken back." in again.text
    assert one(engine, "SELECT count(*) FROM reviews")[0] == 0
    assert one(engine, "SELECT sum(jobs) FROM run_verdicts")[0] == 0
    assert "Review 4" in again.text
    assert one(engine, "SELECT state FROM deliveries")[0] == "withdrawn"
    # when
    second = judge(client, again, "accept")
    do(engine, "UPDATE deliveries SET tries = 1")
    refused = undo(client, second)
    # then
    assert (refused.status_code, "cannot be taken back" in refused.text) == (409, True)
    assert one(engine, "SELECT count(*) FROM reviews")[0] == 1
    # when
    do(engine, "UPDATE deliveries SET state = 'withdrawn', ended_at = now()")
    do(engine, "UPDATE reviews SET reviewer = 'somebody else'")
    # then
    assert undo(client, second).status_code == 422


def test_by_cause_and_by_run(client: httpx2.Client) -> None:
    page = get_page(client, "/review")
    assert [link for link in page.links() if "/review/queue" in link] == [
        "/review/queue?text=1",
        "/review/queue?run=1&reason=low_confidence&text=1",
        "/review/queue?run=1&reason=schema&text=1",
    ]
    only = get_page(client, "/review/queue?run=1&reason=schema&text=1")
    assert (heading(only), shown(only)) == ("1 of 1 1 waits", 2)
    done = judge(client, only, "reject", reason="no")
    assert "Nothing more waits here: 1 message has a verdict." in done.text
    assert "no" in get_page(client, "/review?run=1").text


def test_a_long_days_work_is_passed_over_a_window_at_a_time(
    client: httpx2.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_queue, "WINDOW", 1)
    do(engine, "INSERT INTO reviews (job_id, verdict, reviewer)"
       " SELECT id, 'accept', 'ada' FROM jobs WHERE id IN (4, 3)")  # fmt: skip
    with engine.connect() as connection:
        assert next_review(connection, ReviewScope(), None) == (1, 2)
        assert next_review(connection, ReviewScope(run_id=9), None) is None
        assert next_review(connection, ReviewScope(reason="nothing"), None) is None
