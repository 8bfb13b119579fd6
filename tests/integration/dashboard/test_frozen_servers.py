"""A Postgres or a Redis that says nothing and closes nothing, as one that is frozen: nobody waits
for long."""

import datetime as dt
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
from sqlalchemy import Engine, text

from tests.integration.cli.test_watching import drawn
from tests.support.household import postgres_socket
from tests.support.pages import Page
from tests.support.promises import BODY
from tests.support.proxy import Proxy, proxied
from tests.support.web import browsing, dashboard
from tests.support.works import hand_in, settings_for
from worker.cli.views.now import NowView
from worker.cli.views.outage import Outliving
from worker.config.settings import Settings
from worker.dashboard.context import REDIS_S
from worker.domain.hold_words import NO_REDIS
from worker.store.engine import away_since, make_engine
from worker.store.reach import GRACE_S, ServerReach

SOON_S = 7.0
"""A look's patience, the look, and what a busy machine adds."""
AWAY = r"Postgres has not answered since \d\d:\d\d:\d\d UTC"


@pytest.fixture
def line(database_url: str) -> Iterator[Proxy]:
    """The line to Postgres."""
    with proxied(postgres_socket(database_url)) as proxy:
        yield proxy


@pytest.fixture
def far(database_url: str, line: Proxy) -> str:
    """The database's address over that line."""
    parts = urlsplit(database_url)
    return f"postgresql://{parts.username}@127.0.0.1:{line.port}{parts.path}"


@pytest.fixture
def settings(far: str) -> Settings:
    """Of a dashboard whose Postgres is at the end of the line."""
    return settings_for(far, "http://127.0.0.1:1")


def asked(client: httpx2.Client, path: str) -> tuple[float, int, str]:
    """How long it took, the status and what was said."""
    began = time.monotonic()
    answer = client.get(path, headers={"Accept": "text/html" if path == "/" else "*/*"})
    return time.monotonic() - began, answer.status_code, answer.text


def test_every_door_of_the_dashboard_says_within_seconds_since_when_it_does_not_answer(
    line: Proxy, settings: Settings
) -> None:
    paths = ("/", "/api/status", "/api/runs", "/metrics", "/runs")
    with dashboard(settings) as url, browsing(url) as client:
        assert {asked(client, path)[1] for path in paths} == {200}
        # when
        line.set("blackhole")
        with ThreadPoolExecutor(16) as pool:
            found = [*pool.map(lambda path: asked(client, path), paths * 3)]
        later = [asked(client, path) for path in paths]
        # then
        for took, status, words in (*found, *later):
            assert (status, took < SOON_S) == (503, True), (took, words)
            assert re.search(AWAY, words), words
        assert min(took for took, _, _ in later) < SOON_S
        # and it goes on by itself
        line.set("pass")
        until = time.monotonic() + SOON_S
        while asked(client, "/")[1] != 200:
            assert time.monotonic() < until


def test_a_redis_that_hangs_keeps_a_page_waiting_once(
    engine: Engine, database_url: str, redis_url: str
) -> None:
    hand_in(engine, settings_for(database_url, "http://127.0.0.1:1"), BODY * 3, name="day")
    at = urlsplit(redis_url)
    with proxied((at.hostname or "", at.port or 0)) as line:
        there = f"redis://127.0.0.1:{line.port}{at.path}"
        with (
            dashboard(settings_for(database_url, "http://127.0.0.1:1", redis_url=there)) as url,
            browsing(url) as client,
        ):
            assert NO_REDIS not in asked(client, "/")[2]
            # when
            line.set("blackhole")
            found = {path: asked(client, path) for path in ("/", "/api/status", "/metrics")}
    # then
    assert {status for _, status, _ in found.values()} == {200}
    assert NO_REDIS in Page(found["/"][2]).text
    assert NO_REDIS in found["/api/status"][2]
    assert "rung_redis_up 0.0" in found["/metrics"][2]
    assert max(took for took, _, _ in found.values()) < 2 * REDIS_S + 0.8


def test_who_watches_is_told_within_seconds(
    engine: Engine, line: Proxy, settings: Settings
) -> None:
    hand_in(engine, settings, BODY * 3, name="day")
    with closing(NowView(settings)) as view:
        watched = Outliving(view)
        assert "has not answered" not in drawn(watched.draw())
        line.set("blackhole")
        # when
        began = time.monotonic()
        picture = drawn(watched.draw())
    # then
    assert "Postgres has not answered since" in picture
    assert "day" in picture
    assert time.monotonic() - began < SOON_S


def test_a_server_that_is_busy_is_waited_for(far: str) -> None:
    engine = make_engine(far, within_s=0.1)
    with engine.connect() as connection:
        # when a statement takes longer than a silence would be borne
        assert connection.execute(text("SELECT 7 FROM pg_sleep(2.3)")).scalar() == 7
    # then
    assert away_since(engine) is None
    engine.dispose()


def test_one_that_does_not_keep_its_own_time_is_given_up(
    far: str, line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given one behind a pooler that takes connections for it
    reach = ServerReach(within_s=60, statement_s=0.1 - GRACE_S)
    monkeypatch.setattr(reach, "_is_there", lambda: True)
    with closing(reach.connect(far)) as connection:
        line.set("mute")
        # when
        with pytest.raises(psycopg.OperationalError, match="nothing has come from it for"):
            connection.execute("SELECT 1")
    # then
    assert reach.since is not None
    assert dt.datetime.now(dt.UTC) - reach.since < dt.timedelta(seconds=SOON_S)
