"""A session that was ended is over: at every copy, after every restart, and in open streams."""

from collections.abc import Iterator

import pytest

from tests.support.guarding import TOKEN, USERS, csrf_of, serving, sign_in
from tests.support.web import browsing, dashboard, visiting
from tests.support.works import settings_for
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_token

SHARED = {
    "users": USERS,
    "tokens": {"helpdesk": {"sha256": hash_token(TOKEN)}},
    "secret": "a secret that all copies of the dashboard share",
}


@pytest.fixture
def shared(database_url: str) -> Settings:
    return settings_for(database_url, "http://127.0.0.1:1", dashboard=SHARED)


@pytest.fixture
def url(database_url: str) -> Iterator[str]:
    with serving(database_url, **SHARED) as address:
        yield address


def test_signing_out_at_one_copy_ends_the_session_at_all_of_them(
    url: str, shared: Settings
) -> None:
    with dashboard(shared) as other, browsing(url) as ada:
        sign_in(ada, "ada", "enchantress of numbers")
        kept = {"rung_session": ada.cookies["rung_session"]}
        with visiting(other, cookies=kept) as there:
            before = there.get("/").status_code
        ada.post("/logout", data={"csrf_token": csrf_of(ada)})
        with visiting(other, cookies=kept) as thief:
            after = thief.get("/").status_code
    # and after a restart
    with dashboard(shared) as restarted, visiting(restarted, cookies=kept) as thief:
        later = thief.get("/").status_code
        again = sign_in(thief, "ada", "enchantress of numbers").status_code
    assert (before, after, later, again) == (200, 303, 303, 303)


def test_a_stream_ends_with_its_session(shared: Settings) -> None:
    with dashboard(shared, recheck_s=0.0) as url, browsing(url) as ada:
        sign_in(ada, "ada", "enchantress of numbers")
        token = csrf_of(ada)
        with ada.stream("GET", "/live/now") as stream:
            lines = stream.iter_lines()
            first = next(lines)
            ada.post("/logout", data={"csrf_token": token})
            # then: it comes to an end, within the client's timeout
            rest = list(lines)
    assert first == "retry: 2000"
    assert len(rest) < 50


def test_a_program_watches_on(shared: Settings) -> None:
    with dashboard(shared, recheck_s=0.0) as url, visiting(url) as program:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with program.stream("GET", "/live/now", headers=headers) as stream:
            lines = stream.iter_lines()
            assert any(line.startswith("event: region") for line in lines)


def test_whoever_signs_in_gets_a_session_of_their_own_whatever_cookie_they_bring(url: str) -> None:
    # given a browser into which somebody has put a cookie: of nobody's, or of their own session
    with visiting(url) as bob:
        sign_in(bob, "bob", "viewer's word")
        planted = bob.cookies["rung_session"]
        for given in ("chosen-by-a-stranger", planted):
            with visiting(url, cookies={"rung_session": given}) as ada:
                # when
                entered = sign_in(ada, "ada", "enchantress of numbers")
                cookies = entered.headers.get_list("set-cookie")
            # then
            (new,) = (c for c in cookies if c.startswith("rung_session="))
            assert new.split(";")[0] != f"rung_session={given}"
            own = {"rung_session": new.split(";")[0].partition("=")[2]}
            with visiting(url, cookies=own) as later:
                assert later.get("/api/session").json()["user"] == "ada"
        # and what was planted is still who it was
        assert bob.get("/api/session").json()["user"] == "bob"
        again = [sign_in(bob, "bob", "viewer's word").headers.get_list("set-cookie")[0]
                 for _ in range(2)]  # fmt: skip
        assert again[0].split(";")[0] != again[1].split(";")[0]
