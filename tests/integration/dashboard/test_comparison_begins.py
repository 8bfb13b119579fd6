"""Two policies on a sample of a run, begun from a page: as `rung compare --policies` begins it."""

from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.guarding import csrf_of, guarding, sign_in
from tests.support.pages import Page
from tests.support.promises import do, many, one
from tests.support.web import browsing, dashboard
from tests.support.works import hand_in, settings_for
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State

BEGIN = "/comparisons"


@pytest.fixture
def settings(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], redis_url=redis_url)


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[httpx2.Client]:
    hand_in(engine, settings, [f"Where is parcel {n}?" for n in range(30)], name="day")
    with dashboard(settings) as url, browsing(url) as found:
        yield found


def form(client: httpx2.Client) -> dict[str, str]:
    return dict(Page(client.get("/runs/day/compare").text).form(BEGIN))


def test_two_policies_answer_a_sample_in_runs_of_their_own(
    client: httpx2.Client, engine: Engine
) -> None:
    # given
    do(engine, "UPDATE jobs SET state = 'answered', tier = 'haiku', finished_at = now()")
    assert "/runs/1/compare" in Page(client.get("/runs/day").text).links()
    given = {**form(client), "a": "ladder", "b": "single:haiku", "sample": "12", "max_cost": "3"}
    # when
    answer = client.post(BEGIN, data=given, follow_redirects=False)
    # then
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/runs/2/compare?with=compare-single")
    page = Page(client.get(answer.headers["location"]).text)
    assert "compare-ladder" in page.text
    assert "12 messages have not ended in both" in page.text
    found = many(engine, "SELECT policy_name, kind, lane, budget_cap FROM runs WHERE id > 1")
    assert sorted(map(tuple, found)) == [
        ("ladder", "shadow", "realtime", 1.5), ("single:haiku", "shadow", "realtime", 1.5)
    ]  # fmt: skip
    of_both = "SELECT count(*), count(DISTINCT message_id) FROM jobs WHERE run_id > 1"
    assert tuple(one(engine, of_both)) == (24, 12)
    told = one(engine, "SELECT action, affected FROM audit_events ORDER BY id DESC LIMIT 1")
    assert tuple(told) == ("compare", 12)


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"b": "ladder"}, "Choose two policies"),
        ({"b": ""}, "Choose two policies"),
        ({"b": "laddr"}, "Did you mean ladder?"),
        ({"sample": "0"}, "between 1 and 10,000"),
        ({"sample": "many"}, "between 1 and 10,000"),
        ({"max_cost": "nan"}, "is not an amount of dollars"),
        ({"lane": "express"}, "express"),
        ({"run": "nope"}, "nope"),
    ],
)
def test_what_is_odd_is_a_sentence_and_begins_nothing(
    client: httpx2.Client, engine: Engine, odd: dict[str, str], said: str
) -> None:
    answer = client.post(BEGIN, data={**form(client), "a": "ladder", "b": "route", **odd})
    assert answer.status_code in (404, 422)
    assert said in Page(answer.text).text
    assert one(engine, "SELECT count(*) FROM runs")[0] == 1


def test_who_may_only_look_sees_the_command_and_begins_nothing(
    settings: Settings, engine: Engine, database_url: str
) -> None:
    hand_in(engine, settings, ["Where is it?"], name="day")
    with guarding(database_url) as url, browsing(url) as bob:
        sign_in(bob, "bob", "viewer's word")
        page = Page(bob.get("/runs/day/compare").text)
        given = {"run": "day", "a": "ladder", "b": "route", "sample": "1"}
        refused = bob.post(BEGIN, data={**given, "csrf_token": csrf_of(bob)})
    assert "rung compare --policies A,B --sample 200 day" in page.text
    assert "An operator may begin one" in page.text
    assert refused.status_code == 403
    assert one(engine, "SELECT count(*) FROM runs")[0] == 1
