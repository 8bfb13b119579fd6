"""Commands are printed as they have to be typed, in groups, and with what was meant."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from worker.cli.main import COMMANDS, GROUPS, MEANT, cli
from worker.cli.speech.invocation import as_typed_here, typed
from worker.cli.watch import LINE_EVERY_S, REMIND_EVERY_S, Lines


@pytest.fixture(autouse=True)
def fresh() -> None:
    typed.cache_clear()


def installed(directory: Path) -> Path:
    """A program `rung` in there."""
    directory.mkdir(parents=True)
    program = directory / "rung"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_in_a_checkout_commands_name_the_program_that_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = installed(tmp_path / ".venv" / "bin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert as_typed_here("rung results demo") == ".venv/bin/rung results demo"
    assert as_typed_here("set X, or `rung up`") == "set X, or `.venv/bin/rung up`"
    assert as_typed_here("Go on with: rung resume a") == "Go on with: .venv/bin/rung resume a"
    assert as_typed_here("correct it, then rung up") == "correct it, then .venv/bin/rung up"
    listed = as_typed_here("rung show 1, rung show 2 and rung show 3")
    assert listed.count(".venv/bin/rung show") == 3
    assert as_typed_here("a bad one climbs one rung up") == "a bad one climbs one rung up"


def test_on_the_path_they_are_called_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = installed(tmp_path / "bin")
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", str(program.parent))
    assert as_typed_here("rung results demo") == "rung results demo"


def test_another_rung_on_the_path_is_not_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, other = installed(tmp_path / "ours"), installed(tmp_path / "theirs")
    monkeypatch.chdir(tmp_path / "theirs")
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", str(other.parent))
    assert as_typed_here("rung up") == f"{program} up"


def test_from_the_root_of_all_files_the_whole_path_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = installed(tmp_path / "bin")
    monkeypatch.chdir("/")
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert as_typed_here("rung up") == f"{program} up"


def test_a_program_of_another_name_says_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/lib/celery"])
    assert typed() == "rung"


def test_every_command_stands_in_one_group() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)


@pytest.mark.parametrize(("typed_name", "meant"), [*MEANT.items(), ("enqeue", "enqueue")])
def test_a_command_that_does_not_exist_is_answered_with_one_that_does(
    typed_name: str, meant: str
) -> None:
    said = CliRunner().invoke(cli, [typed_name])
    assert said.exit_code == 2
    assert f"Did you mean `rung {meant}`?" in said.output
    assert typed_name not in COMMANDS
    assert meant.split()[0] in COMMANDS


def test_a_log_is_told_what_changed_and_reminded_once_a_minute(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    lines = Lines(lambda: now[0])

    def said(progress: str, *troubles: str) -> list[str]:
        lines.say(progress, troubles)
        return capsys.readouterr().err.splitlines()

    assert said("0 of 2 done") == ["0 of 2 done"]
    assert said("1 of 2 done") == []
    now[0] += LINE_EVERY_S
    assert said("1 of 2 done", "haiku is paused") == ["Haiku is paused", "1 of 2 done"]
    now[0] += REMIND_EVERY_S - 1
    assert said("1 of 2 done", "haiku is paused") == []
    now[0] += 1
    assert said("1 of 2 done", "haiku is paused") == ["Haiku is paused", "1 of 2 done"]
    now[0] += 1
    assert said("1 of 2 done", "sonnet is paused") == ["Sonnet is paused"]
