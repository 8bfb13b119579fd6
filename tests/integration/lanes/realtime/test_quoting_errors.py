"""A gateway whose errors quote the message: its words are in the ledger's row of the call alone."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.odd import every_address, filled
from tests.support.promises import do, one
from tests.support.web import browsing, dashboard
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State

PLANTED = "zanzibar-4711"
QUOTE = f"Your message 'Where is {PLANTED}?' is bad"
TROUBLES: tuple[dict[str, Any], ...] = (
    {"status": 400, "message": QUOTE},
    {"status": 401, "message": QUOTE},
    {"status": 402, "message": QUOTE},
    {"status": 500, "message": QUOTE},
    {"status": 529, "message": QUOTE, "type": f"{PLANTED}_error"},
    {"status": 403, "message": QUOTE, "code": f"{PLANTED}_code"},
    {"stop_reason": f"{PLANTED}"},
    {"refusal": f"{PLANTED}"},
)
PAGES = (
    "/", "/runs", "/runs/1", "/jobs", "/jobs/1", "/dead", "/review", "/audit", "/workers",
    "/api/status", "/api/tiers", "/api/audit", "/api/dead", "/api/review", "/api/jobs",
    "/api/jobs/1", "/api/runs/1", "/api/runs/1/results", "/metrics",
)  # fmt: skip
COMMANDS = (
    ("status",), ("status", "1"), ("runs",), ("dead",), ("review",), ("show", "1"),
    ("show", "1", "--json"), ("doctor",),
)  # fmt: skip
pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], policy={"preset": "single:haiku"})


def troubled(
    engine: Engine, settings: Settings, simulator: tuple[State, str], trouble: dict[str, Any]
) -> None:
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": trouble}])
    name = f"run {one(engine, 'SELECT count(*) FROM runs')[0]}"
    hand_in(engine, settings, [f"Where is {PLANTED}?"], customer_id="c-77", name=name)
    with working(settings) as runtime:
        for _ in range(4):
            drain(runtime)
            make_due(engine)
    simulator[0].moods.replace([])


def tables_with(engine: Engine, words: str) -> set[str]:
    """Names of the tables that have the words in any column."""
    names = one(
        engine,
        "SELECT array_agg(CAST(table_name AS text)) FROM information_schema.tables"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
    )[0]
    counted = {
        name: one(engine, f'SELECT count(*) FROM "{name}" AS t WHERE t::text LIKE :w', w=words)[0]
        for name in names
    }
    return {name for name, rows in counted.items() if rows}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: "-".join(map(str, t.values()))[:20])
def test_the_words_of_an_error_are_shown_nowhere(
    engine: Engine, settings: Settings, simulator: tuple[State, str], trouble: dict[str, Any]
) -> None:
    # given
    troubled(engine, settings, simulator, trouble)
    # then the record has them where the call is, and where the message itself is
    assert tables_with(engine, f"%{PLANTED}%") <= {"messages", "calls"}
    # and no door shows them, unless the text is asked for
    with dashboard(settings) as url, browsing(url) as person:
        shown = {path: person.get(path) for path in PAGES}
        asked = person.get("/api/jobs/1?text=true").text
    assert {answer.status_code for answer in shown.values()} == {200}
    assert [path for path, answer in shown.items() if PLANTED in answer.text] == []
    said = {command: say(*command) for command in COMMANDS}
    assert [c for c, found in said.items() if PLANTED in found.out + found.err] == []
    assert PLANTED in asked


def test_no_page_and_no_endpoint_at_all_shows_them(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given a message that died of it, one that a person has, and a queue that was paused by it
    for trouble in (TROUBLES[0], TROUBLES[6], TROUBLES[1]):
        troubled(engine, settings, simulator, trouble)
    # when whatever can be looked at is, wherever it may lead
    with dashboard(settings) as url, browsing(url) as person:
        shown = {
            path: person.get(path)
            for asked in every_address(settings)
            for path in (filled(asked.path, "1"), filled(asked.path, "run 0"))
            if asked.method == "GET"
        }
    # then
    served = [answer for answer in shown.values() if answer.status_code == 200]
    assert len(served) > 25
    assert [path for path, answer in shown.items() if PLANTED in answer.text] == []


def test_an_error_that_nobody_knows_is_other_and_its_status_is_said(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    troubled(
        engine, settings, simulator, {"status": 418, "type": "teapot_error", "message": "short"}
    )
    assert one(engine, "SELECT reason FROM jobs")[0] == "418 other"
    assert one(engine, "SELECT error FROM calls")[0] == "418 other: teapot_error: short"


def test_stop_reasons_that_nobody_knows_are_other(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    last = "SELECT reasons FROM attempts ORDER BY job_id DESC, fence DESC LIMIT 1"
    troubled(engine, settings, simulator, {"stop_reason": "tomorrow"})
    assert one(engine, last)[0] == ["malformed:stop_reason other"]


def test_refusals_that_nobody_knows_are_other(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    last = "SELECT reasons FROM attempts ORDER BY job_id DESC, fence DESC LIMIT 1"
    troubled(engine, settings, simulator, {"refusal": "tomorrow"})
    assert one(engine, last)[0] == ["refused:other"]


def test_refusals_that_are_known_are_named(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    last = "SELECT reasons FROM attempts ORDER BY job_id DESC, fence DESC LIMIT 1"
    troubled(engine, settings, simulator, {"refusal": "bio"})
    assert one(engine, last)[0] == ["refused:bio"]


def test_forgetting_reaches_the_words_wherever_an_older_version_wrote_them(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given an error that quotes, and every place that once held its words
    troubled(engine, settings, simulator, {"status": 400, "message": QUOTE})
    said = f"400 invalid_request_error: {QUOTE}"
    values = {"said": said, "detail": json.dumps({"reason": said, "n": 1})}
    for statement in (
        "UPDATE jobs SET reason = :said",
        "UPDATE runs SET state_reason = :said",
        "INSERT INTO tiers (name, paused_reason, breaker_reason) VALUES ('opus', :said, :said)",
        "INSERT INTO notices (key, kind, target, words, detail)"
        " VALUES ('k', 'paused', 'opus', 'opus was paused: ' || :said, CAST(:detail AS jsonb))",
        "INSERT INTO audit_events (actor, action, target, affected, detail)"
        " VALUES ('ada', 'pause', 'opus', 1, CAST(:detail AS jsonb))",
    ):
        do(engine, statement, **values)
    # when
    assert say("forget", "--customer", "c-77", "--yes").code == 0
    # then
    assert tables_with(engine, f"%{PLANTED}%") == set()
    assert one(engine, "SELECT error FROM calls")[0] == "400 invalid_request_error"
    assert one(engine, "SELECT reason FROM jobs")[0] == "400 invalid_request_error: …"
    words, detail = one(engine, "SELECT words, detail FROM notices WHERE key = 'k'")
    assert words == "opus was paused: 400 invalid_request_error: …"
    assert detail == {"reason": "400 invalid_request_error: …", "n": 1}


def test_ids_become_fingerprints_where_that_is_asked_for(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given a message that was erased before, and one that was not
    hand_in(engine, settings, ["Where is my card?"] * 2, customer_id="c-77")
    do(engine, "UPDATE messages SET external_id = 'ada@example.org' WHERE id = 1")
    do(engine, "UPDATE messages SET external_id = 'T-1'  WHERE id = 2")
    assert say("forget", "--external-id", "ada@example.org", "--yes").code == 0
    assert one(engine, "SELECT external_id FROM messages WHERE id = 1")[0] == "ada@example.org"
    # when
    assert say("forget", "--external-id", "ada@example.org", "--ids", "--yes").code == 0
    # then
    first, second = (
        one(engine, "SELECT external_id FROM messages WHERE id = :id", id=n)[0] for n in (1, 2)
    )
    assert (first[:7], len(first), second) == ("sha256:", 39, "T-1")
    assert tables_with(engine, "%ada@example.org%") == set()
    assert say("purge", "--older-than", "0d", "--ids", "--yes").code == 0
    assert one(engine, "SELECT external_id FROM messages WHERE id = 1")[0] == first
