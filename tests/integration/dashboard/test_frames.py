"""What stands around pages: refusals keep the frame, the audit is in order and can be asked, and a
live page hears that its server is there."""

import httpx2
import pytest
from sqlalchemy import Engine

from tests.support.guarding import csrf_of
from tests.support.pages import Page
from tests.support.promises import do, one
from tests.support.web import dashboard, visiting
from worker.config.settings import Settings
from worker.dashboard.pages.rendering import environment
from worker.store.reading import deeds as reading

DEEDS = """
INSERT INTO audit_events (at, actor, action, target, affected, detail) VALUES
  ('2026-11-24 23:59:59Z', 'ada', 'pause', 'haiku', 3, '{"spent_usd": "0.0572912200"}'),
  ('2026-11-25 10:00:02Z', 'ada', 'cancel', 'run monday', 7, '{}'),
  ('2026-11-25 10:00:01Z', 'rung', 'deadline', 'run monday', 1, '{}'),
  ('2026-11-25 10:00:03Z', 'ada', 'read text', 'job 5', 1, '{}')
"""


def deeds(client: httpx2.Client, path: str) -> list[str]:
    page = Page(client.get(path).text)
    rows = [row for table in page.root.all("tbody") for row in table.all("tr")]
    return [f"{row.all('th')[0].text} {row.all('td')[1].text}" for row in rows]


def test_the_audit_is_by_time_by_day_and_can_be_asked(
    client: httpx2.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(engine, DEEDS)
    page = Page(client.get("/audit").text)
    assert deeds(client, "/audit") == [
        "10:00:03 read text", "10:00:02 cancel", "10:00:01 deadline", "23:59:59 pause"
    ]  # fmt: skip
    assert [day.text for day in page.root.all("h2")] == ["25 Nov 2026", "24 Nov 2026"]
    assert "spent: $0.0573" in page.text
    assert deeds(client, "/audit?who=rung") == ["10:00:01 deadline"]
    assert deeds(client, "/audit?what=cancel&who=ada") == ["10:00:02 cancel"]
    assert deeds(client, "/audit?target=MONDAY") == ["10:00:02 cancel", "10:00:01 deadline"]
    assert "None of the newest" in Page(client.get("/audit?target=x").text).text
    # and what somebody did is found however much others have done since
    monkeypatch.setattr(reading, "AUDITED", 1)
    assert deeds(client, "/audit?who=rung") == ["10:00:01 deadline"]
    assert deeds(client, "/audit?what=pause") == ["23:59:59 pause"]
    assert deeds(client, "/audit?target=MONDAY") == []
    newest = one(engine, "SELECT id FROM audit_events WHERE action = 'cancel'")[0]
    assert deeds(client, f"/audit?who=ada&before={newest}") == ["23:59:59 pause"]
    assert deeds(client, f"/audit?what=pause&before={newest}") == ["23:59:59 pause"]
    assert deeds(client, f"/audit?what=cancel&before={newest}") == []
    offered = [[x.text for x in page.root.all("select", id=name)[0].all("option")][1:]
               for name in ("who", "what")]  # fmt: skip
    assert [len(words) for words in offered] == [2, 4]
    none = "None of the newest 2,500 deeds of ada is such a one."
    assert none in Page(client.get("/audit?who=ada&target=x").text).text


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [("share", "0.0572912200", "share: 0.0573"), ("n", "12.0000000000", "n: 12"),
     ("n", "0.0000012000", "n: 0.0000012"), ("n", "1.25", "n: 1.25"),
     ("n", "a 0.123456", "n: a 0.123456"), ("n", 3, "n: 3"),
     ("budget_usd", "1.0000000000", "budget: $1.00"), ("budget_usd", "none", "budget: none"),
     ("runs", ["day", "night"], "runs: day, night")],
)  # fmt: skip
def test_figures_of_the_record_are_rounded(name: str, given: object, words: str) -> None:
    assert environment.filters["detail"](name, given) == words


def test_refusals_keep_the_frame(client: httpx2.Client, settings: Settings) -> None:
    missing = client.get("/nope")
    with dashboard(settings) as url, visiting(url) as stranger:
        unknown = stranger.post("/actions/pause")
        sign_in = stranger.get("/login")
    for answer, status, words in (
        (missing, 404, "Nothing is at this address"),
        (unknown, 401, "Nothing was changed: nobody is signed in here any more."),
    ):
        page = Page(answer.text)
        assert (answer.status_code, words in page.text) == (status, True)
        assert "/review" in [a.attributes["href"] for a in page.root.all("nav")[0].all("a")]
        assert page.root.all("main")[0].all("h1")
    assert "/login" in Page(unknown.text).links()
    assert (sign_in.status_code, "Sign in to Rung" in sign_in.text) == (200, True)
    assert not Page(sign_in.text).root.all("nav")


def test_whoever_cannot_do_something_is_led_back(client: httpx2.Client) -> None:
    # given
    csrf = {"csrf_token": csrf_of(client)}
    here = f"{client.base_url}/jobs?state=review"
    # when
    told = [
        client.post("/jobs/1/verdict", data={**csrf, "verdict": word}, headers={"Referer": came})
        for word, came in (("reject", here), ("", here), ("reject", "http://elsewhere/jobs"))
    ]
    # then: to the page of ours that they came from, and no option of a command is said to help
    links = [Page(answer.text).links() for answer in told]
    assert ["/jobs?state=review" in found for found in links] == [True, True, False]
    assert all("http://elsewhere/jobs" not in found for found in links)
    assert "What helps" not in told[0].text
