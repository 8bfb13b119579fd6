"""What a command says is to be done next can be done as it stands there."""

import re
import shlex
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import Said, say

NAMED = ("--map", "external_id=No", "--map", "body=What")


@pytest.fixture(autouse=True)
def configured(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database by environment, and an empty working directory."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)


def backlog(path: str, *ids: str) -> str:
    rows = "".join(f"{one},Where is {one}?\n" for one in ids)
    Path(path).write_text(f"No,What\n{rows}", "utf-8")
    return path


def printed(said: Said) -> list[str]:
    """The arguments of the command that was printed last."""
    *_, found = re.findall(r": rung (.*)$", said.err, re.MULTILINE)
    return shlex.split(found)


def test_the_same_rows_once_more(engine: Engine) -> None:
    # given a file whose name a shell would take apart, and columns that had to be named
    given = ("enqueue", backlog("mon day.csv", "a"), *NAMED)
    assert say(*given).code == 0
    # when
    said = say(*given)
    again = say(*printed(said))
    # then
    assert "Nothing new: its 1 message is in mon-day already." in said.err
    assert "Run mon-day-2: 1 accepted" in again.err


def test_what_was_read_from_a_pipe_is_not_there_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Path(backlog("a.csv", "a", "b"))
    said = []
    for _ in range(2):
        with content.open() as stream:
            monkeypatch.setattr("sys.stdin", stream)
            said.append(say("enqueue", "-", *NAMED).err)
    assert "Run stdin: 2 accepted" in said[0]
    assert "Nothing new: all 2 messages are in stdin already." in said[1]
    assert "To answer them once more, submit them with --again." in said[1]


def test_a_dry_run_of_what_is_known_costs_nothing(engine: Engine) -> None:
    given = ("enqueue", backlog("a.csv", "a"), *NAMED)
    say(*given)
    said = say(*given, "--dry-run")
    assert "0 would be accepted, 0 rejected, 1 known already." in said.err
    assert "It would cost nothing: nothing in it would be answered." in said.err
    assert "$" not in said.err
    assert say(*given, "--dry-run", "--json").document["expected"]["total_usd"] == 0


@pytest.mark.parametrize("command", ["cancel", "retry", "priority --to 3", "budget --to 3"])
def test_the_help_that_is_named_is_the_commands_own(engine: Engine, command: str) -> None:
    name, *options = command.split()
    assert f"Fix: rung {name} --help" in say(name, *options).err


def test_an_amount_that_is_none_names_its_option(engine: Engine) -> None:
    assert "Invalid value for '--to': 'much' is not an amount" in say("budget", "--to", "much").err


def test_one_is_not_many(engine: Engine) -> None:
    say("enqueue", backlog("a.csv", "a"), *NAMED)
    said = say("forget", "--external-id", "a", "--dry-run")
    assert said.err == "Would erase the text of 1 message, 1 job (1 open, and then cancelled).\n"


def test_a_search_before_any_page_was_read_says_so(engine: Engine) -> None:
    said = say("knowledge", "search", "fee")
    assert (said.code, "No pages have been read yet." in said.err) == (2, True)
