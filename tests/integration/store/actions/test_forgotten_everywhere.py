"""One mark of one customer, brought in through every door there is, and looked for everywhere."""

import base64
import contextlib
import functools
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from pydantic import SecretStr
from sqlalchemy import Engine

import rung
from tests.integration.lanes.upkeep.test_receivers import speaking
from tests.integration.store.actions.test_erasure import holding
from tests.support.apis import JSONL, Api, api_over
from tests.support.cli import Said, say
from tests.support.promises import do, many
from tests.support.works import drain, make_due, working
from worker.config.doors import DeliverSettings
from worker.config.loading import load_settings
from worker.config.nightly import NightlySettings
from worker.config.settings import Settings
from worker.errors import RungError
from worker.lanes.upkeep.deliverer import Deliverer
from worker.runs import nights
from worker.runs.nights import fire_now
from worker.sandbox.simulator.state import State
from worker.store.audit import Actor
from worker.store.queue import deliveries
from worker.telemetry import QUIET, JsonLines

MARK = "zanzibar-4711"
"""The customer's id, and part of all that they wrote and that anybody said of it."""
CONFIG = """
[canary]
enabled = false
[policies.acme]
extends = "single:haiku"
[policies.acme.context]
fields = ["order"]
history = true
lookups = ["orders"]
[policies.acme.accept]
validators = [{ name = "quoting" }]
[policies.acme.climb]
by_reason = { quoting = "again" }
[validators]
quoting = "code.py:check"
[lookups.orders]
path = "code.py:orders"
match = []
on_failure = "without"
"""
CODE = """
def check(draft, options):
    return None if "fine" in draft.reply else f"no good: {draft.reply}"

async def orders(messages, options):
    if any("lost" in one.body for one in messages):
        raise ValueError(messages[0].body)
    return [{"order": f"of {one.customer_id}"} for one in messages]
"""
BEFORE = {
    *("messages", "contexts", "results", "calls", "attempts", "reviews", "runs", "tiers"),
    *("notices", "audit_events", "firings", "delivery_targets"),
}
"""Where it is when everything has been done."""
HISTORY = [{"who": "agent", "text": f"{MARK}, we are on it."}]
QUOTE = f"Your message 'Where is {MARK}?' is bad"


def row(number: int, body: str = "Where is", **more: Any) -> dict[str, Any]:
    told = {"external_id": f"{MARK}-{number}", "body": f"{body} {MARK}?", "customer_id": MARK}
    return {**told, "subject": f"About {MARK}", "order": MARK, "history": HISTORY, **more}


def lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(one) for one in rows).encode()


def done(said: Said, *codes: int) -> None:
    assert said.code in (codes or (0,)), said.err


@pytest.fixture
def settings(configured: None, tmp_path: Path) -> Settings:
    """Rate limits are Redis's, and look-ups, validators and policies somebody's own."""
    (tmp_path / "rung.toml").write_text(CONFIG)
    (tmp_path / "code.py").write_text(CODE)
    return load_settings()


@contextlib.contextmanager
def answering(simulator: tuple[State, str], does: dict[str, Any]) -> Iterator[None]:
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": does}])
    yield
    simulator[0].moods.replace([])


def worked(settings: Settings, *, rounds: int = 1) -> None:
    with working(settings) as runtime:
        for _ in range(rounds):
            drain(runtime)
            runtime.mind_lookups()
            make_due(runtime.engine)


def reply(words: str) -> dict[str, Any]:
    return {"json": {"reply": words, "grounds": MARK, "confidence": 0.9}}


def handed_in(engine: Engine, settings: Settings, api: Api, tmp_path: Path) -> None:
    """By file, with rows that cannot be taken; by the API; and by a program."""
    backlog = tmp_path / "backlog.jsonl"
    bad = json.dumps({"external_id": f"{MARK}-bad", "customer_id": MARK, "body": ""}).encode()
    backlog.write_bytes(lines(row(1), row(2, "It is lost:")) + b"\n" + bad + b"\nno JSON " + bad)
    done(say("enqueue", str(backlog), "--run", "file", "--policy", "acme"), 0, 3)
    table = tmp_path / "table.csv"
    table.write_text(f"external_id,body,customer_id,order\n{MARK}-3,Where is {MARK}?,{MARK},{MARK}")
    done(say("enqueue", str(table), "--run", "table", "--policy", "acme"))
    answer = api.post_run(lines(row(4), row(5)), JSONL, run="api", policy="acme")
    assert answer.status_code == 201, answer.text
    refused = api.post_run(b"[" + lines(row(6)), JSONL, run="refused")
    assert refused.status_code >= 400, refused.text
    with rung.connect(settings.database_url) as client:  # type: ignore[arg-type]
        client.enqueue([row(7)], run="program", policy="acme")


def answered(settings: Settings, simulator: tuple[State, str]) -> None:
    """Badly, with words that a validator quotes and that the next try is told; then well."""
    with answering(simulator, reply(f"We know nothing of {MARK}.")):
        worked(settings)
    done(say("enqueue", "table.csv", "--run", "good", "--policy", "acme", "--again"))
    with answering(simulator, reply(f"All is fine with {MARK}.")):
        worked(settings)


def quoted(settings: Settings, simulator: tuple[State, str]) -> None:
    """By a gateway that refuses, and by one whose key is said to be wrong, which pauses a tier."""
    for status in (400, 500, 401):
        done(say("enqueue", "table.csv", "--run", f"of {status}", "--policy", "acme", "--again"))
        with answering(simulator, {"status": status, "message": QUOTE}):
            worked(settings, rounds=3)


def judged(engine: Engine, api: Api, tmp_path: Path) -> None:
    """A rejection by command, and an edit by the API."""
    first, second = [r.id for r in many(engine, "SELECT id FROM jobs WHERE state='review'")][:2]
    done(say("review", "--reject", str(first), "--reason", f"{MARK} is ours"))
    verdict = {"verdict": "edit", "reply": f"{MARK} is on its way", "reason": f"so says {MARK}"}
    answer = api.client.post(f"/api/jobs/{second}/verdict", json=verdict)
    assert answer.status_code == 200, answer.text


def chosen(engine: Engine, settings: Settings, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """By filters that name them: to cancel, to retry, for good, by night, and in vain."""
    where = f"customer = {MARK} or subject contains {MARK}"
    done(say("cancel", "--where", f"{where} and state = queued", "--yes"))
    api.get("/api/jobs", where=where)
    api.act(action="cancel", where=f"metadata.order = {MARK} and state = queued")
    done(say("reprocess", "--where", where, "--name", "again", "--policy", "acme"))
    do(engine, "UPDATE jobs SET state='cancelled', finished_at=now() WHERE finished_at IS NULL")
    night = {"cron": "0 2 * * *", "timezone": "UTC", "where": where, "policy": "acme"}
    by = settings.model_copy(
        update={"schedule": {"nightly": NightlySettings.model_validate(night)}}
    )
    fire_now(engine, by, "nightly", Actor("ada"))
    do(engine, "UPDATE jobs SET state='cancelled', finished_at=now() WHERE finished_at IS NULL")
    with monkeypatch.context() as patched:
        patched.setattr(nights, "reprocess", functools.partial(refusing, where))
        fire_now(engine, by, "nightly", Actor("ada"), again=True)


def refusing(where: str, *_: Any) -> None:
    raise RungError(f"{where} is not to be done")


def said(engine: Engine) -> None:
    """Why something was paused, in people's own words."""
    why = f"{MARK} has complained"
    for what in (("pause", "opus"), ("pause", "file"), ("drain", "sonnet")):
        done(say(*what, "--reason", why), 0, 1)
    done(say("deliver", "pause", "desk", "--reason", why))


def delivered(engine: Engine) -> None:
    """To a receiver whose answer quotes what it was told."""
    words = json.dumps({"error": QUOTE}).encode()
    head = f"HTTP/1.1 422 {MARK}\r\ncontent-length: {len(words)}\r\n\r\n".encode()
    deliveries.announce(engine, {"desk": True})
    do(engine, "INSERT INTO deliveries (target, job_id) SELECT 'desk', job_id FROM results LIMIT 1")
    with speaking(head + words) as url:
        target = DeliverSettings(
            url=SecretStr(url), secret=SecretStr("whsec_c2VjcmV0IG9mIHRoZSBoZWxw"), simulated=True
        )
        courier = Deliverer(engine, {"desk": target})
        courier.deliver_due()
        courier.stop()


def in_redis(url: str) -> list[str]:
    """Keys that hold the mark, in plain or as Celery packs it."""
    client = redis_client.Redis.from_url(url)
    readers: dict[bytes, Callable[[Any], Any]] = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    found = []
    for key in client.scan_iter():
        value = repr((key, readers[client.type(key)](key)))
        packed = [base64.b64encode(MARK.encode()[n : n + 6]).decode() for n in range(3)]
        if any(words in value for words in (MARK, *packed)):
            found.append(key.decode())
    client.close()
    return found


def test_a_mark_that_came_through_every_door_is_nowhere_when_it_is_forgotten(
    engine: Engine,
    settings: Settings,
    simulator: tuple[State, str],
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(JsonLines())
    for name in QUIET:
        caplog.set_level(logging.WARNING, name)
    # given
    with api_over(engine, settings) as api:
        handed_in(engine, settings, api, tmp_path)
        answered(settings, simulator)
        judged(engine, api, tmp_path)
        quoted(settings, simulator)
        delivered(engine)
        said(engine)
        chosen(engine, settings, api, monkeypatch)
        assert holding(engine, MARK) == BEFORE
        # when
        done(say("forget", "--customer", MARK, "--ids", "--yes"))
    # then
    assert holding(engine, MARK) == set()
    assert in_redis(redis_url) == []
    assert [line for line in caplog.text.splitlines() if MARK in line] == []
