"""What terminal, pages and API show of the same thing is the same: files of results, what is hidden
of a receipt, dead letters; and names with slashes and brackets in them are names."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Engine

from tests.support.apis import JSONL, Api, api_over, rows
from tests.support.cli import say
from tests.support.pages import Page
from tests.support.promises import do, one
from tests.support.works import drain, hand_in, settings_for, working
from worker.sandbox.simulator.state import State
from worker.store.reading import attention

BODIES = ["Where is my card?", "=1+1", "A complicated case: please help me with SECRET-BODY."]
SECRETS = ("SECRET-BODY", "SECRET-HINT", "SECRET-REPLY", "SECRET-SUBJECT")


@pytest.fixture
def api(
    configured: None,
    engine: Engine,
    database_url: str,
    redis_url: str,
    simulator: tuple[State, str],
) -> Iterator[Api]:
    """The API, and the commands on the same database."""
    settings = settings_for(database_url, simulator[1], redis_url=redis_url)
    with api_over(engine, settings) as served:
        yield served


def worked(api: Api) -> None:
    with working(api.settings) as runtime:
        hand_in(api.engine, api.settings, BODIES)
        drain(runtime)


def test_half_way_terminal_and_page_say_the_same_saving_of_what_has_ended(api: Api) -> None:
    # given: a run of which some has ended
    bodies = [f"Where is my card number {n}? It was due on Monday." for n in range(150)]
    hand_in(api.engine, api.settings, bodies)
    with working(api.settings) as runtime:
        while one(api.engine, "SELECT count(finished_at) < 100 FROM jobs")[0]:
            drain(runtime, rounds=1)
    ended = one(api.engine, "SELECT count(finished_at) FROM jobs")[0]
    assert 100 <= ended < 150
    # when
    cost, advice = say("cost", "run"), say("advise", "run")
    page = Page(api.client.get("/runs/1", headers={"Accept": "text/html"}).text)
    # then: one figure, and both commands say of how many
    saved = re.search(r"saved (\d+ %)", page.text)
    assert saved is not None
    assert f"{saved[1]} less" in cost.out
    assert f"The pipeline saves {saved[1]} of the model bill." in advice.out
    assert f"So far: {ended} of 150 are done." in cost.err
    assert f"From {ended} messages that have ended ({150 - ended} are open)" in advice.out


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_api_sends_the_file_that_rung_results_writes(api: Api, kind: str) -> None:
    # given
    worked(api)
    for_programs = ["--raw"] if kind == "jsonl" else []
    assert say("results", "run", "-o", f"a.{kind}", *for_programs).code == 0
    # when
    sent = api.client.get("/api/runs/run/results", params={"format": kind, "text": "true"})
    # then
    written = Path(f"a.{kind}").read_bytes()
    if kind == "jsonl":  # one writes a blank after colons, the other does not
        written = written.replace(b'": ', b'":').replace(b', "', b',"')
    assert sent.content == written
    assert b"True" not in sent.content


def test_what_is_hidden_of_a_receipt_is_hidden_at_every_door(api: Api) -> None:
    # given: every place that can hold what somebody wrote
    worked(api)
    do(
        api.engine,
        "UPDATE messages SET subject = 'SECRET-SUBJECT', metadata = '{\"a\": \"SECRET-BODY\"}'",
    )
    do(
        api.engine,
        """UPDATE attempts SET hint = '{"findings": ["SECRET-HINT"]}', findings =
        '[{"validator": "placeholder", "severity": "reject", "finding": "in plain words"}]'""",
    )
    do(api.engine, "UPDATE calls SET output = 'SECRET-REPLY'")
    do(api.engine, "UPDATE results SET reply = 'SECRET-REPLY', fields = '{\"a\": \"SECRET-BODY\"}'")
    do(
        api.engine,
        "INSERT INTO reviews (job_id, verdict, reply, reviewer)"
        " VALUES (3, 'edit', 'SECRET-REPLY', 'ada')",
    )
    # when
    doors = {
        "rung show": say("show", "3").out,
        "rung show --json": say("show", "3", "--json").out,
        "the API": api.client.get("/api/jobs/run-2").text,
        "the page": api.client.get("/jobs/3").text,
    }
    shown = say("show", "3", "--text", "--json").out
    # then
    found = {door: [word for word in SECRETS if word in text] for door, text in doors.items()}
    assert found == {door: [] for door in doors}
    assert all("in plain words" in text for text in doors.values())
    assert [word for word in SECRETS if word not in shown] == []


@pytest.mark.parametrize("state", ["dead", "review"])
def test_dead_letters_are_bounded_at_every_door(
    api: Api, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    # given: more than are grouped
    monkeypatch.setattr(attention, "GROUPED", 2)
    monkeypatch.setattr("worker.cli.attention.GROUPED", 2)
    hand_in(api.engine, api.settings, BODIES)
    do(api.engine, f"UPDATE jobs SET state = '{state}', reason = 'schema', finished_at = now()")
    # when
    command, told = say(state, "--json").document, api.get(f"/api/{state}")
    page = api.client.get(f"/{state}").text
    # then: the newest of them, each door the same ones
    for document in (command, told):
        assert [(c["reason"], c["jobs"]) for c in document["causes"]] == [("schema", 2)]
        assert [job["external_id"] for job in document["jobs"]][:2] == ["run-2", "run-1"]
    assert "of the newest 2" in page
    assert "Grouped are the newest 2 of 3." in say(state).err


def test_runs_that_answer_nobody_are_listed_when_asked_for(api: Api) -> None:
    # given
    for name in ("day", "asked"):
        hand_in(api.engine, api.settings, BODIES, name=name)
    do(api.engine, "UPDATE runs SET kind = 'shadow' WHERE name = 'asked'")
    # when
    pages = [Page(api.client.get(path).text) for path in ("/runs", "/runs?all=1")]
    listed = [[row[""].split()[0] for row in page.rows("stacked")] for page in pages]
    told = [
        [run["run"] for run in say("runs", *more, "--json").document] for more in ((), ("--all",))
    ]
    # then
    assert listed == told == [["day"], ["asked", "day"]]
    assert "ladder, shadow" in say("runs", "--all").out
    assert [(run["run"], run["kind"]) for run in api.get("/api/runs")["runs"]] == [
        ("asked", "shadow"), ("day", "backlog")
    ]  # fmt: skip


NAMES = ("a/b", "[/b]", "[link=https://evil.example]c[/link]")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_a_slash_or_brackets_is_a_name(api: Api, name: str) -> None:
    # given
    run = hand_in(api.engine, api.settings, BODIES, name=name).name
    ended = "UPDATE jobs SET state = :state, reason = :why, finished_at = now() WHERE id = :id"
    do(api.engine, ended, state="dead", why=name, id=1)
    do(api.engine, ended, state="review", why=name, id=2)
    # when
    said = [
        say(*words)
        for words in (
            ("status", run), ("status",), ("runs",), ("dead",), ("review",), ("dead", run),
            ("show", f"{run}/{name}-0"), ("show", f"{name}-0"), ("results", run), ("cost", run),
            ("pause", run), ("resume", run), ("retry", run, "--dry-run"),
            ("cancel", run, "--yes"),
        )
    ]  # fmt: skip
    # then
    assert [(s.code, s.err) for s in said if s.code] == []
    assert f"{run}/{name}-0" in said[3].out
    for path in (
        "/",
        "/runs",
        "/runs/1",
        "/jobs/1",
        "/dead",
        "/review",
        f"/jobs?run={quote(run)}",
    ):
        assert api.client.get(path).status_code == 200, path
    assert one(api.engine, "SELECT state FROM runs")[0] == "cancelled"


def test_a_run_and_a_message_whose_names_hold_slashes_are_found_at_every_door(api: Api) -> None:
    # given
    run, job = "Support / Monday", "Support / Monday/T/1"
    api.post_run(rows("T/1"), JSONL, run=run)
    ended = "UPDATE jobs SET state = 'review', reason = 'low_confidence', finished_at = now()"
    do(api.engine, ended)
    # when
    shown, found = say("show", job), api.get(f"/api/jobs/{quote(job)}")
    verdict = {"verdict": "edit", "reply": "We have sent it."}
    judged = api.client.post(f"/api/jobs/{quote(job)}/verdict", json=verdict)
    answers = api.client.get(f"/api/runs/{quote(run, safe='')}/results", params={"text": "true"})
    # then
    assert (shown.code, found["external_id"], judged.status_code) == (0, "T/1", 200)
    assert answers.json()["send"] == "We have sent it."
    assert api.get(f"/api/runs/{quote(run)}")["total"] == 1
    assert "<h1>Support / Monday" in api.client.get(f"/runs/{quote(run)}").text
    assert api.client.get(f"/jobs?q={quote(job)}").headers["location"] == "/jobs/1"
