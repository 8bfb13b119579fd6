"""docs/proof.md: its figures are what the commands say, and its commands exist."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.cli import say
from tests.support.commands import complaint

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "proof.md").read_text("utf-8")


def told() -> list[tuple[str, list[str]]]:
    """Each `$ rung …` of a console block, with the lines below it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ rung "):
                found.append((line.removeprefix("$ rung "), []))
            else:
                found[-1][1].append(line)
    return found


@pytest.mark.parametrize(("command", "lines"), told(), ids=[c[:60] for c, _ in told()])
def test_the_figures_are_what_the_command_says(
    command: str, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    said = [line.strip() for line in say(*shlex.split(command)).out.splitlines()]
    assert [line for line in lines if line.strip() not in said] == []


def test_there_are_figures() -> None:
    assert len(told()) >= 5


def test_the_commands_mean_something() -> None:
    shell = "".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))
    commands = [line.partition("#")[0].strip() for line in shell.splitlines() if line.strip()]
    assert len(commands) >= 5
    assert [words for line in commands if (words := complaint(shlex.split(line)))] == []


def test_the_price_table_is_the_one_that_is_tested() -> None:
    tested = (ROOT / "tests/unit/domain/test_price_table.py").read_text("utf-8")
    rows = re.findall(r"\| \**(\d+\.\d{3})\** \| \**(\d+\.\d{2}) %", TEXT)
    assert len(rows) >= 11
    assert [row for row in rows if f'"{row[0]}", "{row[1]}"' not in tested] == []
