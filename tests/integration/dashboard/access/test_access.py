"""Who gets in, and who may change what: strangers, viewers, operators, programs, other sites."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.guarding import (
    HEALTH,
    METRICS,
    PAUSE,
    TOKEN,
    USERS,
    csrf_of,
    guarding,
    paused,
    serving,
    sign_in,
)
from tests.support.promises import one
from tests.support.web import browsing, from_elsewhere, visiting


@pytest.fixture
def guarded(database_url: str) -> Iterator[str]:
    with guarding(database_url) as url:
        yield url


def test_a_stranger_sees_nothing(guarded: str) -> None:
    pages, documents = ("/", "/runs", "/nope"), ("/api/status", "/api/openapi.json", "/api/jobs/1")
    with browsing(guarded) as person, browsing(guarded, headers={"Accept": "*/*"}) as program:
        # when
        shown = [person.get(path) for path in pages]
        told = [program.get(path) for path in (*pages, *documents)]
    # then
    assert [answer.status_code for answer in shown] == [303] * 3
    assert all(answer.headers["location"].startswith("/login?next=%2F") for answer in shown)
    assert [answer.status_code for answer in told] == [401] * 6
    assert {answer.headers["content-type"] for answer in told} == {"application/problem+json"}


def test_signing_in_leads_on_and_signing_out_ends_the_session(guarded: str) -> None:
    with browsing(guarded) as client:
        # when
        entered = sign_in(client, "ada", "enchantress of numbers", next="/?a=1")
        cookie = entered.headers.get_list("set-cookie")[0]
        inside = client.get("/")
        kept = dict(client.cookies)
        out = client.post("/logout", data={"csrf_token": csrf_of(client)})
        # then
        assert (entered.status_code, entered.headers["location"]) == (303, "/?a=1")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert inside.status_code == 200
        assert out.headers["location"] == "/login"
    with browsing(guarded, cookies=kept) as thief:
        assert thief.get("/").status_code == 303


def test_cookies_travel_over_https_only_where_that_is_said(database_url: str) -> None:
    with serving(database_url, users=USERS, https=True) as url, browsing(url) as client:
        cookies = sign_in(client, "ada", "enchantress of numbers").headers.get_list("set-cookie")
    assert [cookie.endswith("; Secure") for cookie in cookies] == [True, True]


def test_a_wrong_name_and_a_wrong_password_look_the_same(guarded: str) -> None:
    # given
    wrong = [("ada", "wrong"), ("nobody", "wrong"), ("ada", ""), ("", ""), ("bob", "x" * 5_000)]
    with browsing(guarded) as client:
        # when
        answers = [sign_in(client, name, password) for name, password in wrong]
        # then
        assert [answer.status_code for answer in answers] == [403] * 5
        assert len({answer.text for answer in answers}) == 1
        assert dict(client.cookies) == {}


def test_guessing_at_one_name_does_not_keep_others_out(guarded: str) -> None:
    with browsing(guarded) as client, browsing(guarded, transport=from_elsewhere()) as ada:
        for number in range(6):
            sign_in(client, "ada", f"guess {number}")
        assert sign_in(client, "bob", "viewer's word").status_code == 303
        assert sign_in(ada, "ada", "enchantress of numbers").status_code == 303


def test_an_operator_changes_things_and_a_viewer_does_not(guarded: str, engine: Engine) -> None:
    with browsing(guarded) as ada, browsing(guarded) as bob:
        sign_in(ada, "ada", "enchantress of numbers")
        sign_in(bob, "bob", "viewer's word")
        # when
        refused = bob.post("/api/actions", json=PAUSE, headers={"X-CSRF-Token": csrf_of(bob)})
        before = paused(engine)
        done = ada.post("/api/actions", json=PAUSE, headers={"X-CSRF-Token": csrf_of(ada)})
    # then
    assert (refused.status_code, before) == (403, 0)
    assert (done.status_code, paused(engine)) == (200, 1)
    assert one(engine, "SELECT actor, action, target FROM audit_events") == ("ada", "pause", "opus")


def test_a_change_needs_the_persons_own_csrf_token(guarded: str, engine: Engine) -> None:
    with browsing(guarded) as ada, browsing(guarded) as bob:
        sign_in(ada, "ada", "enchantress of numbers")
        sign_in(bob, "bob", "viewer's word")
        wrong: list[dict[str, str]] = [
            {},
            {"X-CSRF-Token": ""},
            {"X-CSRF-Token": "0" * 64},
            {"X-CSRF-Token": csrf_of(bob)},
        ]
        # when
        codes = [ada.post("/api/actions", json=PAUSE, headers=h).status_code for h in wrong]
        form = ada.post("/logout", data={"csrf_token": "guess"})
    # then
    assert (codes, form.status_code, paused(engine)) == ([403] * 4, 403, 0)


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


def test_another_sites_post_is_refused_even_with_session_and_token(
    guarded: str, engine: Engine
) -> None:
    with browsing(guarded) as ada:
        sign_in(ada, "ada", "enchantress of numbers")
        token = {"X-CSRF-Token": csrf_of(ada)}
        answers = [ada.post("/api/actions", json=PAUSE, headers=h | token) for h in FOREIGN]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert paused(engine) == 0


def test_our_own_pages_origin_is_taken(guarded: str, engine: Engine) -> None:
    with browsing(guarded) as ada:
        sign_in(ada, "ada", "enchantress of numbers")
        headers = {"Origin": guarded, "Sec-Fetch-Site": "same-origin"}
        headers["X-CSRF-Token"] = csrf_of(ada)
        answer = ada.post("/api/actions", json=PAUSE, headers=headers)
    assert (answer.status_code, paused(engine)) == (200, 1)


def test_a_program_needs_its_token_and_no_csrf_token(guarded: str, engine: Engine) -> None:
    with browsing(guarded) as client:
        right, wrong = (
            client.post("/api/actions", json=PAUSE, headers={"Authorization": value})
            for value in (f"Bearer {TOKEN}", f"Bearer {TOKEN}x")
        )
        basic = client.get("/api/status", headers={"Authorization": "Basic YWRhOmFkYQ=="})
    assert (right.status_code, wrong.status_code, basic.status_code) == (200, 401, 401)
    assert one(engine, "SELECT actor FROM audit_events")[0] == "helpdesk"


def test_metrics_and_health_have_tokens_of_their_own(guarded: str) -> None:
    with browsing(guarded) as client:
        sign_in(client, "ada", "enchantress of numbers")
        codes = {
            (path, token): client.get(
                path, headers={"Authorization": f"Bearer {token}"} if token else {}
            ).status_code
            for path in ("/metrics", "/healthz")
            for token in (METRICS, HEALTH, TOKEN, "")
        }
    assert codes == {
        ("/metrics", METRICS): 200,
        ("/metrics", HEALTH): 401,
        ("/metrics", TOKEN): 401,
        ("/metrics", ""): 401,
        ("/healthz", HEALTH): 200,
        ("/healthz", METRICS): 401,
        ("/healthz", TOKEN): 401,
        ("/healthz", ""): 401,
    }


SIGNS_IN: dict[str, Any] = {
    "trusted_proxies": ["127.0.0.1/32"],
    "proxy_user_header": "X-Forwarded-User",
    "proxy_role": "viewer",
}


def test_a_proxy_that_signs_nobody_in_names_nobody(database_url: str) -> None:
    # given the shipped blocks' way: it is trusted to say from where people come
    ways = ({"users": USERS}, {})
    for way in ways:
        with (
            serving(database_url, trusted_proxies=["127.0.0.1"], **way) as url,
            visiting(url) as other_user,
        ):
            # then another user of the machine, who goes past it, is nobody by a header
            named = {"X-Forwarded-User": "ada", "Accept": "application/json"}
            assert other_user.get("/api/session", headers=named).status_code == 401


def test_a_trusted_proxy_names_people_and_others_do_not(database_url: str, engine: Engine) -> None:
    with serving(database_url, users=USERS, **SIGNS_IN) as url:
        with browsing(url) as proxy:
            known, new, twice, none = (
                proxy.get("/api/session", headers=headers)
                for headers in (
                    [("X-Forwarded-User", "ada")],
                    [("X-Forwarded-User", "eve@example.org")],
                    [("X-Forwarded-User", "ada"), ("X-Forwarded-User", "eve")],
                    [("X-Forwarded-User", "")],
                )
            )
            change = proxy.post("/api/actions", json=PAUSE, headers={"X-Forwarded-User": "ada"})
        with browsing(url, transport=from_elsewhere()) as stranger:
            lie = stranger.get("/api/session", headers={"X-Forwarded-User": "ada"})
            chain = {"X-Forwarded-User": "ada", "X-Forwarded-For": "127.0.0.1"}
            longer_lie = stranger.get("/api/session", headers=chain)
    assert (known.json()["user"], known.json()["role"]) == ("ada", "operator")
    assert (new.json()["user"], new.json()["role"]) == ("eve@example.org", "viewer")
    assert [a.status_code for a in (twice, none, lie, longer_lie)] == [401] * 4
    assert (change.status_code, paused(engine)) == (403, 0)
