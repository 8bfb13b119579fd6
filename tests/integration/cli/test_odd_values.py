"""Whatever stands behind an option or in an argument's place: a sentence, and no bug of ours."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.hostile import FILES, GIVEN, every_command
from tests.support.works import hand_in, settings_for
from worker.sandbox.simulator.state import State

STARTING = {"up", "demo", "worker", "dashboard", "alive", "watch"}
"""They start servers, or do not end: tested where that is."""
ODD = ("-1", "²", "9" * 30, "1" * 5_000, "NaN", "\udcff")
"""A byte that is no text among them. NULs reach no program by its arguments."""
pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def day(engine: Engine, database_url: str, simulator: tuple[State, str], tmp_path: Path) -> str:
    """A backlog as a file, and a run of one message."""
    hand_in(engine, settings_for(database_url, simulator[1]), ["Where is my card?"], name="run")
    file = tmp_path / "day.csv"
    file.write_text("external_id,body,subject,correct\n1,Hello there,Hi,true\n", "utf-8")
    return str(file)


def calls(path: tuple[str, ...], command: click.Command, file: str) -> Iterator[tuple[str, ...]]:
    """A command with each of its values odd, one at a time; what else it needs is usual."""
    usual = {
        one: file if one.name in FILES else GIVEN.get(one.name or "") for one in command.params
    }
    dry = ["--dry-run"] if any("--dry-run" in one.opts for one in command.params) else []
    for odd in command.params:
        if getattr(odd, "is_flag", False):
            continue
        for value in ODD:
            given = {one: usual[one] for one in command.params if one.required} | {odd: value}
            options = [f"{one.opts[0]}={v}" for one, v in given.items() if _is_option(one)]
            arguments = [str(v) for one, v in given.items() if not _is_option(one)]
            yield (*path, *dry, *options, "--", *arguments)


def _is_option(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option)


def test_no_value_is_a_bug_of_ours(day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = dict[tuple[str, ...], str]()
    for path, command in every_command():
        if path[0] in STARTING:
            continue
        for call in calls(path, command, day):
            monkeypatch.setattr("sys.argv", ["rung", *call])
            said = say(*call)
            found[tuple(word[:40] for word in call)] = said.err
    assert len(found) > 600
    assert {call: err for call, err in found.items() if "bug of Rung" in err} == {}
