"""Whatever stands in an address or a form, a person gets a page or a sentence, no bug of ours."""

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.web import calling, dashboard
from tests.support.works import hand_in, settings_for
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State

PAGES = (
    *("/", "/runs", "/jobs", "/dead", "/review", "/review/queue", "/audit", "/workers"),
    *("/deliveries", "/knowledge", "/certificates", "/audits", "/hand-over", "/runs/run"),
    *("/runs/run/sample", "/jobs/1"),
)
NAMES = (
    *("after", "before", "done", "job", "language", "n", "name", "order", "q", "reason"),
    *("run", "seed", "shown", "text", "where", "with", "do", "folder"),
)
"""Parameters that any of the pages reads."""
ODD = ("²", "9" * 30, "-1", "1-2-3", "job = 99999999999999999999", "(" * 500, "[]")


@pytest.fixture
def settings(engine: Engine, database_url: str, simulator: tuple[State, str]) -> Settings:
    made = settings_for(database_url, simulator[1])
    hand_in(engine, made, ["Where is my card?"])
    return made


def test_no_parameter_is_a_bug_of_ours(client: httpx2.Client) -> None:
    # when every page is asked with all of its parameters odd in the same way
    found = {
        (page, odd[:20]): client.get(page, params=dict.fromkeys(NAMES, odd)).status_code
        for page in PAGES
        for odd in ODD
    }
    # and with each alone, where one would hide the others
    found |= {
        (page, name): client.get(page, params={name: "1" * 5_000}).status_code
        for page in ("/jobs", "/runs/run/sample")
        for name in NAMES
    }
    found |= {
        ("/jobs", odd[:20]): client.get("/jobs", params={"where": odd}).status_code for odd in ODD
    }
    # then
    assert {asked: status for asked, status in found.items() if status >= 500} == {}


def test_a_nul_is_refused_at_the_gate(settings: Settings) -> None:
    with dashboard(settings) as url, calling(url) as client:
        assert client.get("/jobs?q=%00").status_code == 400
        assert client.get("/api/jobs?where=%00").status_code == 400
        form = {"csrf_token": client.headers["X-CSRF-Token"], "name": "\x00"}
        assert client.post("/deliveries/pause", data=form).status_code == 400
