"""What attackers try: forged cookies, rebinding, tricks with paths and hosts, large bodies."""

import base64
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import Engine

from tests.support.guarding import (
    HASHES,
    PAUSE,
    TOKEN,
    USERS,
    csrf_of,
    guarding,
    paused,
    serving,
    sign_in,
)
from tests.support.web import browsing
from worker.config.dashboard import DashboardSettings
from worker.dashboard.access.login import safe_target
from worker.dashboard.access.passwords import hash_password
from worker.dashboard.access.permissions import check_listening
from worker.dashboard.access.sessions import Cookies
from worker.errors import ConfigurationError


@pytest.fixture
def guarded(database_url: str) -> Iterator[str]:
    with guarding(database_url) as url:
        yield url


def encoded(document: str) -> str:
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


BROKEN = [
    f"{encoded(document)}.{signature}"
    for document in ('["ada", Infinity, "x"]', "[" * 700, "[" * 30_000, '["ada"]', "null", "")
    for signature in ("", "x", "A" * 43)
]
"""Cookies that a careless reader would stumble over."""


def forged(cookies: Cookies, name: str) -> list[str]:
    real = cookies.begin(name)
    payload, _, signature = real.partition(".")
    other = base64.urlsafe_b64encode(json.dumps(["ada", 9_999_999_999, "x"]).encode()).decode()
    return [real, payload, f"{payload}.", f"{other}.{signature}", "x.y", ".", "A" * 5_000, *BROKEN]


def test_a_cookie_that_we_did_not_sign_opens_nothing(guarded: str) -> None:
    # given another dashboard's cookies, signed with a secret of its own
    others = Cookies(DashboardSettings.model_validate({"users": USERS}))
    with browsing(guarded) as client:
        codes = {
            client.get("/api/status", headers={"Cookie": f"rung_session={cookie}"}).status_code
            for cookie in forged(others, "ada")
        }
    assert codes == {401}


def test_a_session_ends_with_its_time_its_user_and_its_password() -> None:
    # given
    now = [1_000_000.0]
    secret = SecretStr("s" * 32)

    def cookies(**users: Any) -> Cookies:
        configured = {"users": users, "secret": secret, "session_hours": 1}
        return Cookies(DashboardSettings.model_validate(configured), clock=lambda: now[0])

    cookie = cookies(**USERS).begin("ada")
    changed = {"password": hash_password("new"), "role": "operator"}
    # then
    assert cookies(**USERS).read(cookie) is not None
    assert cookies(bob=USERS["bob"]).read(cookie) is None
    assert cookies(ada=changed).read(cookie) is None
    now[0] += 3_601
    assert cookies(**USERS).read(cookie) is None


def test_who_brings_the_token_operates_but_no_other_site_does(
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


TRICKS = [
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
]


def raw(url: str, path: str, host: str = "x") -> bytes:
    """The answer to a request line that no client library has tidied up."""
    name, port = url.removeprefix("http://").split(":")
    with socket.create_connection((name, int(port)), 10) as wire:
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        wire.sendall(head.encode())
        return b"".join(iter(lambda: wire.recv(65_536), b""))


def test_tricks_with_paths_open_nothing(guarded: str) -> None:
    # when
    answers = {path: raw(guarded, path) for path in TRICKS}
    # then
    opened = {
        path: answer[:200]
        for path, answer in answers.items()
        if int(answer.split(b" ", 2)[1]) not in (400, 401, 404) or b"queues" in answer
    }
    assert opened == {}


def test_a_host_header_cannot_move_the_path(guarded: str) -> None:
    answer = raw(guarded, "/api/status", "x/static/?")
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
    with pytest.raises(ConfigurationError, match="without asking"):
        check_listening(DashboardSettings(trusted_proxies=("10.0.0.1",)), host)
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
        {"proxy_user_header": "X-Forwarded-User"},
        {"trusted_proxies": ["10.0.0.1"], "proxy_role": "viewer"},
    ],
)
def test_settings_that_would_let_anybody_or_nobody_in_are_refused(
    configured: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        DashboardSettings.model_validate(configured)
