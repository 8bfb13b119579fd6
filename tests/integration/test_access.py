"""Who gets in, and who may change what: strangers, viewers, operators, programs, other sites."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import Engine

from tests.support.promises import one
from tests.support.web import browsing, dashboard, from_elsewhere
from tests.support.works import settings_for
from worker.dashboard.access import check_listening
from worker.dashboard.login import safe_target
from worker.dashboard.passwords import hash_password, hash_token
from worker.dashboard.sessions import Signer
from worker.dashboard.settings import DashboardSettings
from worker.errors import ConfigurationError

HASHES = {"ada": hash_password("enchantress of numbers"), "bob": hash_password("viewer's word")}
TOKEN, METRICS, HEALTH = "rung_a-token-for-tests", "metrics-token", "health-token"
USERS = {
    "ada": {"password": HASHES["ada"], "role": "operator"},
    "bob": {"password": HASHES["bob"], "role": "viewer"},
}
PAUSE = {"action": "pause", "tier": "opus", "reason": "a test"}


@contextmanager
def serving(database_url: str, **configured: Any) -> Iterator[str]:
    settings = settings_for(database_url, "http://127.0.0.1:1", dashboard=configured)
    with dashboard(settings) as url:
        yield url


@pytest.fixture
def guarded(database_url: str) -> Iterator[str]:
    """A dashboard with people, a program, and tokens for metrics and health."""
    tokens = {"helpdesk": {"sha256": hash_token(TOKEN), "role": "operator"}}
    with serving(
        database_url, users=USERS, tokens=tokens, metrics_token=METRICS, health_token=HEALTH
    ) as url:
        yield url


def sign_in(client: httpx2.Client, name: str, password: str, **more: str) -> httpx2.Response:
    return client.post("/login", data={"name": name, "password": password, **more})


def csrf_of(client: httpx2.Client) -> str:
    token: str = client.get("/api/session").json()["csrf_token"]
    return token


def paused(engine: Engine) -> int:
    return int(one(engine, "SELECT count(*) FROM tiers WHERE paused")[0])


@pytest.mark.parametrize("path", ["/", "/api/status", "/api/openapi.json", "/api/jobs/1", "/nope"])
def test_a_stranger_sees_nothing(guarded: str, path: str) -> None:
    with browsing(guarded) as person, browsing(guarded, headers={"Accept": "*/*"}) as program:
        # when
        shown, told = person.get(path), program.get(path)
    # then
    if not path.startswith("/api"):
        assert shown.status_code == 303
        assert shown.headers["location"].startswith("/login?next=%2F")
    assert told.status_code == 401
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["status"] == 401


def test_signing_in_leads_on_and_signing_out_ends_the_session(guarded: str) -> None:
    with browsing(guarded) as client:
        # when
        entered = sign_in(client, "ada", "enchantress of numbers", next="/?a=1")
        cookie = entered.headers["set-cookie"]
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
        cookie = sign_in(client, "ada", "enchantress of numbers").headers["set-cookie"]
    assert cookie.endswith("; Secure")


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "wrong"), ("nobody", "wrong"), ("ada", ""), ("", ""), ("ada", "x" * 5_000)],
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    guarded: str, name: str, password: str
) -> None:
    with browsing(guarded) as client:
        answer = sign_in(client, name, password)
        assert (answer.status_code, dict(client.cookies)) == (403, {})
        assert "Name or password is wrong." in answer.text


def test_guessing_is_stopped_even_when_the_guess_is_right(guarded: str) -> None:
    with browsing(guarded) as client:
        # when
        codes = [sign_in(client, "ada", f"guess {n}").status_code for n in range(6)]
        right = sign_in(client, "ada", "enchantress of numbers")
    # then
    assert codes == [403] * 5 + [429]
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 300


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


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_post_is_refused_even_with_session_and_token(
    guarded: str, engine: Engine, headers: dict[str, str]
) -> None:
    with browsing(guarded) as ada:
        sign_in(ada, "ada", "enchantress of numbers")
        headers = {**headers, "X-CSRF-Token": csrf_of(ada)}
        answer = ada.post("/api/actions", json=PAUSE, headers=headers)
    assert (answer.status_code, paused(engine)) == (403, 0)


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


def forged(guarded_signer: Signer, name: str) -> list[str]:
    real = guarded_signer.begin(name)
    payload, _, signature = real.partition(".")
    other = base64.urlsafe_b64encode(json.dumps(["ada", 9_999_999_999, "x"]).encode()).decode()
    return [real, payload, f"{payload}.", f"{other}.{signature}", "x.y", ".", "A" * 5_000]


def test_a_cookie_that_we_did_not_sign_opens_nothing(guarded: str) -> None:
    # given another dashboard's signer, with a secret of its own
    signer = Signer(DashboardSettings.model_validate({"users": USERS}))
    with browsing(guarded) as client:
        codes = {
            client.get("/api/status", headers={"Cookie": f"rung_session={cookie}"}).status_code
            for cookie in forged(signer, "ada")
        }
    assert codes == {401}


def test_a_session_ends_with_its_time_its_user_and_its_password() -> None:
    # given
    now = [1_000_000.0]
    secret = SecretStr("s" * 32)

    def signer(**users: Any) -> Signer:
        configured = {"users": users, "secret": secret, "session_hours": 1}
        return Signer(DashboardSettings.model_validate(configured), clock=lambda: now[0])

    cookie = signer(**USERS).begin("ada")
    changed = {"password": hash_password("new"), "role": "operator"}
    # then
    assert signer(**USERS).read(cookie) is not None
    assert signer(bob=USERS["bob"]).read(cookie) is None
    assert signer(ada=changed).read(cookie) is None
    now[0] += 3_601
    assert signer(**USERS).read(cookie) is None


def test_a_trusted_proxy_names_people_and_others_do_not(database_url: str, engine: Engine) -> None:
    with serving(
        database_url, users=USERS, trusted_proxies=["127.0.0.1/32"], proxy_role="viewer"
    ) as url:
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


def test_without_credentials_this_machine_operates_but_no_other_site_does(
    database_url: str, engine: Engine
) -> None:
    with serving(database_url) as url, browsing(url) as client:
        # when
        session = client.get("/api/session").json()
        rebound = client.get("/api/session", headers={"Host": "evil.example"})
        named = client.get("/api/session", headers={"Host": "localhost:80"})
        tricky = client.get("/", headers={"Host": "127.0.0.1@evil.example"})
        bare = client.post("/api/actions", json=PAUSE)
        form = client.post("/api/actions", data={"action": "pause", "tier": "opus"})
        before = paused(engine)
        token = {"X-CSRF-Token": session["csrf_token"]}
        done = client.post("/api/actions", json=PAUSE, headers=token)
    # then
    assert (session["user"], session["role"]) == ("local", "operator")
    assert (rebound.status_code, tricky.status_code, named.status_code) == (421, 421, 200)
    assert (bare.status_code, form.status_code, before) == (403, 403, 0)
    assert (done.status_code, paused(engine)) == (200, 1)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../",
        "/static/%2e%2e/api/status",
        "//api/status",
        "/api//status",
        "/api/./status",
        "/static/..%2f..%2fapp.py",
        "/static\\..\\app.py",
        "/static/%00",
        "/metrics/",
        "/METRICS",
        "/login/../api/status",
        "/login/x",
        "/loginx",
        "/static",
    ],
)
def test_tricks_with_paths_open_nothing(guarded: str, path: str) -> None:
    # given a request line that no client library tidies up
    host, port = guarded.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: wire.recv(65_536), b""))
    # then
    status = int(answer.split(b" ", 2)[1])
    assert status in (400, 401, 404)
    assert b"queues" not in answer


def test_a_host_header_cannot_move_the_path(guarded: str) -> None:
    host, port = guarded.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as wire:
        wire.sendall(b"GET /api/status HTTP/1.1\r\nHost: x/static/?\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: wire.recv(65_536), b""))
    assert int(answer.split(b" ", 2)[1]) == 401


def test_a_large_body_is_refused_whether_it_says_its_length_or_not(database_url: str) -> None:
    with serving(database_url) as url, browsing(url) as client:
        headers = {"X-CSRF-Token": csrf_of(client), "Content-Type": "application/json"}
        said = client.post("/api/actions", content=b" " * 1_000_001, headers=headers)
        chunks = (b" " * 100_000 for _ in range(11))
        unsaid = client.post("/api/actions", content=chunks, headers=headers)
        form = client.post("/login", data={"name": "a" * 1_100_000})
    assert [a.status_code for a in (said, unsaid, form)] == [413, 413, 413]


def test_every_answer_carries_the_headers_that_protect_a_browser(guarded: str) -> None:
    with browsing(guarded) as client:
        answers = [client.get("/login"), client.get("/"), client.get("/api/status")]
        sign_in(client, "ada", "enchantress of numbers")
        answers += [client.get("/"), client.get("/api/status"), client.get("/static/rung.css")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert [a.headers.get("cache-control") for a in answers[:-1]] == ["no-store"] * 5


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/runs?a=1", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://evil.example", False),
        ("javascript:alert(1)", False),
        ("/\t/evil.example", False),
        ("", False),
    ],
)
def test_signing_in_leads_nowhere_else(target: str, kept: bool) -> None:
    assert safe_target(target) == (target if kept else "/")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "rung.example"])
def test_strangers_cannot_reach_a_dashboard_without_credentials(host: str) -> None:
    with pytest.raises(ConfigurationError, match="without asking"):
        check_listening(DashboardSettings(), host)
    check_listening(DashboardSettings.model_validate({"users": USERS}), host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.9"])
def test_this_machine_needs_none(host: str) -> None:
    check_listening(DashboardSettings(), host)


@pytest.mark.parametrize(
    "configured",
    [
        {"users": {"ada": {"password": "enchantress of numbers"}}},
        {"users": {"a b": {"password": HASHES["ada"]}}},
        {"users": {"ada": {"password": HASHES["ada"], "role": "admin"}}},
        {"tokens": {"helpdesk": {"sha256": TOKEN}}},
        {"secret": "short"},
        {"trusted_proxies": ["10.0.0.0/99"]},
    ],
)
def test_settings_that_would_let_anybody_or_nobody_in_are_refused(
    configured: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        DashboardSettings.model_validate(configured)
