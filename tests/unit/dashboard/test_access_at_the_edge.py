"""The gate by itself, in front of an application that lets everybody do everything; and what it
asks: cookies, visitors, guesses."""

import asyncio
import secrets
from typing import Any

import pytest
from sqlalchemy import create_engine
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message

from worker.config.dashboard import DashboardSettings
from worker.dashboard.access.gate import Gate
from worker.dashboard.access.passwords import hash_password, hash_token
from worker.dashboard.access.permissions import may_operate
from worker.dashboard.access.sessions import Cookies
from worker.dashboard.access.sign_ins import FOR_ONE_NAME, FROM_ONE_PLACE, WINDOW_S, Guesses
from worker.dashboard.access.visitors import Visitors

WORD = hash_password("a word")
SETTINGS = DashboardSettings.model_validate(
    {
        "users": {
            "ada": {"password": WORD, "role": "operator"},
            "bob": {"password": WORD, "role": "viewer"},
        },
        "tokens": {"reader": {"sha256": hash_token("rung_reads"), "role": "viewer"}},
        "trusted_proxies": ["10.0.0.1/32"],
        "proxy_user_header": "X-Forwarded-User",
        "proxy_role": "viewer",
    }
)
COOKIES = Cookies(SETTINGS)
NO_DATABASE = create_engine("postgresql+psycopg://127.0.0.1:1/none")


def request(path: str = "/", method: str = "GET", **headers: str) -> Request:
    named = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    host, address = (b"host", b"rung.example"), ("10.0.0.1", 4_000)
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "headers": [host, *named], "client": address, "scheme": "http"}
    return Request(scope | {"server": ("rung.example", 80), "state": {}})


def status(path: str, method: str = "GET", **headers: str) -> int:
    """Of the answer to this request; 200 is the application's."""
    codes = list[int]()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            codes.append(message["status"])

    gate = Gate(PlainTextResponse("done"), SETTINGS, COOKIES, NO_DATABASE)
    asyncio.run(gate(request(path, method, **headers).scope, receive, send))
    return codes[0]


@pytest.mark.parametrize(
    "path", ["/static/../api/status", "//api/status", "/static/a\\b", "/static/" + "1" * 2_000]
)
def test_a_path_that_plays_tricks_reaches_nothing(path: str) -> None:
    assert status("/static/rung.css") == 200
    assert status(path) in (400, 404)


def test_a_body_that_says_that_it_is_large_is_not_waited_for() -> None:
    assert status("/login", "POST", content_length="1000001") == 413
    assert status("/login", "POST", content_length="1000") == 200


def test_who_may_only_look_may_sign_out_and_change_nothing_else() -> None:
    bob = {"x_forwarded_user": "bob", "x_csrf_token": COOKIES.csrf("proxy", "bob")}
    assert status("/logout", "POST", **bob) == 200
    assert status("/api/actions", "POST", **bob) == 403


def test_a_wrong_token_is_a_stranger_whatever_else_comes_with_it() -> None:
    assert status("/api/status", x_forwarded_user="ada") == 200
    wrong = {"authorization": "Bearer wrong", "x_forwarded_user": "ada"}
    assert status("/api/status", **wrong) == 401


@pytest.mark.parametrize(("length", "code"), [(100, 200), (101, 401)])
def test_a_name_from_a_proxy_has_a_length(length: int, code: int) -> None:
    assert status("/api/status", x_forwarded_user="e" * length) == code


def test_a_program_has_the_role_of_its_token() -> None:
    found = Visitors(SETTINGS, COOKIES).find(request(authorization="Bearer rung_reads"))
    assert found is not None
    assert (found.name, found.role, found.may_operate) == ("reader", "viewer", False)
    asked = request()
    asked.state.visitor = found
    assert not may_operate(asked)


def test_a_browser_is_known_to_whom_it_signed_in() -> None:
    device = COOKIES.device("ada")
    assert COOKIES.device_of("ada", device) is not None
    assert COOKIES.device_of("bob", device) is None


def test_a_cookie_serves_for_what_it_was_made_for_and_no_longer_one_is_read() -> None:
    assert COOKIES.device_of("ada", COOKIES.begin("ada")) is None
    long = secrets.token_hex(800)
    assert COOKIES.device_of(long, COOKIES.device(long)) is None


def test_a_session_from_the_future_is_none_but_for_what_clocks_differ() -> None:
    now = [1_000_000.0]
    cookies = Cookies(SETTINGS, clock=lambda: now[0])
    cookie = cookies.begin("ada")
    found = dict[int, Any]()
    for behind in (59, 61):
        now[0] = 1_000_000.0 - behind
        found[behind] = cookies.read(cookie)
    assert found[59] is not None
    assert found[61] is None


@pytest.mark.parametrize("shared", ["place", "name"])
def test_a_crowd_is_what_fails_at_one_name_or_from_one_place_and_ends_with_its_time(
    shared: str,
) -> None:
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    limit = FROM_ONE_PLACE if shared == "place" else FOR_ONE_NAME

    def one(number: int) -> tuple[str, str]:
        return (f"n{number}", "here") if shared == "place" else ("ada", f"p{number}")

    for number in range(limit - 1):
        guesses.failed(*one(number))
    assert not guesses.crowded(*one(0))
    guesses.failed(*one(limit))
    assert guesses.crowded(*one(0))
    now[0] = WINDOW_S + 1
    assert not guesses.crowded(*one(0))


def test_guesses_are_remembered_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.dashboard.access.sign_ins.REMEMBERED", 12)
    guesses = Guesses()
    for number in range(100):
        guesses.failed(f"n{number}", f"p{number}")
    assert len(guesses._failed) <= 12
