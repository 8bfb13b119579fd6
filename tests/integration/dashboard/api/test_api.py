"""The HTTP API: it shows what SQL and the commands say, and does what it previewed."""

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from models.vocabulary import Verdict
from tests.support.apis import JSONL, Api, rows
from tests.support.promises import do, one
from tests.support.web import calling, dashboard
from tests.support.works import drain, hand_in, settings_for, working
from worker.dashboard.access.passwords import hash_token
from worker.sandbox.simulator.state import State
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.audit import Actor
from worker.store.reading.results import results_of
from worker.store.reading.run_document import run_document
from worker.store.reading.standings import standing_of
from worker.store.reading.surrounding import surrounding_of
from worker.store.runs import find_run

HOSTILE = '=HYPERLINK("http://evil.example")<script>alert(1)</script>'
BODIES = ["Where is my card?", "It was due on Monday.", "Please cancel my order.", HOSTILE]
RESULTS = "/api/runs/run/results"


@pytest.fixture
def worked(api: Api) -> Api:
    """Behind it a finished run, of which one job died and one waits for a person."""
    with working(api.settings) as runtime:
        hand_in(api.engine, api.settings, BODIES, policy="single:haiku", cap=Decimal(5))
        drain(runtime)
    change = "UPDATE jobs SET state = '{}', reason = '{}' WHERE message_id = {}"
    do(api.engine, change.format("dead", "Claude refuses the request: too large", 1))
    do(api.engine, change.format("review", "low confidence", 2))
    return api


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in document.items() if not k.endswith("_at") and k != "deadline"}


def test_a_run_is_what_the_command_says_of_it(worked: Api) -> None:
    # given
    with worked.engine.connect() as connection:
        found = standing_of(connection, find_run(connection, "run").id)
        expected = run_document(connection, found, surrounding_of(connection, worked.settings))
    # when
    shown, listed = worked.get("/api/runs/run"), worked.get("/api/runs")
    # then
    money = ("spent_usd", "reserved_usd", "budget_usd", "budget_left_usd")
    for name in money:
        assert shown[name] == pytest.approx(float(expected[name]), abs=1e-6)
    same = {k: v for k, v in without_times(expected).items() if k not in money}
    assert {k: v for k, v in without_times(shown).items() if k in same} == same
    assert shown["by_state"] == {"answered": 2, "dead": 1, "review": 1}
    (row,) = listed["runs"]
    assert {name: shown[name] for name in row} == row
    assert listed["next"] is None


def test_the_overview_shows_queues_and_live_runs(api: Api) -> None:
    # given
    hand_in(api.engine, api.settings, BODIES, cap=Decimal(5))
    do(api.engine, "INSERT INTO tiers (name, paused, paused_reason) VALUES ('opus', true, 'why')")
    # when
    status, tiers = api.get("/api/status"), api.get("/api/tiers")
    # then
    assert [line["queue"] for line in status["queues"]] == ["routing", "haiku", "sonnet", "opus"]
    assert (status["queues"][0]["waiting"], status["queues"][0]["in_flight"]) == (4, 0)
    assert status["queues"][0]["oldest_wait_s"] > 0
    assert [(q["paused"], q["paused_reason"]) for q in tiers if q["paused"]] == [(True, "why")]
    assert [(run["run"], run["total"], run["ended"]) for run in status["runs"]] == [("run", 4, 0)]


def test_runs_come_in_pages(api: Api) -> None:
    # given
    for number in range(5):
        hand_in(api.engine, api.settings, ["Where is my card?"], name=f"r{number}")
    # when
    first = api.get("/api/runs", limit=2)
    second = api.get("/api/runs", limit=2, before=first["next"])
    last = api.get("/api/runs", limit=2, before=second["next"])
    # then
    pages = [[run["run"] for run in page["runs"]] for page in (first, second, last)]
    assert (pages, last["next"]) == ([["r4", "r3"], ["r2", "r1"], ["r0"]], None)


def test_text_is_hidden_until_an_operator_asks_and_the_asking_is_audited(worked: Api) -> None:
    # when
    hidden = worked.client.get("/api/jobs/run-3")
    hidden_rows = worked.client.get("/api/runs/run/results")
    before = one(worked.engine, "SELECT count(*) FROM audit_events")[0]
    shown = worked.get("/api/jobs/run-3", text="true")
    lines = worked.client.get("/api/runs/run/results", params={"text": "true"}).text.splitlines()
    audit = worked.get("/api/audit")["events"]
    # then
    for answer in (hidden, hidden_rows):
        assert "HYPERLINK" not in answer.text
    assert '"reply":null' in hidden.text
    assert '"send":null' in hidden_rows.text
    assert (hidden.json()["body"], hidden.json()["text_shown"], before) == (None, False, 0)
    assert (shown["body"], shown["text_shown"]) == (HOSTILE, True)
    assert all(json.loads(line)["message"] for line in lines)
    assert [(e["actor"], e["action"], e["target"]) for e in audit] == [
        ("local", "read text", "run run"),
        ("local", "read text", "job 4"),
    ]


def test_a_viewer_reads_no_text_and_changes_nothing(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given
    tokens = {"screen": {"sha256": hash_token("a viewer's token"), "role": "viewer"}}
    settings = settings_for(database_url, simulator[1], dashboard={"tokens": tokens})
    hand_in(engine, settings, BODIES)
    headers = {"Authorization": "Bearer a viewer's token"}
    with dashboard(settings) as url, calling(url, csrf=False, headers=headers) as client:
        # when
        seen = client.get("/api/jobs/1")
        asked = [client.get(path, params={"text": 1}) for path in ("/api/jobs/1", RESULTS)]
        changed = [
            client.post("/api/actions", json={"action": "cancel", "run": "run"}),
            client.post("/api/runs", content=rows("a"), headers=JSONL),
            client.post("/api/jobs/1/verdict", json={"verdict": "accept"}),
        ]
    # then
    assert seen.status_code == 200
    assert [answer.status_code for answer in (*asked, *changed)] == [403] * 5
    assert tuple(one(engine, "SELECT count(*), count(finished_at) FROM jobs")) == (4, 0)


def test_results_are_those_of_the_command_in_both_formats(worked: Api) -> None:
    # given
    expected = list(results_of(worked.engine, 1))
    # when
    jsonl = worked.client.get(RESULTS, params={"text": "1"})
    table = worked.client.get(RESULTS, params={"text": "1", "format": "csv"})
    # then
    found = [json.loads(line) for line in jsonl.text.splitlines()]
    assert [(r["external_id"], r["state"], r["send"]) for r in found] == [
        (row["external_id"], row["state"], row["send"]) for row in expected
    ]
    read = list(csv.DictReader(io.StringIO(table.text)))
    assert [r["external_id"] for r in read] == [row["external_id"] for row in expected]
    assert [r for r in read for cell in r.values() if cell.startswith("=")] == []
    assert jsonl.headers["content-type"] == "application/x-ndjson"


def test_results_come_in_pages_that_name_the_next(worked: Api) -> None:
    # given
    whole = worked.client.get(RESULTS, params={"text": "true"}).text.splitlines()
    pages, address = [], f"{RESULTS}?text=true&limit=2"
    # when
    while address:
        answer = worked.client.get(address)
        pages.append(answer.text.splitlines())
        address = answer.links.get("next", {}).get("url", "")
    # then
    assert [line for page in pages for line in page] == whole
    assert [len(page) for page in pages[:-1]] == [2] * (len(pages) - 1)
    assert len(pages) >= 2
    assert worked.client.get(RESULTS, params={"limit": 0}).status_code == 400
    # Behind a job of another run, or none, a page would be anywhere: that is no address
    assert worked.client.get(f"{RESULTS}?limit=2&after={10**6}").status_code == 422


LISTS = [
    ("/api/runs?", "runs", "run"),
    ("/api/jobs?where=cost+%3E%3D+0", "jobs", "job"),
    ("/api/dead?run=other", "jobs", "job"),
    ("/api/dead?", "jobs", "job"),
    ("/api/review?", "jobs", "job"),
    ("/api/audit?", "events", "id"),
]


def test_every_list_comes_in_pages_that_name_the_next(worked: Api) -> None:
    # given
    hand_in(worked.engine, worked.settings, BODIES, name="other")
    do(worked.engine, "UPDATE jobs SET state = 'dead', finished_at = now() WHERE id % 2 = 1")
    do(worked.engine, "UPDATE jobs SET state = 'review', finished_at = now() WHERE id % 2 = 0")
    for tier in ("haiku", "opus"):
        worked.act(action="pause", tier=tier, reason="a test")
    for address, name, key in LISTS:
        whole = [entry[key] for entry in worked.client.get(address).json()[name]]
        # when
        found, more = [], f"{address}&limit=1"
        while more:
            answer = worked.client.get(more)
            found += [entry[key] for entry in answer.json()[name]]
            more = answer.links.get("next", {}).get("url", "")
            assert (answer.json()["next"] is None) is (more == "")
        # then
        assert found == whole, address
        assert len(whole) >= 2, address


def test_a_page_behind_a_job_that_there_is_not_says_so(worked: Api) -> None:
    answer = worked.client.get("/api/review?before=999")
    assert (answer.status_code, "no job 999" in answer.json()["detail"]) == (404, True)


def test_dead_letters_and_reviews_by_cause(worked: Api) -> None:
    # when
    dead, review = worked.get("/api/dead"), worked.get("/api/review", run="run")
    # then
    assert [(c["run"], c["reason"], c["jobs"]) for c in dead["causes"]] == [
        ("run", "Claude refuses the request: too large", 1)
    ]
    assert [job["external_id"] for job in dead["jobs"]] == ["run-0"]
    assert [job["external_id"] for job in review["jobs"]] == ["run-1"]


def test_a_preview_changes_nothing_and_the_deed_does_what_it_said(api: Api) -> None:
    # given
    hand_in(api.engine, api.settings, BODIES, cap=Decimal(5))
    # when
    preview = api.act(action="cancel", run="run", preview=True)
    before = api.get("/api/runs/run")["by_state"]
    done = api.act(action="cancel", run="run")
    # then
    assert (preview["affected"], preview["preview"], preview["event"]) == (4, True, None)
    assert before == {"queued": 4}
    assert (done["affected"], done["preview"]) == (4, False)
    assert api.get("/api/runs/run")["by_state"] == {"cancelled": 4}
    event = next(e for e in api.get("/api/audit")["events"] if e["id"] == done["event"])
    assert (event["actor"], event["action"], event["affected"]) == ("local", "cancel", 4)


def test_what_died_after_the_preview_is_not_retried_with_it(worked: Api) -> None:
    # given
    preview = worked.act(action="retry", run="run", preview=True)
    do(worked.engine, "UPDATE jobs SET state = 'dead', finished_at = now() WHERE id = 3")
    # when
    done = worked.act(action="retry", run="run", until=preview["until"])
    # then
    assert (preview["affected"], done["affected"]) == (1, 1)
    assert worked.get("/api/runs/run")["by_state"]["dead"] == 1


def test_pause_priority_and_budget_and_their_undoing(api: Api) -> None:
    hand_in(api.engine, api.settings, BODIES, cap=Decimal(5))
    for body, column, value in (
        ({"action": "pause", "reason": "lunch"}, "state_reason", "lunch"),
        ({"action": "resume"}, "state", "active"),
        ({"action": "priority", "priority": 9}, "priority", 9),
        ({"action": "budget", "budget_usd": 7.5}, "budget_usd", 7.5),
        ({"action": "budget", "budget_usd": None}, "budget_usd", None),
    ):
        api.act(run="run", preview=True, **body)
        api.act(run="run", **body)
        assert api.get("/api/runs/run")[column] == value, body
    api.act(action="pause", tier="everything", reason="fire drill")
    paused = api.get("/api/status")["everything_paused"]
    assert paused.startswith("everything is paused by local, since")
    assert paused.endswith(": fire drill")
    api.act(action="resume", tier="everything")
    assert api.get("/api/status")["everything_paused"] is None


def test_a_person_gives_a_verdict(worked: Api) -> None:
    # when
    wrong = worked.client.post("/api/jobs/run-2/verdict", json={"verdict": "accept"})
    bare = worked.client.post("/api/jobs/run-1/verdict", json={"verdict": "edit"})
    given = worked.client.post(
        "/api/jobs/run-1/verdict", json={"verdict": "edit", "reply": "It is on its way."}
    )
    # then
    assert [a.status_code for a in (wrong, bare, given)] == [409, 422, 200]
    assert given.json() == {"job": 2, "verdict": "edit", "reviewer": "local"}
    assert worked.get("/api/jobs/run-1", text=1)["reviews"][0]["reply"] == "It is on its way."
    # What somebody else has said since is not overruled unseen
    give_verdict(
        worked.engine, Actor("ada"), Judged(job_id=2, verdict=Verdict.REJECT, reason="rude")
    )
    (seen,) = [one["known"] for one in worked.get("/api/review")["jobs"] if one["job"] == 2]
    codes = [
        worked.client.post("/api/jobs/2/verdict", json={"verdict": "accept", "known": known})
        for known in (0, seen)
    ]
    assert [a.status_code for a in codes] == [409, 200]
