"""Every command is measured at ten million jobs, or it is said why not."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from benchmarks.command_words import UNMEASURED, changing, reading
from tests.support.commands import complaint
from worker.cli.main import cli


def of_group(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command that does something."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        here = (*path, name)
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield here
            yield from of_group(command, here)
        else:
            yield here


def measured(folder: Path) -> list[Sequence[str]]:
    return [*reading(folder).values(), *changing(folder).values()]


def test_a_command_is_measured_or_it_is_said_why_not(tmp_path: Path) -> None:
    asked = measured(tmp_path)
    for words in of_group(cli):
        is_asked = any(tuple(given[: len(words)]) == words for given in asked)
        assert is_asked or " ".join(words) in UNMEASURED, f"rung {' '.join(words)}"


def test_what_is_left_out_is_a_command() -> None:
    assert set(UNMEASURED) <= {" ".join(words) for words in of_group(cli)}


def test_what_is_asked_is_a_command_line(tmp_path: Path) -> None:
    for words in measured(tmp_path):
        assert complaint(["rung", *words]) is None
