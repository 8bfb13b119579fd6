"""Guessing at passwords: stopped where it is done, and nobody else is kept out by it."""

import base64
import hashlib
import logging
from collections.abc import Iterator

import pytest

from tests.support.guarding import USERS, guarding, serving, sign_in
from tests.support.web import browsing, visiting
from worker.dashboard.access.passwords import (
    NOBODY,
    hash_password,
    is_old,
    verify_password,
)

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


def test_who_has_signed_in_before_is_not_kept_out_by_guesses_at_their_name(guarded: str) -> None:
    with visiting(guarded) as ada, visiting(guarded) as stranger:
        sign_in(ada, "ada", "enchantress of numbers")
        for number in range(6):
            locked = sign_in(stranger, "ada", f"guess {number}")
        theirs = sign_in(ada, "ada", "enchantress of numbers")
        # but a browser that is known may not guess for ever either
        for number in range(6):
            own = sign_in(ada, "ada", f"guess {number}")
        others = sign_in(ada, "bob", "viewer's word")
    assert (locked.status_code, theirs.status_code, own.status_code) == (429, 303, 429)
    assert others.status_code == 303


def test_behind_a_proxy_each_client_is_counted_by_itself(database_url: str) -> None:
    def from_client(address: str) -> dict[str, str]:
        return {"X-Forwarded-For": f"127.0.0.1, {address}, 10.1.2.3"}

    with serving(database_url, **PROXY) as url:
        with browsing(url, headers={"Accept": "text/html", **from_client("192.0.2.1")}) as guesser:
            for number in range(6):
                locked = sign_in(guesser, "ada", f"guess {number}")
            # a lie further left moves nothing
            guesser.headers["X-Forwarded-For"] = "198.51.100.9, 192.0.2.1"
            still = sign_in(guesser, "ada", "enchantress of numbers")
        with browsing(url, headers={"Accept": "text/html", **from_client("192.0.2.2")}) as ada:
            entered = sign_in(ada, "ada", "enchantress of numbers")
    assert (locked.status_code, still.status_code, entered.status_code) == (429, 429, 303)


def test_without_a_trusted_proxy_the_header_is_not_believed(guarded: str) -> None:
    with visiting(guarded) as guesser:
        for number in range(6):
            guesser.headers["X-Forwarded-For"] = f"192.0.2.{number}"
            answer = sign_in(guesser, "ada", f"guess {number}")
    assert answer.status_code == 429


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
