"""How a queue stands is one thing at every door: page, API, metrics, `rung status` and its JSON,
`rung doctor`; whatever keeps it."""

import re
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from tests.integration.cli.test_watching import drawn
from tests.support.apis import Api, api_over
from tests.support.cli import say
from tests.support.pages import Page
from tests.support.promises import do
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.cli.diagnosis.postgres import examine
from worker.cli.views.ladder import LadderView
from worker.cli.views.now import NowView
from worker.lanes.upkeep.budget_stops import tell_of_stops
from worker.sandbox.redis import free_port
from worker.sandbox.simulator.state import State
from worker.store.actions import holds
from worker.store.actions.selection import whole
from worker.store.audit import Actor
from worker.store.queue import deliveries

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(5)]
PAUSE = ("INSERT INTO tiers (name, paused, paused_by, paused_at, paused_reason)"
         " VALUES ('{}', true, '{}', now(), '{}')")  # fmt: skip
TRIAL = ("INSERT INTO canaries (tier, prompt_version, schema_version, model, good, bad, tried_at)"
         " VALUES ('haiku', 'p', 's', 'm', 2, 1, now() + interval '1 hour')")  # fmt: skip
KEPT = [
    ("ok", "", {}),
    ("paused", PAUSE.format("haiku", "ada", "lunch"), {"paused": True, "paused_by": "ada"}),
    ("paused", PAUSE.format("haiku", "rung", "canary: 5 failed"), {"paused": True}),
    ("paused", PAUSE.format("everything", "ada", "no credit"),
     {"paused": True, "paused_by": "ada", "paused_reason": "no credit"}),
    ("held", "INSERT INTO tiers (name, held_at, held_until, held_reason) VALUES"
     " ('haiku', now(), now() + interval '15 minutes', 'Claude asked for a pause')",
     {"paused": False, "held_reason": "Claude asked for a pause"}),
    ("breaker open", "INSERT INTO tiers (name, breaker, breaker_until, breaker_reason) VALUES"
     " ('haiku', 'open', now() + interval '15 minutes', 'overloaded')", {"breaker": "open"}),
    ("breaker half open", "INSERT INTO tiers (name, breaker) VALUES ('haiku', 'half_open')", {}),
    ("draining", PAUSE.format("haiku", "ada", "drained by hand") + "; UPDATE jobs SET lease_until ="
     " now() + interval '3 minutes', fence = 1 WHERE id = 1", {"paused": True, "waiting": 4}),
    ("on trial", f"{TRIAL}; UPDATE jobs SET lease_until = NULL",
     {"paused": False, "trial_good": 2, "trial_bad": 1}),
    ("no worker", "UPDATE jobs SET lease_until = NULL;"
     " UPDATE workers SET seen_at = now() - interval '5 minutes'", {"workers": 0}),
]  # fmt: skip


@pytest.fixture
def api(
    configured: None,
    engine: Engine,
    database_url: str,
    redis_url: str,
    simulator: tuple[State, str],
) -> Iterator[Api]:
    """The API, and the commands on the same database."""
    policy = {"preset": "single:haiku"}
    settings = settings_for(database_url, simulator[1], redis_url=redis_url, policy=policy)
    with api_over(engine, settings) as served:
        yield served


def at_every_door(api: Api) -> dict[str, Any]:
    """What all of them say of haiku; fails where two do not agree."""
    (told,) = (
        line for line in say("status", "--json").document["queues"] if line["queue"] == "haiku"
    )
    for path in ("/api/tiers", "/api/status"):
        answer = api.get(path)
        lines = answer if isinstance(answer, list) else answer["queues"]
        (line,) = (line for line in lines if line["queue"] == "haiku")
        same = {name: line[name] for name in told if not name.endswith("_s")}
        assert same == {name: told[name] for name in same}, path
        assert line["oldest_wait_s"] == pytest.approx(told["oldest_wait_s"], abs=30)
    page = Page(api.client.get("/", headers={"Accept": "text/html"}).text)
    (row,) = (row for row in page.rows("queues") if row[""] == "haiku")
    assert re.match(rf"{told['state']}\b", row["state"])
    assert (row["waiting"], row["in flight"]) == (str(told["waiting"]), str(told["in_flight"]))
    said = re.search(r"^haiku +(\d+) +(\d+) +(\d+) +(.+?) *$", say("status").out, re.MULTILINE)
    figures = (told["waiting"], told["in_flight"], told["workers"], told["state"])
    assert said is not None
    assert said.groups() == tuple(map(str, figures))
    metrics = {
        name: sample.value
        for family in text_string_to_metric_families(api.client.get("/metrics").text)
        for sample in family.samples
        if sample.labels == {"queue": "haiku"}
        for name in [sample.name.removeprefix("rung_queue_")]
    }
    assert metrics["waiting"] == told["waiting"]
    assert metrics["paused"] == told["paused"]
    assert metrics["on_trial"] == (told["state"] == "on trial")
    assert metrics["oldest_wait_seconds"] == pytest.approx(told["oldest_wait_s"] or 0, abs=30)
    (symptom,) = (one for one in examine(api.settings) if one.name == "queue haiku")
    assert (told["state"] if told["state"] != "ok" else "1 worker, 5 waiting") in symptom.words
    if told["state"] == "on trial":
        goes = (
            "haiku is on trial with a new prompt, schema or model: 2 of 5 trial calls went well,"
            " 1 failed; 5 messages wait, and all go on once 5 went well; if they fail, Rung pauses"
            " haiku"
        )
        assert goes in symptom.words
        assert symptom.ok
        assert f"{goes}." in page.text
        assert f"{goes}." in in_one_line(say("status").out)
        (run,) = say("status", "--json").document["runs"]
        assert run["outlook"] == {
            "level": "calm",
            "done_at": None,
            "words": "not done before haiku is through its trial (2 of 5 trial calls went"
            " well, 1 failed): 5 wait there",
        }
    because = told["paused_reason"] or told["held_reason"] or told["breaker_reason"]
    if because and told["workers"] and because != "drained by hand":
        # Whatever keeps it is said in the same words: who or why, since when, how many wait.
        held = (line for line in say("status").err.splitlines() if " is " in line)
        why = re.sub(r" \((go on|look at|if the) .*", "", next(held))
        assert because.removeprefix("canary: ") in why
        assert told["breaker"] != "closed" or re.search(r"since \d\d:\d\d", why)
        assert "5 messages wait" in why
        assert why.removeprefix("everything") in page.text
        if told["paused_reason"] == because and "everything" not in why:
            assert symptom.words == f"{told['state']}: {why}"
            again = "--anyway" if because.startswith("canary") else "rung resume haiku"
            assert again in str(symptom.mend)
    return dict(told)


SEEN = "UPDATE workers SET seen_at = now() + interval '1 hour'"
"""The worker stays alive however slowly a test gets from door to door."""


def test_what_keeps_a_queue_is_the_same_at_every_door(api: Api) -> None:
    hand_in(api.engine, api.settings, BODIES, name="day")
    do(api.engine, "UPDATE jobs SET state = 'routed', tier = 'haiku',"
       " available_at = now() - interval '10 minutes'")  # fmt: skip
    with working(api.settings):
        do(api.engine, SEEN)
        for word, statement, more in KEPT:
            do(api.engine, "DELETE FROM tiers")
            if statement:
                do(api.engine, statement)
            # when
            told = at_every_door(api)
            # then
            expected = {"state": word, "waiting": 5, "paused": False} | more
            assert {name: told[name] for name in expected} == expected
            assert told["oldest_wait_s"] >= 600


def test_what_waits_for_a_budget_waits_at_every_door(api: Api) -> None:
    # given
    hand_in(api.engine, api.settings, BODIES, name="day", cap=Decimal("0.000001"))
    with working(api.settings) as runtime:
        drain(runtime)
        make_due(api.engine)
        drain(runtime)
        do(api.engine, SEEN)
        tell_of_stops(api.engine)
        do(api.engine, "UPDATE notices SET at = now() - interval '5 minutes'")
        # when
        told = at_every_door(api)
    # then
    assert (told["state"], told["waiting"], told["paused"]) == ("waits for budget", 5, False)
    assert told["oldest_wait_s"] >= 300


def test_nothing_is_called_ok_that_waits_for_redis(
    engine: Engine, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    hand_in(engine, api.settings, BODIES, name="day")
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    monkeypatch.setenv("REDIS_URL", nowhere)
    settings = api.settings.model_copy(update={"redis_url": nowhere})
    with working(settings), api_over(engine, settings) as without:
        do(engine, SEEN)
        # when
        told = at_every_door(without)
        headline = Page(without.client.get("/", headers={"Accept": "text/html"}).text).text
    # then
    assert (told["state"], told["waiting"]) == ("no Redis", 5)
    assert "Nothing goes on: Redis does not answer." in headline


def seen(api: Api, *paths: str) -> dict[str, str]:
    """What pages say."""
    asked = {"Accept": "text/html"}
    return {path: Page(api.client.get(path, headers=asked).text).text for path in paths}


def in_one_line(text: str) -> str:
    """As a wide terminal shows it."""
    return re.sub(r"\s+", " ", text)


def test_who_has_paused_a_run_or_a_webhook_since_when_and_why_is_said_at_every_door(
    api: Api,
) -> None:
    # given
    day = whole(hand_in(api.engine, api.settings, BODIES, name="day"))
    deliveries.announce(api.engine, {"desk": False})
    do(api.engine, "INSERT INTO deliveries (target, job_id, state) VALUES ('desk', 1, 'waiting')")
    holds.pause_run(api.engine, Actor("ada"), day, "moving")
    deliveries.pause(api.engine, Actor("ada"), "desk", "moving")
    # when
    with closing(NowView(api.settings)) as view:
        everything = in_one_line(drawn(view.draw()))
    status, one_run = say("status"), say("status", "day", "--json").document
    doctor = {symptom.name: f"{symptom.words} {symptom.mend}" for symptom in examine(api.settings)}
    now = " ".join(trouble["words"] for trouble in api.get("/api/status")["troubles"])
    of_run = seen(api, "/", "/runs", "/runs/1") | {
        "API": api.get("/api/runs/day")["outlook"]["words"],
        "API of all": now,
        "JSON": one_run["outlook"]["words"],
        "status": status.out,
        "status RUN": say("status", "day").out,
        "watch": in_one_line(drawn(LadderView(api.engine, api.settings, "day").draw())),
        "watch of all": everything,
        "doctor": doctor["run day"],
    }
    of_webhook = seen(api, "/") | {
        "API": now,
        "status": status.err,
        "watch of all": everything,
        "doctor": doctor["deliveries"],
    }
    in_tables = seen(api, "/deliveries") | {"command": in_one_line(say("deliver", "status").out)}
    # then
    pause = r"paused by ada, since \d\d:\d\d: moving"
    for doors, words in (
        (of_run, f"{pause}; 5 messages are open"),
        (of_webhook, f"Deliveries to desk are {pause}; 1 answer waits"),
        (in_tables, pause),
    ):
        silent = {door: text for door, text in doors.items() if not re.search(words, text, re.I)}
        assert silent == {}
    assert "rung resume day" in doctor["run day"]
    for document in (*api.get("/api/runs")["runs"], api.get("/api/runs/day"), one_run):
        assert (document["paused_by"], bool(document["paused_at"])) == ("ada", True)
    # and nowhere once it goes on
    holds.resume_run(api.engine, Actor("ada"), day)
    assert (api.get("/api/runs/day")["paused_by"], "ada" in say("status").out) == (None, False)
