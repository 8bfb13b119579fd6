"""Answers on their way to webhooks, as the dashboard shows them: the page and its buttons, the
first page, metrics."""

import re

import pytest
from sqlalchemy import Engine

from tests.support.guarding import csrf_of, guarding, sign_in
from tests.support.promises import do, many, one
from tests.support.web import browsing
from tests.support.works import hand_in, settings_for
from worker.store.queue import deliveries

STATES = "SELECT state FROM deliveries ORDER BY job_id"


@pytest.fixture(autouse=True)
def waiting(engine: Engine) -> None:
    """A webhook for which one answer waits since an hour, and one was given up."""
    deliveries.announce(engine, {"help<b>desk": False})
    hand_in(engine, settings_for("", ""), ["one", "two"], name="day")
    do(engine, "INSERT INTO deliveries (target, job_id, state, created_at, ended_at, error) VALUES"
       " ('help<b>desk', 1, 'waiting', now() - interval '1 hour', NULL, 'ReadError'),"
       " ('help<b>desk', 2, 'dead', now(), now(), 'HTTP 500')")  # fmt: skip


def test_deliveries_are_seen_paused_and_tried_again(engine: Engine, database_url: str) -> None:
    with guarding(database_url) as url, browsing(url) as ada, browsing(url) as bob:
        sign_in(ada, "ada", "enchantress of numbers")
        sign_in(bob, "bob", "viewer's word")
        name = {"name": "help<b>desk"}
        csrf = {"csrf_token": csrf_of(ada)}
        # when
        page, now = ada.get("/deliveries").text, ada.get("/").text
        metrics = ada.get("/metrics", headers={"Authorization": "Bearer metrics-token"}).text
        refused = [
            ada.post("/deliveries/pause", data=name),
            bob.post("/deliveries/pause", data={**name, "csrf_token": csrf_of(bob)}),
        ]
        paused = ada.post("/deliveries/pause", data={**name, **csrf, "reason": "moving"})
        then = ada.get("/").text
        resumed = ada.post("/deliveries/resume", data={**name, **csrf})
        again = ada.post("/deliveries/replay", data={**name, **csrf})
        nothing = [
            ada.post("/deliveries/replay", data={**name, **csrf}),
            ada.post("/deliveries/erase", data={**name, **csrf}),
        ]
        seen = bob.get("/deliveries").text
    # then
    assert "help&lt;b&gt;desk" in page
    assert "the connection broke" in page
    assert "1 answer could not be delivered to help&lt;b&gt;desk: given up." in now
    assert "help&lt;b&gt;desk has not taken an answer for 1 h: the connection broke." in now
    assert 'rung_deliveries{state="dead",webhook="help<b>desk"} 1.0' in metrics
    assert 'rung_delivery_oldest_seconds{webhook="help<b>desk"} 36' in metrics
    assert [answer.status_code for answer in refused] == [403, 403]
    assert [answer.status_code for answer in (paused, resumed, again)] == [303] * 3
    assert re.search(r"are paused by ada, since \d\d:\d\d: moving; 1 answer waits\.", then)
    assert [answer.status_code for answer in nothing] == [409, 404]
    assert 'action="/deliveries/' not in seen
    assert [row[0] for row in many(engine, STATES)] == ["waiting", "waiting"]
    events = one(engine, "SELECT array_agg(actor || ' ' || action ORDER BY id) FROM audit_events")
    assert events[0] == ["ada pause", "ada resume", "ada replay"]
