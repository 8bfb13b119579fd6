"""The list of rejected rows: never an input, never through a link, never over what is there."""

import os
import stat
from pathlib import Path

import pytest

from worker.domain.backlog import Reject
from worker.errors import UsageError
from worker.intake.rejects import RejectsFile

ROWS = [Reject(3, "missing body", "a"), Reject(4, "empty body", "=b")]


def listed(
    wanted: Path | None, inputs: tuple[str, ...] = (), name: str = "in/day.csv"
) -> tuple[RejectsFile, list[str]]:
    said: list[str] = []
    out = RejectsFile(wanted, "day", inputs, said.append)
    out.add(name, ROWS)
    out.close()
    return out, said


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rows_are_listed_for_their_owner_alone(here: Path) -> None:
    out, said = listed(None)
    assert (out.path, said) == (Path("day.rejects.csv"), [])
    assert stat.S_IMODE((here / "day.rejects.csv").stat().st_mode) == 0o600
    assert (here / "day.rejects.csv").read_text().splitlines() == [
        "file,line,external_id,reason",
        "day.csv,3,a,missing body",
        "day.csv,4,'=b,empty body",
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("in/=cmd|'calc'!A1.csv", "'=cmd|'calc'!A1.csv"), ("d\x1b[2Jay", "d\\x1b[2Jay"), ("-", "-")],
)
def test_a_files_name_is_no_formula_either(here: Path, name: str, shown: str) -> None:
    listed(None, name=name)
    (_, *rows) = (here / "day.rejects.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in rows] == [shown] * 2


@pytest.mark.parametrize("wanted", [None, Path("day.rejects.csv"), Path("bad.csv")])
def test_what_is_there_stays_and_a_fresh_name_is_taken(here: Path, wanted: Path | None) -> None:
    name = wanted or Path("day.rejects.csv")
    name.write_text("of yesterday")
    out, _ = listed(wanted)
    assert name.read_text() == "of yesterday"
    assert out.path is not None
    assert out.path.name == name.name.replace(".", "-2.", 1)
    assert "missing body" in out.path.read_text()


def test_a_link_is_never_followed(here: Path) -> None:
    precious = here / "precious.txt"
    precious.write_text("mine")
    (here / "day.rejects.csv").symlink_to(precious)
    (here / "day-2.rejects.csv").symlink_to(here / "nowhere")
    out, _ = listed(None)
    assert (precious.read_text(), (here / "nowhere").exists()) == ("mine", False)
    assert out.path == Path("day-3.rejects.csv")


def test_an_input_is_refused_by_whatever_name(here: Path) -> None:
    (here / "day.csv").write_text("external_id,body\n")
    (here / "same.csv").symlink_to(here / "day.csv")
    for name in ("day.csv", "same.csv", f"{here}/day.csv"):
        with pytest.raises(UsageError, match="is one of the files that are submitted"):
            RejectsFile(Path(name), "day", ("other.csv", "day.csv"), print)
    assert (here / "day.csv").read_text() == "external_id,body\n"


def test_where_nothing_can_be_written_it_is_listed_elsewhere_and_said(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(here / "temporary"))
    out, said = listed(here / "no-such-folder" / "bad.csv")
    assert out.path == here / "temporary" / "bad.csv"
    assert said == [
        f"Rejected rows cannot be listed in {here}/no-such-folder/bad.csv: no such file or"
        " directory."
    ]


def test_a_directory_is_said_to_be_one(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(here / "temporary"))
    (here / "bad").mkdir()
    out, said = listed(here / "bad")
    assert out.path == here / "temporary" / "bad"
    assert said == [f"Rejected rows cannot be listed in {here}/bad: it is a directory."]


def test_a_full_disk_is_a_sentence() -> None:
    out, said = listed(Path("/dev/full"))
    assert out.path is None
    assert said == ["The list of rejected rows in /dev/full is not whole: no space left on device."]


def test_a_pipe_is_written_to(here: Path) -> None:
    os.mkfifo(here / "pipe")
    reader = os.open(here / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    out, said = listed(here / "pipe")
    assert (out.path, said) == (here / "pipe", [])
    assert b"missing body" in os.read(reader, 10_000)
    os.close(reader)
