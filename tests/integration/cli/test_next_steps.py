"""What a command says is to be done next can be done as it stands there."""

import io
import re
import shlex
import socket
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import Said, say
from tests.support.processes import RUNG, clean_environ, process
from tests.support.waiting import eventually
from tests.support.web import visiting
from worker.cli.review import reply_in

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
    say("enqueue", backlog("a.csv", "one"), *NAMED)
    said = say("forget", "--external-id", "one", "--dry-run")
    assert said.err == "Would erase the text of 1 message, 1 job (1 open, and then cancelled).\n"


def test_a_search_before_any_page_was_read_says_so(engine: Engine) -> None:
    said = say("knowledge", "search", "fee")
    assert (said.code, "No pages have been read yet." in said.err) == (2, True)


def test_an_address_is_not_named_where_somebody_else_listens(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = say("dashboard", "--port", str(port))
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(
        f"rung: The dashboard cannot listen at 127.0.0.1:{port}: address already in use.\nFix: "
    )


def test_the_address_that_is_named_is_where_it_answers(engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "log"
    environ = clean_environ(DATABASE_URL=engine.url.render_as_string(hide_password=False))
    # when any free port will do
    with process([*RUNG, "dashboard", "--port", "0"], log=log, environ=environ, cwd=tmp_path):
        named = r"Dashboard (http://127\.0\.0\.1:[1-9]\d*)/"
        eventually(lambda: re.search(named, log.read_text()) is not None, within_s=60)
        (address,) = re.findall(named, log.read_text())
        # then it can be asked at once
        with visiting(address) as client:
            assert client.get("/healthz").text == "ok\n"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_reply_may_be_in_what_an_editor_takes_for_text(encoding: str) -> None:
    Path("reply.txt").write_bytes("Grüße\r\n".encode(encoding))
    with Path("reply.txt").open("rb") as stream:
        assert reply_in(stream) == "Grüße"


def test_a_reply_that_is_no_text_is_a_sentence(engine: Engine) -> None:
    Path("reply.txt").write_bytes(bytes(range(256)))
    said = say("review", "--edit", "1", "--reply", "reply.txt")
    assert (said.code, "reply.txt is neither UTF-8 nor UTF-16." in said.err) == (2, True)


def test_a_home_that_is_a_file_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("home").touch()
    monkeypatch.setenv("RUNG_HOME", "home")
    said = say("up")
    assert (said.code, "home cannot be Rung's folder: file exists." in said.err) == (1, True)


def test_a_configuration_that_is_no_text_is_a_sentence() -> None:
    Path("rung.toml").write_bytes(b"\xff\xfe\xd0")
    said = say("config", "check")
    assert (said.code, "rung.toml is not UTF-8." in said.err) == (6, True)
    assert "codec" not in said.err


@pytest.mark.parametrize("command", [("enqueue",), ("truth", "import")])
def test_a_file_whose_name_is_like_an_option_can_be_named(command: tuple[str, ...]) -> None:
    backlog("-dash.csv", "one")
    said = say(*command, "-dash.csv")
    assert (said.code, said.err.splitlines()[-1]) == (
        2,
        "If the file is meant, it is ./-dash.csv",
    )
    assert "If the file is meant" not in say(*command, "-other.csv").err


@pytest.mark.parametrize(
    ("between", "wrong", "last"),
    [
        (";", "|", "day"),
        ("\t", ",", "day"),
        ("|", ";", "day"),
        (",", ";", "day"),
        (";", "|", "last, first, middle name"),
        (",", "\t", "day | hour"),
    ],
)
def test_a_delimiter_that_does_not_divide_the_header_names_the_one_that_does(
    engine: Engine, between: str, wrong: str, last: str
) -> None:
    rows = (("id", "body", last), ("1", "Where is my card?", "2"))
    Path("a.csv").write_text("".join(f"{between.join(row)}\n" for row in rows), "utf-8")
    # when
    said = say("enqueue", "a.csv", "--delimiter", wrong)
    # then
    assert (said.code, "its header is one column" in said.err) == (1, True)
    (fix,) = (line for line in said.err.splitlines() if line.startswith("Fix: "))
    mended = shlex.split(fix)
    assert mended[mended.index("--delimiter") + 1] == between
    assert say(*mended[mended.index("enqueue") :]).code == 0


def test_what_is_piped_in_has_a_name(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for given, words in (
        ("", "rung: Standard input is empty.\n"),
        ("a,b\n1,2\n", "rung: Standard input: no column called external_id or body"),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        assert say("enqueue", "-").err.startswith(words)


def test_nobody_is_promised_connections_before_a_worker_is_there(engine: Engine) -> None:
    said = say("doctor")
    assert re.search(r"no worker is there yet, and each may open [1-9]", said.out + said.err)
