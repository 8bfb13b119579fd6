"""What comes back can be sent: the question, the customer, the verdict, and the one reply that may
go out; with the row's own columns in their order, in four formats."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from models.vocabulary import Verdict
from tests.support.cli import say
from tests.support.promises import ME, do, one
from tests.support.works import drain, make_due, settings_for, working
from worker.config.settings import Settings
from worker.domain.text import neutralise_formula
from worker.runs.exports import json_row, layout
from worker.runs.workbooks import write_workbook
from worker.sandbox.simulator.state import State
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.reading.results import COLUMNS, OWN

OURS = [
    *("external_id", "subject", "customer_id", "message", "send", "state", "verdict"),
    *("verdict_reason", "tier", "model", "confidence", "accepted", "difficulty", "escalations"),
    *("attempts", "cost_usd", "reasons", "sources", "answered_at"),
]
DAY = """external_id,zeta,body,Subject,customer_id,alpha,state,received_at
T-1,z1,Where is my card?,Card,c-1,a1,open,2026-11-24T08:15:00Z
T-2,=1+1,How do I close my account?,,c-2,,open,
T-3,,Where is my money?,Money,,a3,,
"""
LOW = {
    "match": {"contains": "Where is my money?", "purpose": "answer"},
    "do": {"merge": {"confidence": 0.1}},
}


@pytest.fixture
def settings(
    database_url: str,
    simulator: tuple[State, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    Path("day.csv").write_text(DAY, "utf-8")
    simulator[0].moods.replace([LOW])
    assert say("enqueue", "day.csv", "--run", "day", "--yes").code == 0
    return settings_for(database_url, simulator[1])


@pytest.fixture
def worked(settings: Settings, engine: Engine) -> None:
    """Two are answered, and T-3 waits for a person."""
    with working(settings) as runtime:
        for _ in range(4):
            drain(runtime)
            make_due(engine)
    do(engine, "UPDATE runs SET finished_at = now(), state = 'finished'")


def rows(*arguments: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(say("results", "day", *arguments).out, newline="")))


def replies(engine: Engine) -> list[str]:
    return [one(engine, f"SELECT reply FROM results WHERE job_id = {job}")[0] for job in (1, 2, 3)]


@pytest.mark.usefixtures("worked")
def test_a_row_holds_question_customer_and_answer_and_its_own_columns_in_order(
    engine: Engine,
) -> None:
    found = rows()
    assert list(found[0]) == [*OURS, "simulated", "zeta", "alpha", "row.state"]
    first, second, third = found
    assert [first[n] for n in ("external_id", "subject", "customer_id", "message")] == [
        "T-1", "Card", "c-1", "Where is my card?",
    ]  # fmt: skip
    assert [row["send"] for row in found] == [*replies(engine)[:2], ""]
    assert (third["state"], third["reasons"]) == ("review", "low_confidence")
    assert [row["zeta"] for row in found] == ["z1", "'=1+1", ""]
    assert [first["row.state"], first["alpha"], second["alpha"]] == ["open", "a1", ""]
    assert "reply" not in first


@pytest.mark.usefixtures("worked")
@pytest.mark.parametrize(
    ("judged", "send", "verdict"),
    [
        (Judged(job_id=3, verdict=Verdict.ACCEPT), "the model's", "accept"),
        (Judged(job_id=3, verdict=Verdict.EDIT, reply="Ours."), "Ours.", "edit"),
        (Judged(job_id=3, verdict=Verdict.REJECT, reason="wrong"), "", "reject"),
    ],
)
def test_a_verdict_reaches_the_results(
    engine: Engine, judged: Judged, send: str, verdict: str
) -> None:
    give_verdict(engine, ME, judged)
    (third,) = [row for row in rows() if row["external_id"] == "T-3"]
    wanted = replies(engine)[2] if send == "the model's" else send
    assert (third["send"], third["verdict"]) == (wanted, verdict)
    assert third["verdict_reason"] == (judged.reason or "")
    ready = {row["external_id"] for row in rows("--only", "ready")}
    assert ready == ({"T-1", "T-2"} | ({"T-3"} if wanted else set()))


@pytest.mark.usefixtures("worked")
def test_the_last_verdict_counts(engine: Engine) -> None:
    give_verdict(engine, ME, Judged(job_id=3, verdict=Verdict.ACCEPT))
    give_verdict(engine, ME, Judged(job_id=3, verdict=Verdict.REJECT, reason="no"))
    assert [row["send"] for row in rows("--only", "review")] == [""]


@pytest.mark.usefixtures("worked")
def test_columns_and_states_can_be_chosen(engine: Engine) -> None:
    came = [row["received_at"] for row in rows("--columns", "received_at")]
    assert came == ["2026-11-24T08:15:00+00:00", "", ""]
    chosen = rows("--columns", 'send,external_id, reply,"zeta",send', "--only", "review")
    assert [list(row) for row in chosen] == [["send", "external_id", "reply", "zeta"]]
    assert chosen[0]["reply"] == replies(engine)[2]
    assert [row["external_id"] for row in rows("--only", "answered")] == ["T-1", "T-2"]
    assert rows("--only", "dead") == []
    wrong = say("results", "day", "--columns", "sned")
    assert (wrong.code, "sned" in wrong.err, "external_id" in wrong.err) == (2, True, True)


@pytest.mark.usefixtures("worked")
def test_every_format_holds_the_same() -> None:
    said = rows()
    for ending in ("jsonl", "xlsx", "parquet"):
        assert say("results", "day", "-o", f"a.{ending}").code == 0
        assert Path(f"a.{ending}").stat().st_mode & 0o077 == 0
    lines: list[dict[str, Any]] = [json.loads(x) for x in Path("a.jsonl").read_text().splitlines()]
    heading, *cells = openpyxl.load_workbook("a.xlsx").active.values
    sheet = [dict(zip(heading, row, strict=True)) for row in cells]
    table = pq.read_table("a.parquet").to_pylist()
    for one_of_them in (lines, sheet, table):
        assert list(one_of_them[0]) == list(said[0])
        assert [row["send"] or "" for row in one_of_them] == [row["send"] for row in said]
        assert isinstance(one_of_them[0]["cost_usd"], float)
        assert isinstance(one_of_them[0]["confidence"], float)
    for one_of_them in (lines, sheet, table):
        assert [row["zeta"] for row in one_of_them] == ["z1", "'=1+1", None]
    assert lines[0]["simulated"] is sheet[0]["simulated"] is table[0]["simulated"] is True


@pytest.mark.usefixtures("worked")
def test_files_for_programs_hold_formulas_as_they_are() -> None:
    for ending in ("csv", "jsonl", "xlsx", "parquet"):
        assert say("results", "day", "--raw", "-o", f"a.{ending}").code == 0
    assert ",=1+1," in Path("a.csv").read_text()
    assert '"zeta": "=1+1"' in Path("a.jsonl").read_text()
    assert pq.read_table("a.parquet").to_pylist()[1]["zeta"] == "=1+1"
    sheet = openpyxl.load_workbook("a.xlsx").active
    (cell,) = [cell for row in sheet.iter_rows() for cell in row if cell.value == "=1+1"]
    assert cell.data_type == "s"


def test_a_column_of_every_name_comes_back() -> None:
    names = [column.name for column in layout(["state", "row.state", "=x", "send"])]
    assert names[-4:] == ["row.row.state", "row.state", "=x", "row.send"]
    row = {
        **dict.fromkeys(COLUMNS, "ours"),
        OWN: {"state": "a", "row.state": "b", "=x": {"k": "+1"}},
    }
    shown = json_row(row, layout(["state", "row.state", "=x"]), neutralise_formula)
    assert (shown["row.row.state"], shown["row.state"], shown["'=x"]) == ("a", "b", {"k": "'+1"})


def test_a_workbook_holds_what_xml_and_excel_do_not(tmp_path: Path) -> None:
    own = {
        "\x01a": "b\uffff\ufffe\x0b\ud800c",
        "id": 12345678901234567890,
        "n": 123,
        "long": "x" * 40_000,
    }
    row = {**dict.fromkeys(COLUMNS, None), OWN: own}
    write_workbook(tmp_path / "a.xlsx", [row], layout(list(own)))
    heading, cells = openpyxl.load_workbook(tmp_path / "a.xlsx").active.values
    assert heading[-4:] == ("a", "id", "n", "long")
    assert cells[-4:-1] == ("bc", "12345678901234567890", 123)
    assert (len(cells[-1]), "cut here" in cells[-1]) == (32_767, True)


@pytest.mark.usefixtures("worked")
def test_excel_is_told_that_it_is_utf_8() -> None:
    assert say("results", "day", "-o", "a.csv", "--excel").code == 0
    assert Path("a.csv").read_bytes().startswith(b"\xef\xbb\xbfexternal_id")


def test_a_file_of_half_a_run_says_so(settings: Settings) -> None:
    shown = say("results", "day")
    assert "0 of 3 are done" in shown.err
    assert {row["send"] for row in rows()} == {""}


@pytest.mark.usefixtures("worked")
def test_a_run_made_of_others_has_their_columns() -> None:
    made = say("reprocess", "--run", "day", "--where", "state = review", "--name", "again")
    assert made.code == 0, made.err
    heading = say("results", "again").out.splitlines()[0]
    assert heading.endswith("simulated,zeta,alpha,row.state")


@pytest.mark.usefixtures("settings")
def test_messages_of_a_run_without_own_columns_are_not_read_for_some(engine: Engine) -> None:
    Path("plain.csv").write_text("external_id,body\nP-1,Where is my parcel?\n", "utf-8")
    assert say("enqueue", "plain.csv", "--run", "plain", "--yes").code == 0
    do(engine, """UPDATE messages SET metadata = '{"unseen": 1}' WHERE external_id = 'P-1'""")
    assert say("results", "plain").out.splitlines()[0].endswith("answered_at,simulated")


@pytest.mark.usefixtures("worked")
def test_columns_of_a_run_of_before_come_by_name(engine: Engine) -> None:
    do(engine, "UPDATE runs SET own_columns = '{}', columns_known = NULL")
    assert list(rows()[0])[-3:] == ["alpha", "row.state", "zeta"]
