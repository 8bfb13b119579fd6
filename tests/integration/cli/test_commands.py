"""The other commands: what they print, as people and programs read it, and how they fail."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from tests.support.cli import say
from tests.support.processes import RUNG, clean_environ
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.cli.main import COMMANDS
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(20)]
STATUS_KEYS = {
    "run", "state", "total", "by_state", "by_tier", "escalations", "calls", "spent_usd",
    "reserved_usd", "simulated",
}  # fmt: skip
RESULT_COLUMNS = ["external_id", "subject", "customer_id", "message", "send", "state"]


pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


def work_off(engine: Engine, settings: Settings, bodies: list[str], **more: Any) -> None:
    hand_in(engine, settings, bodies, name="day", **more)
    with working(settings) as runtime:
        for _ in range(3):
            drain(runtime)
            make_due(engine)


def test_status_has_the_promised_keys(engine: Engine, settings: Settings) -> None:
    assert "Nothing has been submitted yet" in say("runs").err
    work_off(engine, settings, BODIES)
    found = say("status", "day", "--json").document
    assert set(found) >= STATUS_KEYS
    assert found["total"] == sum(found["by_state"].values()) == 20
    assert found["simulated"] is True
    assert isinstance(found["spent_usd"], float)
    shown = say("status", "day")
    assert (shown.code, "20 of 20 done" in shown.out, "SIMULATED" in shown.out) == (0, True, True)
    assert say("status", "day", "--watch").code == 0
    assert [run["run"] for run in say("runs", "--json").document] == ["day"]
    assert "20 of 20" in say("runs").out


def test_the_overview_says_where_nobody_works(engine: Engine, settings: Settings) -> None:
    hand_in(engine, settings, BODIES, name="day")
    shown = say("status")
    assert "No worker is running, and 20 messages wait. Start one: rung up" in shown.err
    assert "no worker is there" not in shown.err, "one cause is one sentence"
    queues = say("status", "--json").document["queues"]
    assert [queue["queue"] for queue in queues] == ["routing", "haiku", "sonnet", "opus"]


def test_results_come_back_in_three_formats(engine: Engine, settings: Settings) -> None:
    work_off(engine, settings, BODIES)
    printed = say("results", "day")
    rows = list(csv.DictReader(io.StringIO(printed.out, newline="")))
    assert list(rows[0])[: len(RESULT_COLUMNS)] == RESULT_COLUMNS
    assert len({row["external_id"] for row in rows}) == 20
    assert "SIMULATED" in printed.err

    assert say("results", "day", "-o", "a.jsonl").code == 0
    lines = [json.loads(x) for x in Path("a.jsonl").read_text("utf-8").split("\n") if x]
    assert say("results", "day", "-o", "a.parquet").code == 0
    table = pq.read_table("a.parquet").to_pylist()
    for one in (lines, table):
        assert [row["external_id"] for row in one] == [row["external_id"] for row in rows]
        assert [row["send"] or "" for row in one] == [row["send"] for row in rows]
    assert say("results", "day", "-o", "a.docx").code == 2
    assert say("results", "day", "-o", "nowhere/a.csv").code == 2


def test_formulas_are_neutralised_except_for_programs(engine: Engine, settings: Settings) -> None:
    hand_in(engine, settings, ["x"], name="=1+1")
    with engine.begin() as connection:
        connection.execute(text("UPDATE messages SET external_id = '=1+1'"))
    assert "'=1+1," in say("results", "=1+1").out
    assert '"external_id": "=1+1"' in say("results", "=1+1", "--json").out


def test_a_receipt_tells_all_and_masks_the_text(engine: Engine, settings: Settings) -> None:
    planted = "the-planted-word"
    work_off(engine, settings, [f"Where is my {planted}? It was due on Monday."])
    shown, full = say("show", "day/day-0"), say("show", "day/day-0", "--full")
    assert (shown.code, full.code) == (0, 0)
    for word in ("accept", "confidence", "tokens in", "ended", "total"):
        assert word in shown.out
    assert planted not in shown.out + full.out
    for word in ("start:haiku", "prompt"):
        assert (word in shown.out, word in full.out) == (False, True)
    read = say("show", "day/day-0", "--text").out
    # The story, the message and the reply come before how it went.
    places = [read.index(label) for label in ("  why", "  message", "  reply", "  decision")]
    assert places == sorted(places)
    assert planted in read[places[1] : places[2]]
    found = say("show", "day-0", "--json").document
    assert planted not in json.dumps(found)
    assert [attempt["stage"] for attempt in found["attempts"]] == ["route", "answer"]
    assert found["total_usd"] == found["cost_usd"]
    assert say("show", "nobody").code == 2


def test_a_receipt_is_safe_for_the_terminal(engine: Engine, settings: Settings) -> None:
    work_off(engine, settings, ["Where \x1b[31mis\x1b[0m my card? It was due on Monday."])
    shown = say("show", "day/day-0", "--text")
    assert "\x1b[31m" not in shown.out
    assert "\\x1b[31m" in shown.out


def test_the_bill_names_what_it_compares(engine: Engine, settings: Settings) -> None:
    work_off(engine, settings, BODIES)
    bill = say("cost", "day", "--json").document
    assert bill["simulated"] is True
    lines = sum(line["cost_usd"] for line in bill["lines"])
    # Each is rounded to a millionth by itself.
    assert bill["total_usd"] == pytest.approx(lines, abs=1e-6 * len(bill["lines"]))
    assert bill["all_on_top"]["cost_usd"] > bill["total_usd"]
    assert "Assumed" in say("cost", "day").out
    assert say("advise", "day").code == 0
    assert say("replay", "day").code == 0


def test_dead_letters_and_reviews_are_listed_by_cause(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    simulator[0].moods.replace(
        [
            {"match": {"contains": "number 1?"}, "do": {"status": 422, "message": "no good"}},
            {
                "match": {"contains": "number 2?", "purpose": "answer"},
                "do": {"merge": {"confidence": 0.1}},
            },
        ]
    )
    work_off(engine, settings, BODIES)
    dead = say("dead", "day", "--json").document
    assert [cause["reason"] for cause in dead["causes"]] == ["422 invalid_request_error"]
    review = say("review", "day", "--json").document
    assert [job["external_id"] for job in review["jobs"]] == ["day-2"]
    assert "no good" not in say("dead").out

    job = str(review["jobs"][0]["job"])
    assert say("review", "--reject", job).code == 2
    Path("reply.txt").write_text("A better reply, by a person.")
    assert say("review", "--edit", job, "--reply", "reply.txt").code == 0
    assert "A better reply, by a person." in say("results", "day").out
    assert say("review", "--all", "-o", "review.csv").code == 0
    exported = Path("review.csv").read_text().replace(",edit,", ",accept,")
    Path("back.csv").write_text(exported)
    assert say("review", "--verdicts", "back.csv").code == 0
    with engine.connect() as connection:
        verdicts = connection.execute(text("SELECT verdict FROM reviews ORDER BY id")).scalars()
        assert list(verdicts) == ["edit", "accept"]
        stored = connection.execute(text("SELECT reply FROM results WHERE NOT accepted")).scalar()
    assert stored != "A better reply, by a person."


def test_actions_say_what_they_would_do_and_then_do_it(engine: Engine, settings: Settings) -> None:
    hand_in(engine, settings, BODIES, name="day")
    assert say("pause", "day").code == 0
    assert say("status", "day", "--json").document["state"] == "paused"
    assert say("resume", "day", "--budget", "5").code == 0
    assert say("pause", "--tier", "haiku", "--reason", "too dear").code == 0
    paused = say("status").err
    assert "haiku is paused by " in paused
    assert ": too dear" in paused
    assert say("resume", "--tier", "haiku").code == 0
    assert say("pause", "--tier", "titan").code == 2
    assert say("pause").code == 2
    would = say("cancel", "day", "--dry-run", "--json").document
    assert say("cancel", "day").code == 2
    did = say("cancel", "day", "--yes", "--json").document
    assert (would["affected"], did["affected"]) == (20, 20)
    assert say("resume", "day").code == 1
    # What cannot go on changes no lane either.
    with engine.begin() as connection:
        connection.execute(text("UPDATE runs SET lane = 'batch'"))
    refused = say("resume", "day", "--lane", "realtime")
    assert (refused.code, "there is nothing left to resume" in refused.err) == (1, True)
    assert say("resume", "--lane", "realtime", "--tier", "haiku").code == 2
    with engine.connect() as connection:
        actions = connection.execute(text("SELECT action FROM audit_events ORDER BY id")).scalars()
        assert list(actions) == ["pause", "resume", "pause", "resume", "cancel"]
        assert connection.execute(text("SELECT lane FROM runs")).scalar() == "batch"


def test_a_budget_too_small_is_refused(engine: Engine, settings: Settings) -> None:
    work_off(engine, settings, BODIES)
    with engine.begin() as connection:
        connection.execute(text("UPDATE runs SET state = 'active', finished_at = NULL"))
    said = say("resume", "day", "--budget", "0")
    assert (said.code, "is too small" in said.err) == (2, True)


def test_unknown_names_get_close_ones(engine: Engine, settings: Settings) -> None:
    hand_in(engine, settings, BODIES[:1], name="monday")
    assert "Did you mean `rung status`?" in say("statsu").err
    said = say("status", "mondya")
    assert (said.code, "Did you mean monday?" in said.err) == (2, True)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    said = say(name, "--help")
    assert (said.code, "Usage: rung" in said.out) == (0, True)


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from worker.cli.main import cli\n"
        "try: cli.main(['--help'], prog_name='rung')\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'celery', 'anthropic', 'pydantic', 'rich'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("imported", "unused"),
    [
        ("worker.cli.status, worker.cli.speech.context", "sqlalchemy.orm"),
        ("worker.cli.status, worker.cli.speech.context", "worker.domain.policy"),
        ("worker.intake.handover", "openpyxl"),
        ("worker.cli.enqueue, worker.intake.handover, worker.store.rights", "sqlalchemy.orm"),
    ],
)
def test_a_command_waits_for_nothing_that_it_does_not_use(imported: str, unused: str) -> None:
    """The mapping of tables was a fifth of `rung status` and policies a twentieth; workbooks were
    a fifth of a small intake."""
    program = f"import sys, {imported}; sys.exit({unused!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_shell_can_complete(tmp_path: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        environ = clean_environ(_RUNG_COMPLETE=f"{shell}_source")
        done = subprocess.run(list(RUNG), env=environ, capture_output=True, text=True, check=False)
        assert "_RUNG_COMPLETE" in done.stdout, done.stderr


def test_celery_has_the_same_commands(tmp_path: Path) -> None:
    celery = [sys.executable, "-m", "celery", "rung"]
    bare = clean_environ(RUNG_HOME=str(tmp_path))
    done = subprocess.run(
        [*celery, "status"], cwd=tmp_path, env=bare, capture_output=True, text=True
    )
    assert (done.returncode, "Traceback" in done.stderr) == (5, False), done.stderr
    assert "DATABASE_URL is not set" in done.stderr


def test_rejects_are_listed_by_line_wherever_they_were_found(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    # given: the repeated id is found by the database, the empty body before that by the reader
    backlog = tmp_path / "day.csv"
    backlog.write_text("external_id,body\n1,where is my card?\n1,and now?\n2,\n")
    # when
    said = say("enqueue", str(backlog), "--json", "--rejects", str(tmp_path / "out.csv"))
    # then
    assert [reject["line"] for reject in said.document["rejects"]] == [3, 4]
