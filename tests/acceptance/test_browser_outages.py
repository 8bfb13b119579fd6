"""A page that stays open through an outage of Postgres says so, and goes on by itself after it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine

from tests.support.chromium import BODIES, NEEDED, Visit
from tests.support.household import postgres_socket
from tests.support.promises import do
from tests.support.proxy import Proxy, proxied
from tests.support.web import dashboard
from tests.support.works import hand_in
from worker.config.settings import Settings

pytestmark = NEEDED
TOLD_WITHIN_MS = 10_000


@contextmanager
def first_page(chromium: Any, settings: Settings, database_url: str) -> Iterator[tuple[Any, Proxy]]:
    """The first page, live, and the line between its dashboard and Postgres."""
    parts = urlsplit(database_url)
    with proxied(postgres_socket(database_url)) as line:
        address = f"postgresql://{parts.username}@127.0.0.1:{line.port}{parts.path}"
        with dashboard(settings.model_copy(update={"database_url": address})) as url:
            visit = Visit(chromium, url)
            visit.page.goto("/")
            visit.page.locator("#pulse.off").wait_for(state="detached")
            visit.page.get_by_text("0 of 60 messages are done").wait_for()
            yield visit.page, line
            visit.wrong.clear()
            visit.close()


def test_a_page_whose_postgres_hangs_is_not_called_live_for_long(
    chromium: Any, settings: Settings, engine: Engine, database_url: str
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    with first_page(chromium, settings, database_url) as (page, line):
        # when nothing comes back any more, and no connection ends
        line.set("blackhole")
        # then
        page.locator("body.stale").wait_for(timeout=TOLD_WITHIN_MS)
        page.locator("#pulse", has_text=re.compile(r"not live since")).wait_for()
        with page.expect_response(lambda answer: "/live/" in answer.url and answer.status >= 500):
            pass
        assert page.locator("body.stale").count() == 1
        # and once it answers again
        line.set("pass")
        do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = 1")
        page.get_by_text("1 of 60 messages is done").wait_for()
        page.locator("body.stale").wait_for(state="detached")


def test_a_page_that_was_refused_while_postgres_was_away_goes_on_once_it_is_back(
    chromium: Any, settings: Settings, engine: Engine, database_url: str
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    with first_page(chromium, settings, database_url) as (page, line):
        # when
        refused = page.expect_response(
            lambda answer: "/live/" in answer.url and answer.status >= 500
        )
        with refused:
            line.set("reset")
        page.locator("body.stale").wait_for()
        line.set("pass")
        do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = 1")
        # then
        page.get_by_text("1 of 60 messages is done").wait_for()
        page.locator("body.stale").wait_for(state="detached")
