"""Answers beside their messages, of one run and of two: the same on the page and in the terminal,
without their texts for who may not read them."""

import json
import re
from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.pages import Page, get_page, jobs_on
from tests.support.promises import do, one
from tests.support.web import browsing, dashboard
from tests.support.works import hand_in, settings_for
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State
from worker.store.reading import side_by_side
from worker.store.reading.side_by_side import sample_run

JUDGE = "/comparisons/judge"
SECRET = "My card 4111 was eaten"
ANSWERED = """
UPDATE jobs SET state = 'answered', tier = 'haiku', finished_at = now() WHERE state = 'queued';
INSERT INTO attempts (job_id, fence, stage, tier, lane, outcome, reasons, policy_version,
  budget_day, available_at, finished_at, confidence, threshold)
SELECT id, 1, 'answer', 'haiku', 'realtime', 'accepted', '{}', 'v', current_date, now(), now(),
  0.9, 0.7 FROM jobs;
INSERT INTO results (job_id, fence, reply, tier, model, accepted, confidence, simulated)
SELECT id, 1, 'Reply to ' || message_id, 'haiku', 'm', true, 0.9, true FROM jobs;
"""
AGAIN = """
INSERT INTO runs (name, policy, policy_name, policy_version, accepting)
SELECT 'night', policy, policy_name, policy_version, false FROM runs WHERE name = 'day';
INSERT INTO jobs (run_id, message_id) SELECT 2, id FROM messages WHERE id <= 20;
"""
CLIMBED = """
INSERT INTO escalations (job_id, fence, from_tier, to_tier, reason)
SELECT id, 1, 'haiku', 'sonnet', 'low_confidence' FROM jobs WHERE run_id = 2
"""


@pytest.fixture
def settings(
    database_url: str,
    redis_url: str,
    simulator: tuple[State, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return settings_for(database_url, simulator[1], redis_url=redis_url)


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[httpx2.Client]:
    hand_in(engine, settings, [f"{SECRET} {n}" for n in range(30)], name="day")
    do(engine, AGAIN)
    do(engine, ANSWERED)
    do(engine, "UPDATE results SET reply = 'Other words' WHERE job_id IN (31, 33, 35)")
    with dashboard(settings) as url, browsing(url) as found:
        yield found


def test_answers_by_chance_beside_their_messages(client: httpx2.Client, engine: Engine) -> None:
    # given
    hidden = get_page(client, "/runs/day/sample?n=5")
    # when
    shown = get_page(client, "/runs/day/sample?n=5&text=1")
    others = get_page(client, "/runs/day/sample?n=5&seed=2")
    told = json.loads(say("sample", "day", "-n", "5", "--json").out)
    # then
    assert (SECRET in hidden.text, SECRET in shown.text) == (False, True)
    assert len(set(jobs_on(shown))) == 5
    assert jobs_on(hidden) == jobs_on(shown) == [row["job"] for row in told] != jobs_on(others)
    assert all(row["reply"] == f"Reply to {row['job']}" for row in told)
    assert all(f"{SECRET} {row['job'] - 1}" == row["message"] for row in told)
    assert "0.90 sure, 0.70 asked" in shown.text
    read = one(engine, "SELECT action, target FROM audit_events ORDER BY id DESC")
    assert tuple(read) == ("read text", "5 answers of run day")
    told_once = say("sample", "day", "-n", "2").out
    assert SECRET in told_once
    assert told_once.count("0.90") == 2
    assert shown.text.count("0.90") == 5
    assert one(engine, "SELECT count(*) FROM audit_events")[0] == 1


def test_two_runs_beside_one_another(
    client: httpx2.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    do(engine, CLIMBED)
    # when
    page = get_page(client, "/runs/day/sample?with=night&text=1")
    told = json.loads(say("diff", "day", "night", "--texts", "--json").out)
    # then
    assert "3 of 20 that were looked at have another reply" in page.text
    assert {row["b"]["job"] for row in told} == {31, 33, 35}
    assert all(row["a"]["job"] == row["b"]["job"] - 30 for row in told)
    assert (page.text.count("Other words"), page.text.count("Reply to")) == (3, 3)
    assert "haiku → sonnet: low confidence; 0.90 sure, 0.70 asked" in page.text
    assert len(jobs_on(get_page(client, "/runs/day/sample?with=night&same=1"))) == 40
    # then: where nothing was asked of it, how sure it was stands alone
    do(engine, "UPDATE attempts SET threshold = NULL")
    do(engine, "UPDATE jobs SET state = 'review', reason = 'schema' WHERE run_id = 1")
    alone = say("sample", "day", "-n", "2").out
    assert (alone.count("haiku 0.90  for a person"), alone.count("0.90")) == (2, 2)
    assert get_page(client, "/runs/day/sample?n=2").text.count("0.90") == 2
    # then: all that is drawn of the smaller run is in the larger one
    for a, b in (("day", "night"), ("night", "day")):
        assert "0 of 10 that were" in re.sub(r"\d+ of", "0 of", get_page(
            client, f"/runs/{a}/sample?with={b}&n=1&same=1").text)  # fmt: skip
    wide = say("diff", "day", "night", "--texts").out
    assert "Other words" in wide
    # then: where columns have no room, one text stands below the other
    monkeypatch.setattr("worker.cli.views.side_by_side.COLUMN", 80)
    narrow = say("diff", "day", "night", "--texts").out.splitlines()
    assert [line for line in narrow if line in ("message", "day", "night")][:3] == [
        "message", "day", "night"
    ]  # fmt: skip
    assert "  Other words" in [line.rstrip() for line in narrow]
    assert "are the same run" in get_page(client, "/runs/day/sample?with=day", 422).text
    get_page(client, "/runs/nope/sample", 404)


def test_what_came_of_two_runs_is_the_same_everywhere(
    client: httpx2.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # when
    page = get_page(client, "/runs/day/compare?with=night")
    told = json.loads(say("compare", "day", "night", "--json").out)
    # then
    assert told["sentence"] in page.text
    assert "3 messages have two different replies that you have not judged" in page.text
    assert SECRET not in page.text
    assert client.get("/api/runs/day/compare?beside=night").json() == told
    # and of two that were made beside one another, naming one is enough
    assert client.get("/api/runs/night/compare").status_code == 400
    assert "The other run" in get_page(client, "/runs/night/compare").text
    do(engine, "UPDATE runs SET selection = '{\"compared_with\": 1}' WHERE id = 2")
    assert client.get("/api/runs/night/compare").json()["b"]["run"] == "day"
    assert "/runs/1/compare?with=2" in get_page(client, "/runs/night").links()
    # and what would take too long is left to the command
    monkeypatch.setattr("worker.runs.comparison.READ_ON_A_SCREEN", 20)
    assert "rung compare day night" in get_page(client, "/runs/day/compare?with=night", 422).text
    assert client.get("/api/runs/day/compare?beside=night").status_code == 400


def test_replies_are_judged_blind_in_an_order_of_chance(
    client: httpx2.Client, engine: Engine
) -> None:
    # given: a person who would send what says "Other words", wherever it stands
    def judge(page: Page, wanted: str) -> Page:
        return Page(client.post(JUDGE, data={**page.form(JUDGE), "verdict": wanted}).text)

    def better(page: Page) -> str:
        return "first" if page.text.index("Other words") < page.text.index("Reply to") else "second"

    begin = get_page(client, "/runs/day/compare?with=night")
    page = Page(client.post(JUDGE, data=begin.form(JUDGE)).text)
    assert SECRET in page.text
    assert "3 left" in page.text
    first = page.form(JUDGE)["pair"]
    shown = {
        Page(client.post(JUDGE, data=begin.form(JUDGE)).text).form(JUDGE)["pair"] for _ in range(25)
    }
    assert len(shown) == 2
    # when one is judged, taken back, and judged again with the rest
    page = judge(page, better(page))
    assert "2 left" in page.text
    page = judge(page, "undo")
    assert set(page.form(JUDGE)["pair"].split()) == set(first.split())
    for word in (better(page), "both", "neither"):
        page = judge(page, word)
    # then
    assert "Nothing is left to judge" in page.text
    found = client.get("/api/runs/day/compare?beside=night").json()
    assert found["verdicts"] == {"both": 1, "only_a": 0, "only_b": 1, "neither": 1}
    assert "judged blind, night is right 33.3 points more often than day" in found["sentence"]
    read = one(
        engine, "SELECT count(*), sum(affected) FROM audit_events WHERE action = 'read text'"
    )
    assert tuple(read) == (30, 60)
    # and a word or an answer that there is not changes nothing
    kept = {**begin.form(JUDGE), "pair": first}
    assert client.post(JUDGE, data={**kept, "verdict": "perhaps"}).status_code == 422
    odd = {**kept, "verdict": "both", "pair": "1-1 99-1"}
    assert client.post(JUDGE, data=odd).status_code == 422
    assert one(engine, "SELECT count(*) FROM truths WHERE undone_at IS NULL")[0] == 6


def test_a_large_run_is_sampled_by_points(
    client: httpx2.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr(side_by_side, "AT_ONCE", 10)
    do(engine, "UPDATE jobs SET state = 'routed', finished_at = NULL WHERE id = 7")
    # when
    with engine.connect() as connection:
        shown = sample_run(connection, 1, 12, seed=1)
    # then
    jobs = [row.a.job for row in shown.rows]
    assert (len(set(jobs)), 7 in jobs, max(jobs) <= 30) == (12, False, True)
    # and of several at each place, no more than are wanted of it
    monkeypatch.setattr(side_by_side, "PLACES", 2)
    monkeypatch.setattr(side_by_side, "FEW_MORE", 0)
    with engine.connect() as connection:
        few = [row.a.job for row in sample_run(connection, 1, 4, seed=1).rows]
        read = [connection.execute(side_by_side.MANY, {
            "run": 1, "points": [6], "near": near, "together": 2,
        }).scalars().all() for near in (25, 2, 1)]  # fmt: skip
    # then: pairs that follow one another
    assert sum({job - 1, job + 1} & {*few} != set() for job in few) == len(few) == 4
    assert read == [[6, 8], [6], [6]]
