"""Names, reasons and replies that try to write on the terminal: every listing shows them, and obeys
none of them."""

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

import worker.cli
from tests.support.cli import Said, say
from tests.support.promises import do
from tests.support.works import drain, hand_in, settings_for, working
from worker.cli.main import cli, guarded
from worker.config.settings import Settings
from worker.domain.run_names import complaint, tidied
from worker.sandbox.simulator.state import State

EVIL = "a[/x][link=https://evil.example]b[/link]\x1b]0;PWN\x07\x9b31m\u202e\x1b[2J"
COLOUR = re.compile(r"\x1b\[[\d;]*m|\x1b\[\?25[lh]")
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
pytestmark = pytest.mark.usefixtures("configured")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def say_on_terminal(*arguments: str) -> Said:
    """Runs `rung ARGUMENTS` where both outputs are a terminal."""
    out, err = Terminal(), Terminal()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = guarded(lambda: cli.main(list(arguments), standalone_mode=False, prog_name="rung"))
    return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


@pytest.fixture
def hostile(engine: Engine, settings: Settings) -> None:
    """Two runs whose every word from outside is hostile: ids, names, replies, reasons, findings."""
    bodies = [f"{EVIL} number {n}" for n in range(4)]
    for name in ("one", "two"):
        hand_in(engine, settings, bodies, name=name)
        with working(settings) as runtime:
            drain(runtime)
    words: dict[str, Any] = {"evil": EVIL}
    with engine.begin() as connection:
        for statement in (
            "UPDATE runs SET name = name || :evil, state_reason = :evil, waiting_for = :evil",
            "UPDATE messages SET external_id = external_id || :evil, subject = :evil,"
            " language = :evil, channel = :evil, customer_id = :evil",
            "UPDATE results SET reply = :evil",
            "UPDATE jobs SET reason = :evil, difficulty = :evil",
            "UPDATE calls SET error = :evil",
            "UPDATE attempts SET reasons = ARRAY[:evil]",
            "INSERT INTO tiers (name, paused, paused_reason, breaker_reason)"
            " VALUES ('opus', true, :evil, :evil) ON CONFLICT (name) DO UPDATE"
            " SET paused = true, paused_reason = :evil, breaker_reason = :evil",
        ):
            connection.execute(text(statement), words)
    do(engine, "UPDATE jobs SET state = 'review' WHERE id % 3 = 0")
    do(engine, "UPDATE jobs SET state = 'dead' WHERE id % 3 = 1")


LISTINGS = (
    ("status",),
    ("status", "1"),
    ("status", "--json"),
    ("runs",),
    ("runs", "--json"),
    ("cost", "1"),
    ("advise",),
    ("replay", "1"),
    ("diff", "1", "2"),
    ("diff", "1", "2", "--csv"),
    ("diff", "1", "2", "--json"),
    ("dead",),
    ("dead", "--json"),
    ("review",),
    ("review", "--all"),
    ("review", "--json"),
    ("review", "--show", "3"),
    ("show", "1"),
    ("show", "1", "--text"),
    ("show", "1", "--text", "--json"),
    ("results", "1"),
    ("results", "1", "--json"),
    ("retry", "1", "--dry-run"),
    ("cancel", "1", "--dry-run"),
    ("priority", "1", "5", "--dry-run"),
    ("budget", "1", "5", "--dry-run"),
    ("reprocess", "--where", "state = review", "--dry-run"),
    ("schedule",),
    ("config", "check"),
    ("doctor",),
    ("deliver", "status"),
    ("certificates",),
    ("map", "list"),
    ("evaluate", "1"),
    ("forecast",),
)


@pytest.mark.usefixtures("hostile")
def test_no_listing_obeys_what_it_lists() -> None:
    failed: dict[tuple[str, ...], str] = {}
    for listing in LISTINGS:
        said = say_on_terminal(*listing)
        for words in (said.out, said.err):
            left = COLOUR.sub("", words)
            if found := RAW.search(left):
                failed[listing] = (
                    f"raw {found.group()!r} in {left[max(found.start() - 60, 0) :][:90]}"
                )
        if "a bug of Rung" in said.err or "]8;" in said.out:
            failed[listing] = said.err or said.out
    assert failed == {}


@pytest.mark.usefixtures("hostile")
def test_markup_is_shown_as_it_is() -> None:
    for listing in (("runs",), ("dead",), ("review",), ("show", "1"), ("status", "1")):
        assert "a[/x][link=https://evil.example]b" in say(*listing).out.replace("\n", ""), listing


@pytest.mark.usefixtures("hostile")
def test_a_program_gets_the_words_as_they_are() -> None:
    assert say("runs", "--json").document[0]["run"].endswith(EVIL)
    assert EVIL in say("results", "1").out
    row = json.loads(say("results", "1", "--json").out.splitlines()[0])
    assert row["external_id"].endswith(EVIL)


def test_every_command_speaks_through_the_one_door() -> None:
    """`click.echo` of data, a console of one's own or a file opened for writing would miss it."""
    commands = Path(worker.cli.__file__).parent
    own = re.compile(r"\bConsole\(|\.open\(\"w|\.write_text\(")
    elsewhere = [
        path.name
        for path in commands.rglob("*.py")
        if path.parent.name != "speech" and own.search(path.read_text("utf-8"))
    ]
    echoing = {p.name for p in commands.rglob("*.py") if "click.echo(" in p.read_text("utf-8")}
    assert elsewhere == []
    assert echoing == {"main.py", "output.py", "dashboard_secrets.py", "doctor.py", "db.py"}


NAMES = [
    *(" ", "x" * 121, "a//b", "/a", "a/..", ".", "a\\b", "a/results"),
    *("n\x1b[31mRED", "n\x9b", "n\u202e", "n\n", "n\x00"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_called_nothing_that_a_terminal_obeys(name: str, tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("external_id,body\n1,Where is my card?\n")
    said = say("enqueue", "day.csv", "--run", name)
    assert (said.code, "The name of a run" in said.err) == (2, True), said.err
    assert complaint(name) is not None


def test_a_files_name_is_tidied(tmp_path: Path) -> None:
    (tmp_path / "d\x1b[31may.csv").write_text("external_id,body\n1,Where is my card?\n")
    assert say("enqueue", "d\x1b[31may.csv").code == 0
    assert [run["run"] for run in say("runs", "--json").document] == ["d-31may"]
    assert tidied("d\x1b[31m/ay\u202e") == "d_[31m_ay_"
