"""One intake for every door: what is guessed is said, what cannot be listed stops nothing, and a
dry run comes to what the real one does."""

import fcntl
import json
import os
import pty
import random
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.support.cli import say
from tests.support.processes import RUNG, clean_environ
from tests.support.waiting import eventually

REPORTS = Path(__file__).parents[2] / "data" / "reports"
BAD_ROW = '{"external_id":"a","body":"Where is it?"}\n{"external_id":"","body":"no id"}\n'


@pytest.fixture(autouse=True)
def configured(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database by environment, and an empty working directory."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("RUNG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def unread(pipe: int) -> int:
    """Bytes that nobody has read yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]


def stored(engine: Engine, what: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT {what}"))]


def test_an_export_as_it_comes_is_taken_and_what_was_guessed_is_said(engine: Engine) -> None:
    # when
    said = say("enqueue", str(REPORTS / "01-zendesk_pretty.json"))
    found = say("enqueue", str(REPORTS / "01-zendesk_pretty.json"), "--again", "--json").document
    # then
    assert said.code == 0
    assert "as zendesk exports it" in said.err
    assert "rows under 'tickets'" in said.err
    assert "external_id: a number, taken as its digits (4 rows, first on line 3)" in said.err
    assert (found["accepted"], found["read"][0]["preset"]) == (4, "zendesk")
    assert found["read"][0]["columns"]["body"].split("|")[1].endswith(".description")
    rows = stored(engine, "external_id, customer_id, channel FROM messages ORDER BY id")
    assert rows[0] == ("35436", "21013828", "email")


def test_a_days_export_again_takes_what_is_new_and_names_what_changed(engine: Engine) -> None:
    say("enqueue", str(REPORTS / "15a-day1.csv"))
    dry = say("enqueue", str(REPORTS / "15b-day2.csv"), "--dry-run", "--json")
    second = say("enqueue", str(REPORTS / "15b-day2.csv"), "--json")
    names = ("accepted", "rejected", "duplicates")
    for said in (dry, second):
        assert said.code == 3
        assert [said.document[name] for name in names] == [1, 1, 1]
        assert [(r["line"], r["external_id"]) for r in said.document["rejects"]] == [(2, "T-77")]
        assert "with other text" in said.document["rejects"][0]["reason"]
    assert stored(engine, "count(*) FROM messages") == [(3,)]


def test_a_dry_run_comes_to_what_the_real_one_does(engine: Engine, tmp_path: Path) -> None:
    # given
    lines = [
        json.dumps({"external_id": f"m{n % 7_000}", "body": f"b{n % 7_000}"}) for n in range(9_000)
    ]
    path = tmp_path / "day.jsonl"
    path.write_text("\n".join(lines))
    known = tmp_path / "known.jsonl"
    known.write_text("\n".join([*lines[:50], '{"external_id":"m60","body":"other"}']))
    say("enqueue", str(known))
    # when
    dry = say("enqueue", str(path), "--dry-run", "--json").document
    again = say("enqueue", str(path), "--dry-run", "--again", "--json").document
    before = stored(engine, "count(*) FROM messages")
    real = say("enqueue", str(path), "--json").document
    # then
    for name in ("accepted", "rejected", "duplicates", "rejects"):
        assert dry[name] == real[name], name
    assert dry["compared"]
    assert (again["accepted"], again["duplicates"]) == (6_999, 0)
    assert before == [(51,)]


def test_a_dry_run_needs_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    path = tmp_path / "day.csv"
    path.write_text("external_id,body\na,hello\na,hello\nb,there\n")
    said = say("enqueue", str(path), "--dry-run", "--json")
    found = said.document
    assert (found["accepted"], found["rejected"], found["compared"]) == (2, 1, False)


def test_all_rows_rejected_is_never_called_known(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("external_id,body\nA-1,\nA-2,\n")
    said = say("enqueue", str(path))
    assert said.code == 1
    assert "Nothing was accepted" in said.err
    assert "already" not in said.err


def test_of_several_files_none_goes_in_when_one_cannot_be_read(
    engine: Engine, tmp_path: Path
) -> None:
    good, bad = tmp_path / "a.jsonl", tmp_path / "b.csv"
    good.write_text('{"external_id":"a","body":"hello"}\n')
    bad.write_text("nothing of the kind\n1\n")
    said = say("enqueue", str(good), str(bad))
    assert said.code == 1
    assert "b.csv" in said.err
    assert stored(engine, "count(*) FROM runs") == [(0,)]


def test_files_of_different_products_go_into_one_run(engine: Engine) -> None:
    names = ("03-zendesk_tickets.jsonl", "09-intercom.jsonl", "12-excel_de.csv")
    said = say("enqueue", *(str(REPORTS / name) for name in names), "--run", "monday", "--json")
    assert (said.document["run"], said.document["accepted"]) == ("monday", 8)
    assert [read["file"] for read in said.document["read"]] == list(names)


def test_what_is_not_certain_is_refused_with_the_option_that_says_it(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("Foo,Bar\nm1,Where is my parcel please\nm2,Refund me the lamp please\n")
    refused = say("enqueue", str(path))
    taken = say("enqueue", str(path), "--yes", "--json")
    assert refused.code == 1
    assert f"rung enqueue --map external_id=Foo --map body=Bar {path}" in refused.err
    assert (taken.document["accepted"], taken.document["read"][0]["guessed"]) == (
        2,
        ["body", "external_id"],
    )


@pytest.mark.parametrize(
    ("answer", "accepted", "code"), [("y\n", 2, 0), ("\n", 2, 0), ("n\n", 0, 2)]
)
def test_on_a_terminal_the_guess_is_shown_and_asked(
    engine: Engine, tmp_path: Path, database_url: str, answer: str, accepted: int, code: int
) -> None:
    # given
    path = tmp_path / "day.csv"
    path.write_text("Ticket ID,Description\nm1,Where is my parcel\nm2,Refund me\n")
    ours, theirs = pty.openpty()
    environ = clean_environ(DATABASE_URL=database_url)
    # when
    asking = subprocess.Popen(
        [*RUNG, "enqueue", str(path)], stdin=theirs, stdout=theirs, stderr=theirs, env=environ,
        cwd=tmp_path,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while b"[Y/n]" not in shown:
        shown += os.read(ours, 1_000)
    before = stored(engine, "count(*) FROM messages")
    os.write(ours, answer.encode())
    try:
        while piece := os.read(ours, 1_000):
            shown += piece
    except OSError:
        pass  # The other end is closed.
    # then
    assert asking.wait(30) == code
    os.close(ours)
    assert "external_id ← Ticket ID, body ← Description" in shown.decode()
    # The bar is gone before anything else is said: a run may be followed for an hour.
    assert "reading" not in shown.decode().partition(" accepted,")[2]
    assert before == [(0,)]
    assert stored(engine, "count(*) FROM messages") == [(accepted,)]


def test_a_map_is_remembered_and_used_by_its_name(engine: Engine, tmp_path: Path) -> None:
    # given
    path = tmp_path / "day.csv"
    path.write_text("Foo,Bar\nm1,Where is my parcel please\nm2,Refund me the lamp please\n")
    assert say("enqueue", str(path), "--yes").code == 0
    # when
    saved = say("map", "save", "desk")
    other = say("map", "save", "other", str(path), "--map", "body=Bar")
    used = say("enqueue", str(path), "--map", "desk", "--again", "--json")
    # then
    assert (saved.code, other.code, used.code) == (0, 0, 0), saved.err + other.err + used.err
    assert used.document["accepted"] == 2
    assert say("map", "show", "desk").document == {"external_id": "Foo", "body": "Bar"}
    listed = say("map", "list", "--json").document
    assert {"desk", "other", "zendesk", "intercom"} <= set(listed)
    assert say("config", "check").code in (0, 6)


def test_rejects_that_cannot_be_written_stop_nothing(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text(BAD_ROW)
    said = say("enqueue", str(path), "--rejects", "/dev/full")
    assert said.code == 3
    assert "/dev/full is not whole: no space left on device" in said.err
    assert "Run day: 1 accepted, 1 rejected" in said.err
    refused = say("enqueue", str(path), "--rejects", str(path))
    assert refused.code == 2
    assert path.read_text() == BAD_ROW


def test_rejects_of_a_folder_that_cannot_be_written_go_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text(BAD_ROW)
    monkeypatch.chdir("/sys")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said = say("enqueue", str(path))
    assert said.code == 3
    assert "Rejected rows cannot be listed in day.rejects.csv" in said.err
    assert f"Rejected rows are listed in {tmp_path}/day.rejects.csv" in said.err


def test_ctrl_c_while_standard_input_is_read_ends_with_a_sentence(
    tmp_path: Path, database_url: str
) -> None:
    # given
    reader, writer = os.pipe()
    os.write(writer, b"external_id,body\nS-1,hello\n")
    command = [sys.executable, *RUNG[1:], "enqueue", "-"]
    waiting = subprocess.Popen(
        command, stdin=reader, stderr=subprocess.PIPE, cwd=tmp_path, text=True,
        env=clean_environ(DATABASE_URL=database_url),
    )  # fmt: skip
    os.close(reader)
    # when
    eventually(lambda: unread(writer) == 0, every_s=0.05)
    waiting.send_signal(signal.SIGINT)
    _, said = waiting.communicate(timeout=30)
    os.close(writer)
    # then
    assert waiting.returncode == 130, said
    assert "Nothing was taken in" in said
    assert "Fatal" not in said


def test_no_value_of_a_row_stops_the_rows_beside_it(engine: Engine, tmp_path: Path) -> None:
    # given
    wide = random.Random(7)

    def letters(count: int) -> str:
        """Four bytes each, and not to be compressed."""
        return "".join(chr(wide.randrange(0x10000, 0x1F000)) for _ in range(count))

    full = {
        "external_id": letters(425),
        "source": letters(200),
        "customer_id": letters(512),
        "channel": letters(100),
        "language": letters(100),
        "subject": letters(2_000),
    }
    rows: list[dict[str, str]] = [{"external_id": f"m{n}", "body": "hi"} for n in range(50)]
    rows += [{**full, "body": "as long as it goes"}]
    for name, value in full.items():
        rows.append({"external_id": f"long-{name}", "body": "hi", name: value + letters(1)})
    path = tmp_path / "day.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    # when
    said = say("enqueue", str(path), "--json")
    # then
    assert said.code == 3, said.err
    assert (said.document["accepted"], said.document["rejected"]) == (51, 6)
    assert [reject["line"] for reject in said.document["rejects"]] == list(range(52, 58))
    too_long = say("enqueue", str(path), "--source", letters(201))
    assert (too_long.code, "--source must be 1 to 200" in too_long.err) == (2, True)
