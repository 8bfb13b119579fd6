"""The first page and the pages of runs: their numbers are those of SQL after every change, and
they change by themselves."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.pages import Page
from tests.support.promises import do, one
from tests.support.waiting import eventually
from tests.support.web import browsing, dashboard
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.addresses import SIMULATOR_KEY
from worker.config.settings import Settings
from worker.dashboard.context import make_dashboard
from worker.runs.nights import fire_due
from worker.sandbox.simulator.state import State
from worker.store.actions import holds
from worker.store.actions.selection import whole
from worker.store.audit import Actor
from worker.store.reading.rates import Throughput

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(40)]
WAITING = """
SELECT count(*) FILTER (WHERE queue = 'routing') AS routing,
  count(*) FILTER (WHERE queue = 'haiku') AS haiku FROM jobs WHERE lease_until IS NULL
"""
OUTCOME = """
SELECT count(*) FILTER (WHERE state = 'answered') AS answered, count(*) AS total,
  count(*) FILTER (WHERE finished_at IS NOT NULL) AS ended,
  (SELECT coalesce(sum(cost), 0) FROM calls) AS spent, (SELECT count(*) FROM calls) AS calls,
  (SELECT count(*) FROM escalations) AS escalations FROM jobs
"""


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with dashboard(settings) as address:
        yield address


def get(url: str, path: str = "/", **options: Any) -> Page:
    with browsing(url, **options) as client:
        answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def test_what_is_asked_to_know_more_of_a_run_is_not_the_last_run(
    engine: Engine, settings: Settings, url: str
) -> None:
    # given: a run, and a shadow and a judge of it, all ended
    for name, kind in (("day", "backlog"), ("day-shadow", "shadow"), ("day-judge", "judge")):
        hand_in(engine, settings, BODIES[:1], name=name)
        do(engine, "UPDATE runs SET kind = :kind, state = 'finished', finished_at = now(),"
           " parent_id = CASE WHEN id > 1 THEN 1 END WHERE name = :name",
           kind=kind, name=name)  # fmt: skip
    do(engine, "UPDATE jobs SET state = 'answered', finished_at = now()")
    # then
    page = get(url)
    assert "The last run, day, has ended" in page.text
    assert "day-shadow" not in page.text
    of_day, of_shadow = get(url, "/runs/day").text, get(url, "/runs/day-shadow").text
    assert "shadow day-shadow judged in day-judge" in of_day
    assert ("shadow of day" in of_shadow, "What changed" in of_shadow) == (True, False)


def test_an_empty_database_says_what_to_do(url: str) -> None:
    page = get(url)
    assert "Nothing has been submitted yet." in page.text
    assert "rung enqueue FILE" in page.text
    assert "No run yet" in get(url, "/runs").text
    assert "No worker has been seen" in get(url, "/workers").text


def test_the_numbers_are_those_of_sql_after_every_change(
    url: str, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day", cap=Decimal(3))
    do(engine, "UPDATE runs SET accepting = true")
    with working(settings) as runtime:
        for _ in range(4):
            # when
            page, run = get(url), get(url, "/runs/day")
            # then
            waiting, done = one(engine, WAITING), one(engine, OUTCOME)
            queues = {row[""]: row for row in page.rows("queues")}
            assert queues["routing"]["waiting"] == str(waiting.routing)
            assert queues["haiku"]["waiting"] == str(waiting.haiku)
            assert {row["in flight"] for row in queues.values()} == {"0"}
            assert f"{done.ended} of {done.total} messages are done" in page.text
            assert f"{done.ended} of {done.total} messages are done" in run.text
            shown = f"${done.spent:.4f}" if done.spent else "$0.00"
            assert (shown in page.text, shown in run.text) == (True, True)
            assert f"calls {done.calls} climbed {done.escalations} " in run.text
            drain(runtime, rounds=1)
    assert one(engine, OUTCOME).answered == 40


def test_a_finished_run_says_how_it_went(url: str, engine: Engine, settings: Settings) -> None:
    hand_in(engine, settings, BODIES, name="day", cap=Decimal(3))
    with working(settings) as runtime:
        drain(runtime)
    page, runs, run = get(url), get(url, "/runs"), get(url, "/runs/day")
    assert "Nothing is under way. The last run, day, has ended: 40 of 40 answered." in page.text
    assert "Nothing is wrong." in page.text
    (row,) = runs.rows("stacked")
    assert row["outcome"].startswith("40 of 40 answered")
    assert row["spent"].endswith("of $3.00")
    ladder = run.root.all("svg", cls="wide")[0].attributes["aria-label"]
    haiku = one(engine, "SELECT count(*) FROM jobs WHERE tier = 'haiku' AND state = 'answered'")[0]
    assert f"haiku: {haiku} answered" in ladder
    assert "were accepted; 0.70 is asked" in run.text
    assert (row["state"], "day finished simulated" in run.text) == ("finished simulated", True)


def test_every_page_says_that_claude_is_simulated(database_url: str, engine: Engine) -> None:
    # given
    settings = settings_for(database_url, "http://127.0.0.1:1", anthropic_api_key=SIMULATOR_KEY)
    hand_in(engine, settings, BODIES[:1], name="day")
    paths = ("/", "/runs", "/runs/day", "/jobs", "/jobs/1", "/dead", "/review", "/workers",
             "/audit", "/actions/pause?tier=haiku")  # fmt: skip
    with dashboard(settings) as url:
        # when
        marked = {path for path in paths if get(url, path).root.all("div", cls="simulated")}
    # then
    assert marked == set(paths)


def test_trouble_comes_first_in_words_with_the_button_that_helps(
    url: str, engine: Engine, settings: Settings
) -> None:
    # given
    run = hand_in(engine, settings, BODIES, name="day", cap=Decimal("0.00001"))
    other = hand_in(engine, settings, BODIES, name="night")
    do(engine, "UPDATE runs SET waiting_for = 'run budget' WHERE id = :id", id=run.id)
    do(engine, "UPDATE jobs SET state = 'dead', reason = 'schema', finished_at = now()"
       " WHERE run_id = :id AND message_id % 10 = 0", id=other.id)  # fmt: skip
    holds.pause_queue(engine, Actor("ada"), "opus", "too dear <b>today</b>")
    # when
    page = get(url)
    # then
    (troubles,) = page.root.all("ul", cls="troubles")
    said = [re.sub(r"since [0-9:]{5}", "since 07:45", i.text) for i in troubles.all("li")]
    assert [item.attributes["class"] for item in troubles.all("li")] == ["bad"] * 3 + ["warn"]
    assert said == [
        "No worker is running, and 76 messages wait. Start one: rung up, or rung worker. Workers",
        "opus is paused by ada, since 07:45: too dear <b>today</b>. Resume opus",
        "day is stopped by its budget: <$0.0001 of its budget is left. Raise the budget",
        "night has 4 dead letters. See why",
    ]
    assert "/actions/resume?tier=opus" in page.links()
    assert f"/actions/budget?run={run.id}" in page.links()
    # when
    holds.pause_run(engine, Actor("ada"), whole(other), "later")
    # then
    assert re.search(r"night is paused by ada, since [0-9:]{5}: later; 36 messages are open\.",
                     get(url).text)  # fmt: skip


def test_without_redis_it_says_that_nothing_is_sent(database_url: str, engine: Engine) -> None:
    settings = settings_for(database_url, "http://127.0.0.1:1")
    hand_in(engine, settings, BODIES, name="day")
    with dashboard(settings) as url, working(settings):
        page, runs, run = (get(url, path) for path in ("/", "/runs", "/runs/day"))
    for told in (page, run):
        assert "Redis does not answer: workers send nothing without it." in told.text
    for told in (page, runs, run):
        words = f"ot done before Redis answers again: {len(BODIES)} are open"
        assert words in told.text


def test_the_stream_tells_everybody_what_has_changed(
    url: str, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    with browsing(url) as client, client.stream("GET", "/live/now") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        regions = (json.loads(x[6:]) for x in answer.iter_lines() if x.startswith("data: "))
        first = Page(next(regions))
        # when
        do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id <= 15")
        # then
        assert "0 of 40 messages are done" in first.text
        assert "15 of 40 messages are done" in Page(next(regions)).text
        assert "csrf" not in first.html


def test_the_stream_of_a_run_shows_that_run(url: str, engine: Engine, settings: Settings) -> None:
    hand_in(engine, settings, BODIES, name="day")
    page = get(url, "/runs/day")
    (region,) = [e for e in page.root.all("div") if "data-live" in e.attributes]
    with browsing(url) as client, client.stream("GET", region.attributes["data-live"]) as answer:
        line = next(x for x in answer.iter_lines() if x.startswith("data: "))
    assert "0 of 40 messages are done" in Page(json.loads(line[6:])).text


def test_the_pace_and_the_outlook_come_from_counters(engine: Engine, settings: Settings) -> None:
    # given
    clock = iter([0.0, 30.0, 60.0])
    hand_in(engine, settings, BODIES, name="day")
    rates = Throughput(engine, clock=lambda: next(clock))
    rates.read()
    assert rates.a_minute("ended") is None
    # when
    do(engine, "UPDATE jobs SET state = 'answered', tier = 'haiku', finished_at = now()"
       " WHERE id <= 10")  # fmt: skip
    rates.read()
    # then
    assert rates.a_minute("ended") == rates.a_minute("haiku") == 20
    assert rates.a_minute("routing") == 20
    # when
    do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id > 10")
    rates.read()
    # then
    assert (rates.a_minute("ended"), rates.a_minute("haiku")) == (40, 10)


def test_the_dashboard_reads_its_own_pace(url: str, engine: Engine, settings: Settings) -> None:
    made = make_dashboard(settings)
    hand_in(engine, settings, BODIES, name="day")
    try:
        made.rates.read()
        assert made.rates.a_minute("ended") is None
        with working(settings):
            assert "The pace is being measured" in eventually(lambda: get(url)).text
        do(engine, "UPDATE workers SET seen_at = now() - interval '1 minute'")
        words = "not done before a worker is running: 40 are open"
        assert words in get(url, "/runs/1").text.lower()
    finally:
        made.engine.dispose()


def test_workers_and_their_calls_are_listed(url: str, engine: Engine, settings: Settings) -> None:
    with working(settings):
        page = eventually(lambda: get(url, "/workers"))
        assert "at work" in page.text
        assert "haiku 0 /64" in page.text
    do(engine, "UPDATE workers SET seen_at = now() - interval '1 minute'")
    assert "gone" in get(url, "/workers").text


def test_a_page_without_postgres_says_so(database_url: str) -> None:
    settings = settings_for("postgresql://nobody@127.0.0.1:1/none", "http://127.0.0.1:1")
    with dashboard(settings) as url, browsing(url) as client:
        answer = client.get("/")
    assert answer.status_code == 503
    assert re.search(r"Postgres has not answered since \S+ UTC. Nothing is lost", answer.text)
    assert "Try again" in answer.text
    assert "nobody" not in answer.text


def test_a_night_says_what_came_of_it_and_what_it_changed(
    database_url: str, engine: Engine, redis_url: str, simulator: tuple[State, str]
) -> None:
    # given
    nightly = {"nightly": {"cron": "0 2 * * *", "where": "state in (review, answered)"}}
    settings = settings_for(database_url, simulator[1], redis_url=redis_url, schedule=nightly)
    hand_in(engine, settings, BODIES[:6], name="day")
    do(engine, "UPDATE jobs SET state = CASE WHEN id < 5 THEN 'review' ELSE 'answered' END,"
       " finished_at = now()")  # fmt: skip
    do(engine, "UPDATE runs SET state = 'finished', finished_at = now()")
    fire_due(engine, settings)
    do(engine, "UPDATE schedules SET since = now() - interval '1 day'")
    # when
    fire_due(engine, settings)
    do(engine, "UPDATE jobs SET finished_at = now(), state = CASE WHEN id IN (7, 8, 9) THEN"
       " 'answered' ELSE 'review' END WHERE run_id = 2")  # fmt: skip
    # then
    with dashboard(settings) as url:
        page = get(url, "/runs")
    assert "of 6 that were chosen" in page.text
    assert "Against their answers before: 3 better , 2 worse, 1 as before." in page.text


def test_what_does_not_exist_is_not_found(url: str) -> None:
    with browsing(url) as client:
        codes = [client.get(p).status_code for p in ("/runs/nope", "/jobs/7", "/nope", "/jobs/x")]
    assert codes == [404, 404, 404, 404]
