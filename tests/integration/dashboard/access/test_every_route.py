"""Who may do what at every route, by the routes themselves: a new one is held to it unlisted."""

import json
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from starlette.routing import Route

from tests.support.guarding import METRICS, TOKEN, csrf_of, guarding, sign_in
from tests.support.promises import do, many, one
from tests.support.web import browsing, visiting
from tests.support.works import drain, hand_in, settings_for, working
from worker.dashboard.app import create_app
from worker.sandbox.simulator.state import State

PLANTED = "zanzibar-4711"
OPEN = {
    ("GET", "/login"), ("POST", "/login"), ("GET", "/favicon.ico"), ("GET", "/healthz"),
    ("GET", "/metrics"),
}  # fmt: skip
"""What needs no session: health and metrics have tokens of their own."""
OWN = {("POST", "/logout")}
"""What a viewer may do, which is to leave."""
NAMES = {"action": "pause", "deed": "pause", "rest": "status", "number": "1"}
"""What stands in addresses, where it is not 1."""
ASKED = ("", "?text=true", "?text=1&run=day&with=day&where=state+%3D+answered&format=csv")
UNCHANGED = """
SELECT (SELECT count(*) FROM audit_events WHERE actor <> 'ada') AS deeds,
  (SELECT count(*) FROM tiers WHERE paused) AS paused, (SELECT count(*) FROM runs) AS runs,
  (SELECT count(*) FROM reviews) AS reviews
"""


CHOSEN = """
INSERT INTO audit_events (actor, action, target, detail)
VALUES ('ada', 'cancel', :where, CAST(:detail AS jsonb))
"""
"""Somebody chose jobs by what a customer wrote."""


@pytest.fixture
def served(engine: Engine, database_url: str, simulator: tuple[State, str]) -> Iterator[str]:
    """A guarded dashboard over an answered message whose every word is planted."""
    settings = settings_for(database_url, simulator[1])
    reply = f"We have looked into {PLANTED}, and your card is on its way to you, as promised."
    simulator[0].moods.replace(
        [{"match": {"purpose": "answer"}, "do": {"merge": {"reply": reply}}}]
    )
    told = {"subject": f"About {PLANTED}", "metadata": {"order": PLANTED}}
    hand_in(engine, settings, [f"Where is {PLANTED}?"] * 2, name="day", **told)
    with working(settings) as runtime:
        drain(runtime)
    where = f"subject contains {PLANTED} and metadata.order = {PLANTED}"
    values = {"where": where, "detail": json.dumps({"where": where})}
    do(engine, CHOSEN, **values)
    with guarding(database_url) as url:
        yield url


def routes(database_url: str) -> list[tuple[str, str]]:
    """Each method with a path that leads there."""
    app = create_app(settings_for(database_url, "http://127.0.0.1:1"))
    app.state.dashboard.engine.dispose()
    return sorted(
        (method, re.sub(r"{(\w+)(?::\w+)?}", lambda name: NAMES.get(name[1], "1"), route.path))
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    )


def test_who_may_do_what_at_every_route(served: str, engine: Engine, database_url: str) -> None:
    found = routes(database_url)
    changing = [(method, path) for method, path in found if method != "GET"]
    reading = [path for method, path in found if method == "GET" and not path.startswith("/live")]
    assert {method for method, _ in found} >= {"GET", "POST", "DELETE"}
    assert len(found) > 60
    before = one(engine, UNCHANGED)
    with visiting(served) as stranger, browsing(served) as bob, visiting(served) as program:
        sign_in(bob, "bob", "viewer's word")
        csrf = csrf_of(bob)
        # then a stranger reaches nothing
        told = {
            (method, path): stranger.request(method, path, headers={"Accept": "*/*"}).status_code
            for method, path in found
        }
        assert {key for key, code in told.items() if code != 401} <= OPEN
        # and a viewer changes nothing, however it is sent
        for method, path in changing:
            if (method, path) in OPEN | OWN:
                continue
            form = bob.request(method, path, data={"csrf_token": csrf})
            plain = bob.request(method, path, json={}, headers={"X-CSRF-Token": csrf})
            assert (method, path, form.status_code, plain.status_code) == (method, path, 403, 403)
        # nor reads what customers wrote and were written, whatever is asked for
        for path in reading:
            for query in ASKED:
                answer = bob.get(path + query)
                assert PLANTED not in answer.text, path + query
                assert PLANTED not in str(answer.headers), path + query
                assert answer.status_code < 500, path + query
        # and nobody's session goes in another's name
        program.headers["Authorization"] = f"Bearer {METRICS}"
        assert program.get("/api/status").status_code == 401
    assert one(engine, UNCHANGED) == before


def test_an_operator_reads_it_where_it_is_asked_for(served: str, engine: Engine) -> None:
    """So the test above would see it."""
    with visiting(served, headers={"Authorization": f"Bearer {TOKEN}"}) as program:
        assert PLANTED in program.get("/api/jobs/1?text=true").text
        assert PLANTED not in program.get("/api/jobs/1").text
    assert many(engine, "SELECT actor FROM audit_events WHERE action = 'read text'")


def test_by_what_words_jobs_were_chosen_is_for_who_may_read_them(served: str) -> None:
    with visiting(served) as bob, visiting(served) as ada:
        sign_in(bob, "bob", "viewer's word")
        sign_in(ada, "ada", "enchantress of numbers")
        # then a viewer sees that and not by which, and learns no word by looking for it
        assert "subject contains … and metadata.order = …" in bob.get("/audit").text
        told = bob.get("/api/audit").json()["events"]
        assert told[0]["detail"]["where"] == "subject contains … and metadata.order = …"
        found = "None of the newest"
        assert [found in bob.get(f"/audit?target={w}").text for w in ("zanz", "subject")] == [
            True, False
        ]  # fmt: skip
        assert f"subject contains {PLANTED}" in ada.get("/audit?target=zanz").text


def test_no_change_goes_through_without_the_persons_own_token(
    served: str, engine: Engine, database_url: str
) -> None:
    before = one(engine, UNCHANGED)
    with visiting(served) as ada, visiting(served) as bob:
        sign_in(ada, "ada", "enchantress of numbers")
        sign_in(bob, "bob", "viewer's word")
        # when an operator's browser sends none, one of nobody's, or another's
        for method, path in routes(database_url):
            if method == "GET" or (method, path) in OPEN:
                continue
            for token in (None, "x", csrf_of(bob)):
                form = ada.request(method, path, data={"csrf_token": token} if token else {})
                plain = ada.request(
                    method, path, json={}, headers={"X-CSRF-Token": token} if token else {}
                )
                # then
                said = (method, path, token, form.status_code, plain.status_code)
                assert said == (method, path, token, 403, 403)
    assert one(engine, UNCHANGED) == before


def test_metrics_hold_no_word_of_a_customer(served: str) -> None:
    with visiting(served, headers={"Authorization": f"Bearer {METRICS}"}) as scraper:
        told = scraper.get("/metrics")
    assert (told.status_code, "rung_jobs" in told.text) == (200, True)
    assert PLANTED not in told.text
