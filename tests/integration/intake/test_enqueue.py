"""Submitting a backlog: every row is accounted for, and nothing goes in twice."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.support.cli import say
from tests.support.places import DATA
from tests.support.processes import RUNG, clean_environ, process
from tests.support.waiting import eventually
from worker.store.queue.run_intake import close_abandoned_intakes

MESSY = DATA / "messy"
EXPECTED: dict[str, Any] = json.loads((MESSY / "expected.json").read_text("utf-8"))["files"]
TAKEN_ALL_THE_SAME = frozenset(
    {"036_blank_lines.csv", "048_nan_infinity.jsonl", "057_backslash_quotes.csv"}
)
"""Of these the other acceptable end is ours: no row is rejected that can be read."""


@pytest.fixture(autouse=True)
def configured(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database by environment, and an empty working directory."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)


def count(engine: Engine, what: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {what}")).scalar_one())


def backlog(path: Path, rows: int, first: int = 0) -> Path:
    lines = (
        json.dumps({"external_id": f"m{n}", "body": f"Where is order {n}?"})
        for n in range(first, first + rows)
    )
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("chunk", range(4))
def test_awkward_files_end_as_preferred_in_the_database(engine: Engine, chunk: int) -> None:
    names = sorted(EXPECTED)[chunk::4]
    assert len(names) >= 15
    for name in names:
        preferred = EXPECTED[name]["preferred"]
        if name in TAKEN_ALL_THE_SAME:
            preferred = {"rejected_lines": [], **EXPECTED[name]["also_acceptable"][0]}
            preferred.setdefault("rejected", len(preferred["rejected_lines"]))
        before = count(engine, "jobs")
        said = say("enqueue", str(MESSY / name), "--source", name, "--json")
        assert count(engine, "jobs") - before == preferred["accepted"], name
        assert "Traceback" not in said.err
        if preferred["status"] == "file_rejected":
            assert said.code == 1, name
            assert said.err.startswith("rung: "), name
            continue
        found = said.document
        assert (found["accepted"], found["rejected"]) == (
            preferred["accepted"],
            preferred["rejected"],
        ), name
        lines = sorted(reject["line"] for reject in found["rejects"])
        assert lines == preferred["rejected_lines"], name
        assert said.code == {"ok": 0, "partial": 3, "all_rejected": 1}[preferred["status"]], name


def test_bodies_arrive_as_they_were(engine: Engine) -> None:
    for name in ("082_emoji_zwj.jsonl", "087_multilingual.jsonl", "053_formula_injection.csv"):
        say("enqueue", str(MESSY / name), "--source", name)
    lines = (MESSY / "087_multilingual.jsonl").read_text("utf-8").strip().split("\n")
    rows = [json.loads(line) for line in lines]
    with engine.connect() as connection:
        stored = connection.execute(
            text("SELECT external_id, body FROM messages WHERE source LIKE '087%'")
        )
        assert {row[0]: row[1] for row in stored} == {r["external_id"]: r["body"] for r in rows}


def test_the_same_file_twice_adds_nothing_and_names_the_run(engine: Engine, tmp_path: Path) -> None:
    path = backlog(tmp_path / "day.jsonl", 30)
    first = say("enqueue", str(path), "--json").document
    second = say("enqueue", str(path), "--json")
    assert (first["run"], first["accepted"]) == ("day", 30)
    assert second.code == 0
    assert second.document["run"] is None
    assert (second.document["accepted"], second.document["duplicates"]) == (0, 30)
    assert second.document["known_in"] == ["day"]
    assert (count(engine, "runs"), count(engine, "jobs")) == (1, 30)


def test_again_answers_anew_without_a_second_message(engine: Engine, tmp_path: Path) -> None:
    path = backlog(tmp_path / "day.jsonl", 5)
    say("enqueue", str(path))
    again = say("enqueue", str(path), "--again", "--json").document
    assert (again["run"], again["accepted"]) == ("day-2", 5)
    assert (count(engine, "messages"), count(engine, "jobs")) == (5, 10)


def test_a_key_names_one_run_and_completes_it(engine: Engine, tmp_path: Path) -> None:
    say("enqueue", str(backlog(tmp_path / "a.jsonl", 10)), "--key", "monday")
    whole = say("enqueue", str(backlog(tmp_path / "b.jsonl", 25)), "--key", "monday", "--json")
    found = whole.document
    assert (found["run"], found["accepted"], found["duplicates"]) == ("a", 15, 10)
    assert (count(engine, "runs"), count(engine, "jobs")) == (1, 25)


def test_changed_text_under_a_known_id_is_named(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text('{"external_id": "m1", "body": "Where is it?"}\n')
    say("enqueue", str(path))
    path.write_text('{"external_id": "m1", "body": "Where is it now?"}\n')
    said = say("enqueue", str(path), "--json")
    assert said.code == 1
    assert said.document["rejects"][0]["reason"] == (
        "known in run day with other text; give it a new id, or another source"
    )
    assert count(engine, "jobs") == 1


def test_ids_that_repeat_far_apart_are_rejected_by_line(engine: Engine, tmp_path: Path) -> None:
    path = backlog(tmp_path / "day.jsonl", 4_500)
    with path.open("a") as stream:
        stream.write('{"external_id": "m3", "body": "Where is order 3?"}\n')
    found = say("enqueue", str(path), "--json").document
    assert (found["accepted"], found["rejected"], found["duplicates"]) == (4_500, 1, 0)
    assert found["rejects"][0]["line"] == 4_501
    assert found["rejects"][0]["reason"] == "repeated external_id; the first one is taken"


def test_many_intakes_of_one_file_at_once_make_one_job_a_message(
    engine: Engine, tmp_path: Path, database_url: str
) -> None:
    path = backlog(tmp_path / "day.jsonl", 300)
    command = [*RUNG, "enqueue", str(path), "--json"]
    environ = clean_environ(DATABASE_URL=database_url)
    said: list[subprocess.CompletedProcess[str]] = []

    def enqueue() -> None:
        done = subprocess.run(
            command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        said.append(done)

    threads = [threading.Thread(target=enqueue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {done.returncode for done in said} == {0}, [done.stderr for done in said]
    assert sum(json.loads(done.stdout)["accepted"] for done in said) == 300
    assert (count(engine, "messages"), count(engine, "jobs")) == (300, 300)
    assert count(engine, "runs WHERE id NOT IN (SELECT run_id FROM jobs)") == 0


def test_a_killed_intake_is_completed_by_the_same_command(
    engine: Engine, tmp_path: Path, database_url: str
) -> None:
    path = backlog(tmp_path / "day.jsonl", 60_000)
    environ = clean_environ(DATABASE_URL=database_url)
    command = [*RUNG, "enqueue", str(path), "--key", "day"]
    with process(command, log=tmp_path / "log", environ=environ, cwd=tmp_path) as intake:
        eventually(lambda: count(engine, "jobs") > 0, every_s=0.01)
        os.kill(intake.pid, signal.SIGKILL)
        intake.wait()
    half = count(engine, "jobs")
    assert 0 < half < 60_000
    with engine.begin() as connection:
        connection.execute(text("UPDATE runs SET created_at = now() - interval '1 minute'"))
    eventually(
        lambda: (
            close_abandoned_intakes(engine) is None and not count(engine, "runs WHERE accepting")
        )
    )

    found = say("enqueue", str(path), "--key", "day", "--json").document
    assert (found["accepted"], found["duplicates"]) == (60_000 - half, half)
    assert (count(engine, "jobs"), count(engine, "runs")) == (60_000, 1)


def test_ctrl_c_keeps_what_was_accepted(engine: Engine, tmp_path: Path, database_url: str) -> None:
    path = backlog(tmp_path / "day.jsonl", 60_000)
    environ = clean_environ(DATABASE_URL=database_url)
    log = tmp_path / "log"
    command = [*RUNG, "enqueue", str(path)]
    with process(command, log=log, environ=environ, cwd=tmp_path) as intake:
        eventually(lambda: count(engine, "jobs") > 0, every_s=0.01)
        os.kill(intake.pid, signal.SIGINT)
        assert intake.wait(30) == 130, log.read_text()
    assert "Taken in, and to be answered in run day: " in log.read_text()
    assert count(engine, "jobs") > 0
    assert count(engine, "runs WHERE accepting") == 0


def test_standard_input_is_a_backlog(engine: Engine, tmp_path: Path, database_url: str) -> None:
    done = subprocess.run(
        [sys.executable, *RUNG[1:], "enqueue", "-", "--run", "piped", "--json"],
        input=backlog(tmp_path / "day.jsonl", 7).read_bytes(),
        env=clean_environ(DATABASE_URL=database_url),
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accepted"] == 7
    assert count(engine, "jobs") == 7


def test_a_dry_run_stores_nothing_and_says_what_it_would_cost(engine: Engine) -> None:
    said = say("enqueue", str(MESSY / "096_many_small_errors.jsonl"), "--dry-run", "--json")
    assert said.code == 3
    assert (said.document["accepted"], said.document["rejected"]) == (200, 200)
    tiers = {tier["tier"]: tier["cost_usd"] for tier in said.document["expected"]["tiers"]}
    assert list(tiers) == ["haiku", "sonnet", "opus"]
    assert all(cost > 0 for cost in tiers.values())
    assert "Assumed" in said.document["expected"]["assumption"]
    assert (count(engine, "runs"), count(engine, "messages")) == (0, 0)


def test_rejects_are_listed_in_a_file_without_text(tmp_path: Path) -> None:
    said = say("enqueue", str(MESSY / "096_many_small_errors.jsonl"))
    listed = (tmp_path / "096_many_small_errors.rejects.csv").read_text("utf-8")
    rows = list(csv.reader(io.StringIO(listed, newline="")))
    assert rows[0] == ["file", "line", "external_id", "reason"]
    assert [int(row[1]) for row in rows[1:]] == list(range(2, 401, 2))
    assert "… and 180 more" in said.err


def test_columns_can_be_named(engine: Engine, tmp_path: Path) -> None:
    path = str(tmp_path / "day.csv")
    rows = ("Foo,Bar", "m1,Where is my parcel now please", "m2,Refund me the lamp please")
    Path(path).write_text("\n".join(rows))
    refused = say("enqueue", path)
    assert refused.code == 1
    assert "--map external_id=Foo --map body=Bar" in refused.err
    said = say("enqueue", path, "--map", "external_id=Foo", "--map", "body=Bar", "--json")
    assert said.document["accepted"] == 2, said.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing.csv"], 2, "There is no file missing.csv."),
        (["."], 1, ". is a folder"),
        ([], 2, "Missing argument"),
        (["x.csv", "--nonsense"], 2, "No such option"),
        (["x.csv", "--policy", "ladderr"], 6, "Did you mean ladder?"),
        (["x.csv", "--deadline", "soon"], 2, "There is no file x.csv."),
        (["x.csv", "--budget", "-1"], 2, "it must be from 0 to"),
        (["x.csv", "--budget", "nan"], 2, "'nan' is not an amount of dollars"),
        (["x.csv", "--budget", "1e999"], 2, "it must be from 0 to"),
        (["x.csv", "--budget", "a lot"], 2, "'a lot' is not an amount of dollars"),
    ],
)
def test_mistakes_get_a_sentence(arguments: list[str], code: int, words: str) -> None:
    said = say("enqueue", *arguments)
    assert (said.code, words in said.err, "Traceback" in said.err) == (code, True, False), said.err


def test_no_text_of_the_customers_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    planted = "the-planted-word"
    path.write_text(
        json.dumps({"external_id": "m1", "body": planted * 20_000})
        + "\n"
        + json.dumps({"external_id": "", "body": planted})
        + "\n{"
        + planted
        + "\n"
        + json.dumps({"external_id": "m2", "body": planted})
    )
    said = say("enqueue", str(path))
    assert planted not in said.err + said.out
    assert planted not in (tmp_path / "day.rejects.csv").read_text()
