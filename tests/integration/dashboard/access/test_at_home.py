"""A dashboard on loopback: the token in the address lets in, and nothing else does."""

from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.guarding import PAUSE, TOKEN, USERS, paused, serving
from tests.support.promises import one
from tests.support.web import LOCAL_TOKEN, browsing, from_elsewhere, visiting
from worker.dashboard.access.passwords import hash_token

TOKENS = {"helpdesk": {"sha256": hash_token(TOKEN), "role": "operator"}}
JSON = {"Accept": "application/json"}


@pytest.fixture
def home(database_url: str) -> Iterator[str]:
    with serving(database_url) as url:
        yield url


def test_another_user_of_the_machine_and_a_plain_proxy_are_strangers(
    home: str, engine: Engine
) -> None:
    # given: nginx as it comes adds no header, and rewrites Host to the dashboard's own
    with visiting(home) as anybody:
        # when
        told = anybody.get("/api/session", headers=JSON)
        done = anybody.post("/api/actions", json=PAUSE, headers={"X-CSRF-Token": "0" * 43})
        page, metrics = anybody.get("/jobs?run=1"), anybody.get("/metrics")
    # then
    assert (told.status_code, done.status_code, paused(engine)) == (401, 401, 0)
    assert (page.status_code, metrics.status_code) == (303, 401)
    assert page.headers["location"] == "/login?next=%2Fjobs%3Frun%3D1"


def test_the_address_with_the_token_becomes_a_cookie_at_once(home: str) -> None:
    with visiting(home) as person:
        # when
        opened = person.get("/runs", params={"token": LOCAL_TOKEN, "before": "7"})
        inside = person.get(opened.headers["location"])
        session = person.get("/api/session").json()
    # then
    assert (opened.status_code, opened.headers["location"]) == (303, "/runs?before=7")
    assert LOCAL_TOKEN not in opened.headers["location"] + opened.text
    assert "HttpOnly" in opened.headers["set-cookie"]
    assert inside.status_code == 200
    assert (session["user"], session["role"], session["via"]) == ("local", "operator", "loopback")


@pytest.mark.parametrize("wrong", ["", "x", LOCAL_TOKEN[:-1], f"{LOCAL_TOKEN}x", "é"])
def test_a_wrong_token_opens_nothing(home: str, wrong: str) -> None:
    with visiting(home) as person:
        opened = person.get("/", params={"token": wrong})
        pasted = person.post("/login", data={"token": wrong})
        called = person.get(
            "/api/status", headers={"Authorization": f"Bearer{wrong and ' '}{wrong}".encode()}
        )
    assert [a.status_code for a in (opened, pasted, called)] == [401, 403, 401]
    assert dict(person.cookies) == {}


def test_the_token_can_be_pasted_and_sent_by_a_program(home: str, engine: Engine) -> None:
    with visiting(home) as person, visiting(home, headers=JSON) as program:
        form = person.get("/login")
        pasted = person.post("/login", data={"token": LOCAL_TOKEN, "next": "/runs"})
        program.headers["Authorization"] = f"Bearer {LOCAL_TOKEN}"
        done = program.post("/api/actions", json=PAUSE)
    assert "rung up" in form.text
    assert (pasted.status_code, pasted.headers["location"]) == (303, "/runs")
    assert (done.status_code, paused(engine)) == (200, 1)
    assert one(engine, "SELECT actor FROM audit_events")[0] == "local"


def test_a_programs_token_locks_nobody_out(database_url: str, engine: Engine) -> None:
    # given
    with serving(database_url, tokens=TOKENS) as url:
        with browsing(url) as person, visiting(url, headers=JSON) as program:
            # when
            looked = person.get("/")
            program.headers["Authorization"] = f"Bearer {TOKEN}"
            done = program.post("/api/actions", json=PAUSE)
        with visiting(url) as anybody:
            page = anybody.get("/login")
    # then
    assert looked.status_code == 200
    assert (done.status_code, paused(engine)) == (200, 1)
    assert 'name="token"' in page.text


def test_a_program_without_a_token_is_told_how_to_get_one(home: str) -> None:
    with visiting(home, headers=JSON) as program, browsing(home, headers=JSON) as inside:
        refused = [
            program.get("/api/status"),
            program.post("/api/runs", content=b"{}", headers={"Content-Type": "text/csv"}),
            program.get("/api/status", headers={"Authorization": "Bearer wrong"}),
            inside.post("/api/actions", json=PAUSE),
        ]
    for answer in refused:
        assert "Authorization: Bearer" in answer.json()["mend"]
        assert "rung dashboard token" in answer.json()["mend"]
    assert [answer.status_code for answer in refused] == [401, 401, 401, 403]
    assert "CSRF" not in refused[1].text


def test_where_people_sign_in_the_token_of_the_address_is_nothing(database_url: str) -> None:
    with serving(database_url, users=USERS, token=LOCAL_TOKEN) as url, visiting(url) as person:
        opened = person.get("/", params={"token": LOCAL_TOKEN})
        header = {"Authorization": f"Bearer {LOCAL_TOKEN}"}
        called = person.get("/api/status", headers=header)
    assert opened.headers["location"].startswith("/login?")
    assert called.status_code == 401


def test_the_token_is_taken_from_elsewhere_too(home: str) -> None:
    """Whoever has it was given it; where they sit says nothing."""
    with browsing(home, transport=from_elsewhere()) as person:
        assert person.get("/api/session").json()["user"] == "local"


CROSS = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


def test_another_site_reads_nothing_and_fills_no_audit(home: str, engine: Engine) -> None:
    def codes(client: httpx2.Client, headers: dict[str, str]) -> list[int]:
        paths = ("/", "/api/jobs/1?text=true", "/jobs/1?text=1", "/api/runs/x/results?text=true")
        return [client.get(path, headers=headers).status_code for path in paths]

    with browsing(home) as person:
        fetched, linked = codes(person, CROSS), codes(person, LINK)
        neighbour = codes(person, {**CROSS, "Sec-Fetch-Site": "same-site"})
        # of a browser that says no more than an origin
        old = [codes(person, {"Origin": one}) for one in ("null", "https://evil.example", "//")]
        own = person.get("/", headers={"Sec-Fetch-Site": "same-origin", "Origin": home})
    assert (fetched, neighbour, old) == ([403] * 4, [403] * 4, [[403] * 4] * 3)
    assert linked == [200, 403, 403, 403]
    assert own.status_code == 200
    assert one(engine, "SELECT count(*) FROM audit_events")[0] == 0
