"""Names, reasons and replies that try to write on the terminal: every listing shows them, and obeys
none of them."""

import contextlib
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine, text

import worker.cli
from models.vocabulary import ReadingKind
from tests.support.cli import Said, say
from tests.support.hostile import EVIL, every_command, hostile_rows, usual
from tests.support.promises import do
from tests.support.works import drain, hand_in, settings_for, working
from worker.cli.exit_codes import guarded
from worker.cli.main import cli
from worker.cli.speech import streams
from worker.config.settings import Settings
from worker.domain.run_names import complaint, tidied
from worker.sandbox.simulator.state import State
from worker.store.queue import reading_leases
from worker.store.queue.reading_leases import ReadBy
from worker.store.queue.review_clusters import cluster_reviews

NO_ROWS = {"evidence"}
"""Tables that nothing of this test fills."""
COLOUR = re.compile(r"\x1b\[[\d;]*m|\x1b\[\?25[lh]|\x1b\[2K|\x1b\[1A")
"""What rich itself writes: colours, and progress that is drawn again."""
RAW = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]")
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
    with engine.begin() as connection:
        for statement in (
            "UPDATE runs SET name = name || :evil",
            "UPDATE messages SET external_id = external_id || :evil",
            "UPDATE attempts SET reasons = ARRAY[:evil]",
            "INSERT INTO tiers (name, paused, paused_reason, breaker_reason)"
            " VALUES ('opus', true, :evil, :evil)",
            "INSERT INTO escalations (job_id, fence, from_tier, to_tier, reason, detail)"
            " SELECT job_id, fence, 'haiku', 'person', :evil, :evil FROM attempts",
        ):
            connection.execute(text(statement), {"evil": EVIL})
        job = connection.execute(text("SELECT min(id) FROM jobs WHERE id % 3 = 0")).scalar_one()
        reading_leases.take(connection, ReadingKind.REVIEW, (job, 0), ReadBy(EVIL, EVIL))
    do(engine, "UPDATE jobs SET state = 'review' WHERE id % 3 = 0")
    do(engine, "UPDATE jobs SET state = 'dead' WHERE id % 3 = 1")
    cluster_reviews(engine)
    with engine.begin() as connection:
        assert hostile_rows(connection) <= NO_ROWS


FURTHER = (
    ("status", "--json"),
    ("diff", "1", "2", "--csv"),
    ("review", "--all"),
    ("review", "--show", "3"),
    ("review", "--audit", "--json"),
    ("sample", "1", "--json"),
    ("diff", "1", "2", "--texts"),
    ("show", "1", "--text"),
    ("show", "1", "--text", "--json"),
    ("reprocess", "--where", "state = review", "--dry-run"),
    ("schedule",),
    ("forget", "--customer", EVIL, "--dry-run"),
    ("forecast", "--settled"),
    ("config", "check"),
)
"""Besides each command as it is usually called."""
STARTING = {"up", "demo", "worker", "dashboard", "alive"}
"""They start servers, or look at the machine: tested where that is."""


class AsciiTerminal(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="ascii")

    def isatty(self) -> bool:
        return True


def unread() -> io.TextIOWrapper:
    """A pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    return cast(io.TextIOWrapper, os.fdopen(writing, "w", encoding="ascii"))


def full() -> io.TextIOWrapper:
    return Path("/dev/full").open("w", encoding="ascii")


def say_into(out: io.TextIOWrapper, *arguments: str) -> Said:
    """Runs `rung ARGUMENTS` where standard output is this."""
    err = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        streams.ready()
        code = guarded(lambda: cli.main(list(arguments), standalone_mode=False, prog_name="rung"))
    out.close()
    return Said(code, "", err.getvalue())


def calls_of_all(file: str) -> list[tuple[str, ...]]:
    """Every command with its usual arguments, but for those that start servers."""
    commands = (one for one in every_command() if one[0][0] not in STARTING)
    return [call for path, command in commands for call in usual(path, command, file)]


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("output", [AsciiTerminal, unread, full])
def test_every_command_can_write_to_anything(
    output: Callable[[], io.TextIOWrapper], tmp_path: Path
) -> None:
    file = tmp_path / "day.csv"
    file.write_text("external_id,body,subject,correct\n1,é,€,true\n", "utf-8")
    failed = dict[tuple[str, ...], tuple[int, str]]()
    # when
    for call in calls_of_all(str(file)):
        said = say_into(output(), *call)
        # then: it writes it, or says in a sentence why it could not
        if "bug of Rung" in said.err or (output is unread and (said.code, said.err) == (1, "")):
            failed[call] = (said.code, said.err)
    assert failed == {}


@pytest.mark.usefixtures("hostile")
def test_what_a_full_disk_did_not_take_is_a_failure() -> None:
    said = say_into(full(), "results", "1")
    assert (said.code, said.err.splitlines()[-2:]) == (
        1,
        [
            "rung: The system says: No space left on device.",
            "Fix: make room where it is written to (df -h says where there is none),"
            " and run it again",
        ],
    )


@pytest.mark.usefixtures("hostile")
def test_no_command_obeys_what_it_says(tmp_path: Path) -> None:
    # given a file of a hostile name with hostile contents
    file = tmp_path / "d\x1b[31may.csv"
    words = ",".join(f'"{EVIL}"' for _ in range(4))
    file.write_text(f"external_id,body,subject,correct\n{words}\n")
    failed: dict[tuple[str, ...], str] = {}
    # when each is called with its usual arguments
    for call in (*calls_of_all(str(file)), *FURTHER):
        said = say_on_terminal(*call)
        # then
        for words in (said.out, said.err):
            left = COLOUR.sub("", words)
            if found := RAW.search(left):
                failed[call] = f"raw {found.group()!r} in {left[max(found.start() - 60, 0) :][:90]}"
        if "a bug of Rung" in said.err or "]8;" in said.out:
            failed[call] = said.err or said.out
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
    own = {"exit_codes.py", "output.py", "dashboard_secrets.py", "doctor.py", "db.py", "watch.py"}
    assert echoing == own


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


@pytest.mark.parametrize("words", [("runs",), ("knowledge", "cost"), ("--",), ()])
def test_what_a_glob_put_there_is_not_obeyed_either(words: tuple[str, ...]) -> None:
    said = say(*words, "day\x1b[31m\x9b5m\u202e.csv")
    assert said.code == 2
    assert not set("\x1b\x9b\u202e") & set(said.out + said.err), said.err
