"""A page that outlived an outage of Postgres goes on by itself, without being loaded anew."""

from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine

from tests.support.chromium import BODIES, NEEDED, Visit
from tests.support.household import postgres_socket
from tests.support.promises import do
from tests.support.proxy import proxied
from tests.support.web import dashboard
from tests.support.works import hand_in
from worker.config.settings import Settings

pytestmark = NEEDED


def test_a_page_that_was_refused_while_postgres_was_away_goes_on_once_it_is_back(
    chromium: Any, settings: Settings, engine: Engine, database_url: str
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    parts = urlsplit(database_url)
    with proxied(postgres_socket(database_url)) as line:
        address = f"postgresql://{parts.username}@127.0.0.1:{line.port}{parts.path}"
        with dashboard(settings.model_copy(update={"database_url": address})) as url:
            visit = Visit(chromium, url)
            page = visit.page
            page.goto("/")
            page.locator("#pulse.off").wait_for(state="detached")
            page.get_by_text("0 of 60 messages are done").wait_for()
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
            visit.wrong.clear()
            visit.close()
