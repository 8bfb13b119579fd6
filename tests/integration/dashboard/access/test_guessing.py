"""Guessing at passwords: slowed where it is done, and nobody with the right one is kept out."""

import asyncio
import base64
import hashlib
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.guarding import USERS, guarding, serving, sign_in
from tests.support.web import browsing, visiting
from worker.dashboard.access import login
from worker.dashboard.access.passwords import (
    NOBODY,
    hash_password,
    is_old,
    verify_password,
)
from worker.dashboard.access.sign_ins import WINDOW_S, Guesses

PROXY = {"trusted_proxies": ["127.0.0.1/32", "10.0.0.0/8"], "users": USERS}


@pytest.fixture
def guarded(database_url: str) -> Iterator[str]:
    with guarding(database_url) as url:
        yield url


def test_a_stranger_at_the_same_address_locks_nobody_out(guarded: str) -> None:
    with visiting(guarded) as stranger, visiting(guarded) as ops:
        for number in range(20):
            sign_in(stranger, f"somebody{number}", "guess")
        crowded = sign_in(ops, "ada", "enchantress of numbers")
    assert crowded.status_code == 303


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds for which sign-ins were held back, without waiting for them."""
    held = list[float]()

    async def at_once(seconds: float) -> None:
        held.append(seconds)

    monkeypatch.setattr(login, "rest_for", at_once)
    return held


def test_guesses_at_a_name_from_one_place_take_ever_longer_and_a_right_one_is_let_in(
    guarded: str, rests: list[float]
) -> None:
    with browsing(guarded) as client:
        # when somebody mistypes a password twelve times, and then remembers it
        codes = [sign_in(client, "ada", f"guess {n}").status_code for n in range(12)]
        right = sign_in(client, "ada", "enchantress of numbers")
        # then
        assert codes == [403] * 12
        assert right.status_code == 303
        assert rests == [1, 2, 4, 8, 15, 15, 15, 15]
        # and is no stranger any more
        assert sign_in(client, "ada", "enchantress of numbers").status_code == 303
        assert len(rests) == 8


def test_only_one_guess_at_a_name_from_one_place_is_held_back_at_a_time(
    guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a guess that is being held back
    held, over = threading.Event(), threading.Event()

    async def until_told(_: float) -> None:
        held.set()
        await asyncio.to_thread(over.wait)

    monkeypatch.setattr(login, "rest_for", until_told)
    with (
        browsing(guarded) as one,
        browsing(guarded) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        for number in range(5):
            sign_in(one, "ada", f"guess {number}")
        first = pool.submit(sign_in, one, "ada", "guess 6")
        held.wait(30)
        # when
        second = sign_in(other, "ada", "enchantress of numbers")
        elsewhere = sign_in(other, "bob", "viewer's word")
        over.set()
        # then
        assert (second.status_code, second.headers["retry-after"]) == (429, "1")
        assert (first.result().status_code, elsewhere.status_code) == (403, 303)
        assert sign_in(other, "ada", "enchantress of numbers").status_code == 303


def test_a_guess_is_forgotten_after_its_time() -> None:
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for _ in range(6):
        guesses.failed("ada", "192.0.2.1")
    assert (guesses.rest_s("ada", "192.0.2.1"), guesses.rest_s("ada", "192.0.2.2")) == (2, 0)
    now[0] = WINDOW_S + 1
    assert guesses.rest_s("ada", "192.0.2.1") == 0


def test_who_has_signed_in_before_is_not_slowed_by_guesses_at_their_name(
    guarded: str, rests: list[float]
) -> None:
    with visiting(guarded) as ada, visiting(guarded) as stranger:
        sign_in(ada, "ada", "enchantress of numbers")
        for number in range(6):
            sign_in(stranger, "ada", f"guess {number}")
        assert rests == [1]
        theirs = sign_in(ada, "ada", "enchantress of numbers")
        assert rests == [1]
        # but a browser that is known may not guess for ever either
        for number in range(6):
            sign_in(ada, "ada", f"guess {number}")
        others = sign_in(ada, "bob", "viewer's word")
    assert (theirs.status_code, others.status_code, rests) == (303, 303, [1, 1])


def test_behind_a_proxy_each_client_is_counted_by_itself(
    database_url: str, rests: list[float]
) -> None:
    def from_client(address: str) -> dict[str, str]:
        return {"X-Forwarded-For": f"127.0.0.1, {address}, 10.1.2.3"}

    with serving(database_url, **PROXY) as url:
        with browsing(url, headers={"Accept": "text/html", **from_client("192.0.2.1")}) as guesser:
            for number in range(6):
                sign_in(guesser, "ada", f"guess {number}")
            # a lie further left moves nothing
            guesser.headers["X-Forwarded-For"] = "198.51.100.9, 192.0.2.1"
            sign_in(guesser, "ada", "guess 6")
        assert rests == [1, 2]
        with browsing(url, headers={"Accept": "text/html", **from_client("192.0.2.2")}) as ada:
            entered = sign_in(ada, "ada", "enchantress of numbers")
    assert (entered.status_code, rests) == (303, [1, 2])


def test_without_a_trusted_proxy_the_header_is_not_believed(
    guarded: str, rests: list[float]
) -> None:
    with visiting(guarded) as guesser:
        for number in range(6):
            guesser.headers["X-Forwarded-For"] = f"192.0.2.{number}"
            sign_in(guesser, "ada", f"guess {number}")
    assert rests == [1]


def test_hashes_of_old_are_taken_and_named() -> None:
    # given
    salt = b"0123456789abcdef"
    key = hashlib.scrypt(b"old word", salt=salt, n=2**14, r=8, p=1, dklen=32)
    parts = [base64.urlsafe_b64encode(raw).decode().rstrip("=") for raw in (salt, key)]
    old, new = f"scrypt:16384:8:1:{parts[0]}:{parts[1]}", hash_password("new word")
    # then
    assert (verify_password("old word", old), verify_password("wrong", old)) == (True, False)
    assert (verify_password("new word", new), verify_password("wrong", new)) == (True, False)
    assert (is_old(old), is_old(new)) == (True, False)
    assert "$" not in new
    assert verify_password("new word", "$" + new.replace(":", "$"))
    assert not any(verify_password("x", broken) for broken in (NOBODY, "", "x", "scrypt:1:2", "$$"))


def test_the_log_says_who_and_whence_and_repeats_no_name_that_may_be_a_password(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "worker.dashboard.access")
    with serving(database_url, users=USERS) as url, visiting(url) as client:
        sign_in(client, "ada", "wrong")
        sign_in(client, "my password, typed into the wrong field", "x")
        sign_in(client, "ada", "enchantress of numbers")
    lines = [r for r in caplog.records if r.name.startswith("worker.dashboard.access")]
    refused = [vars(r) for r in lines if r.getMessage() == "sign-in refused"]
    entered = [vars(r) for r in lines if r.getMessage() == "signed in"]
    assert [(r["user"], r["address"]) for r in refused] == [
        ("ada", "127.0.0.1"),
        (None, "127.0.0.1"),
    ]
    assert [(r["user"], r["address"]) for r in entered] == [("ada", "127.0.0.1")]
    assert "typed into" not in caplog.text
