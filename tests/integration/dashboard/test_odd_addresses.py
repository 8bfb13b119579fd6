"""Whatever stands in an address or a form, a person gets a page or a sentence, no bug of ours."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.odd import RAW, VALUES, WORDS, every_address, filled
from tests.support.web import calling, dashboard
from tests.support.works import hand_in, settings_for
from worker.config.settings import Settings
from worker.dashboard.api.endpoints import Endpoint
from worker.dashboard.api.routes import ENDPOINTS
from worker.sandbox.simulator.state import State

TOGETHER = ("²", "9" * 19, "1-2-3", "9999-12-31T23:59:59-14:00", "\ufffe")
"""Of everything that an address may read, at once."""
ALONE = ("9" * 19, "1" * 5_000)
"""Of the API's parameters, each alone, for one would hide the others."""
JSON = {"Content-Type": "application/json"}
LINES, ROW = {"Content-Type": "application/x-ndjson"}, b'{"external_id":"1","body":"Hello"}'
Found = dict[tuple[str, str], int]


@pytest.fixture
def settings(engine: Engine, database_url: str, simulator: tuple[State, str]) -> Settings:
    made = settings_for(database_url, simulator[1])
    hand_in(engine, made, ["Where is my card?"])
    return made


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx2.Client]:
    with dashboard(settings) as url, calling(url) as found:
        yield found


def bugs(found: Found) -> Found:
    return {asked: status for asked, status in found.items() if status >= 500}


def test_no_address_and_no_parameter_is_a_bug_of_ours(
    client: httpx2.Client, settings: Settings
) -> None:
    found = Found()
    for asked in every_address(settings):
        if asked.method != "GET":
            continue
        # when each of its places is odd
        for word in WORDS[::2] if "{" in asked.path else ():
            path = filled(asked.path, quote(word, safe=""))
            found[path, ""] = client.get(path).status_code
        # and all that it may read is, in the same way
        for word in TOGETHER:
            answer = client.get(filled(asked.path), params=dict.fromkeys(asked.names, word))
            found[asked.path, word] = answer.status_code
        if asked.path.startswith("/api/"):
            found |= {
                (asked.path, f"{name} {word[:20]}"): client.get(
                    filled(asked.path), params={name: word}
                ).status_code
                for name in asked.names
                for word in ALONE
            }
    assert len(found) > 300
    assert bugs(found) == {}


def test_no_form_is_a_bug_of_ours(client: httpx2.Client, settings: Settings) -> None:
    token = {"csrf_token": client.headers["X-CSRF-Token"]}
    forms = [
        one
        for one in every_address(settings)
        if one.method == "POST" and not one.path.startswith("/api")
    ]
    found = {
        (form.path, word[:20]): client.post(
            filled(form.path), data=dict.fromkeys(form.names, word) | token
        ).status_code
        for form in forms
        for word in WORDS[::2]
    }
    assert {"/actions/pause", "/audits/verdict", "/hand-over"} <= {path for path, _ in found}
    assert bugs(found) == {}


@pytest.mark.parametrize(
    "endpoint", [one for one in ENDPOINTS if one.method == "POST"], ids=lambda one: one.path
)
def test_no_body_is_a_bug_of_ours(client: httpx2.Client, endpoint: Endpoint) -> None:
    path, found = filled(endpoint.path), Found()
    names = endpoint.body.model_fields if endpoint.body else endpoint.query.model_fields
    for name in names:
        for value in VALUES if endpoint.body else WORDS[::3]:
            if endpoint.body:
                # with what else a body must have, and nothing that changes much
                usual = {"action": "pause", "verdict": "edit", "preview": True, "run": "run"}
                body = {key: usual[key] for key in usual if key in names} | {name: value}
                answer = client.post(path, content=json.dumps(body).encode(), headers=JSON)
            else:
                query = {"dry_run": "true", name: value}
                answer = client.post(path, params=query, content=ROW, headers=LINES)
            found[name, repr(value)[:20]] = answer.status_code
    for raw in RAW:
        found["", repr(raw[:20])] = client.post(path, content=raw, headers=JSON).status_code
    assert bugs(found) == {}


def test_a_nul_is_refused_at_the_gate(settings: Settings) -> None:
    with dashboard(settings) as url, calling(url) as client:
        assert client.get("/jobs?q=%00").status_code == 400
        assert client.get("/api/jobs?where=%00").status_code == 400
        form = {"csrf_token": client.headers["X-CSRF-Token"], "name": "\x00"}
        assert client.post("/deliveries/pause", data=form).status_code == 400
