"""`rung audit`, `rung truth import`, `rung review --audit`: as a person uses them."""

import csv
import io
import itertools
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import ME, do, one
from tests.support.works import drain, hand_in, settings_for, working
from worker.cli.audit_review import judge_by_keys
from worker.sandbox.simulator.state import State
from worker.store.actions.audits import raise_share

BODIES = [f"Where is card number {n}? It was due on Monday." for n in range(20)]


@pytest.fixture
def answered(
    engine: Engine, database_url: str, simulator: tuple[State, str], configured: None
) -> Engine:
    """A run that was answered, nothing drawn yet, and everything found by environment."""
    settings = settings_for(database_url, simulator[1])
    hand_in(engine, settings, BODIES, policy="single:haiku", name="monday")
    with working(settings) as runtime:
        drain(runtime)
    return engine


def test_drawing_and_judging_by_keys(answered: Engine) -> None:
    # given
    said = say("audit", "monday", "--share", "100%", "--json")
    assert said.code == 0
    drawn = said.document["drawn"]
    do(answered, "UPDATE audits SET again = false")
    # when: right, wrong, taken back, unsure, a key that means nothing, then right to the end
    keys = itertools.chain("ynzux", itertools.repeat("y"))
    judged = judge_by_keys(answered, None, lambda: next(keys))
    # then
    (run,) = say("audit", "monday", "--json").document["runs"]
    assert judged == drawn == run["drawn"]
    assert (run["unsure"], run["wrong"], run["right"], run["open"]) == (1, 0, drawn - 1, 0)


def test_quitting_keeps_what_was_judged(answered: Engine) -> None:
    say("audit", "monday", "--share", "1.0")
    keys = iter("nq")
    assert judge_by_keys(answered, None, lambda: next(keys)) == 1
    assert one(answered, "SELECT is_right FROM truths")[0] is False


def test_keys_may_come_from_a_program(answered: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    say("audit", "monday", "--share", "100%")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\nn\n"))
    said = say("review", "--audit", "monday")
    assert (said.code, "2 answers judged" in said.err) == (0, True)


def test_a_spreadsheet_goes_out_and_comes_back(answered: Engine, tmp_path: Path) -> None:
    # given
    say("audit", "monday", "--share", "100%")
    path = tmp_path / "audit.csv"
    assert say("review", "--audit", "monday", "-o", str(path)).code == 0
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert set(rows[0]) == {"job", "answer", "message", "reply", "verdict"}
    # when
    rows[0]["verdict"], rows[1]["verdict"] = "wrong", "unsure"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    said = say("review", "--audit", "--verdicts", str(path))
    # then
    assert (said.code, "2 verdicts taken" in said.err) == (0, True)
    assert one(answered, "SELECT count(*) FROM truths WHERE is_right IS NOT true")[0] == 2
    # then: as a German Excel saves it, too, and without its column there is no sheet of verdicts
    sheet = "Job;Answer;Message;Reply;Verdict\n{job};{answer};Grüße;;right\n"
    path.write_text(sheet.format(**rows[1]), "cp1252")
    assert "1 verdict taken" in say("review", "--audit", "--verdicts", str(path)).err
    path.write_text("job,answer\n1,2\n")
    refused = say("review", "--audit", "--verdicts", str(path))
    assert (refused.code, "has no column verdict" in refused.err) == (2, True)
    path.write_text("job,answer,verdict\n1,2,perhaps\n")
    refused = say("review", "--audit", "--verdicts", str(path))
    assert (refused.code, "record 1" in refused.err) == (2, True)


def test_verdicts_from_a_file(answered: Engine, tmp_path: Path) -> None:
    path = tmp_path / "verdicts.csv"
    path.write_text(
        "run,external_id,right\nmonday,monday-0,1\nmonday,monday-1,0\nmonday,monday-2,\n"
    )
    assert say("truth", "import", str(path), "--json").document["taken"] == 2
    rows = one(answered, "SELECT count(*) FILTER (WHERE is_right), count(*) FROM truths")
    assert tuple(rows) == (1, 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("run,external_id\nmonday,monday-0\n", "needs a column right"),
        ("external_id,right\nmonday-0,1\n", "needs a column right, and job or run"),
        ("job,right\n1,perhaps\n", "line 2: the verdict must be"),
        ("job,right\nx,1\n", "a job a number"),
        ("job,right\n999999,1\n", "Line 2: job 999999 has no answer"),
    ],
)
def test_a_file_that_means_nothing(configured: None, tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "v.csv"
    path.write_text(text)
    said = say("truth", "import", str(path))
    assert (said.code, why in said.err) == (2, True), said.err


def test_nothing_drawn_and_no_share(answered: Engine) -> None:
    assert "Draw some with" in say("audit").err
    assert say("audit", "monday", "--share", "0").code == 2
    assert say("audit", "--share", "1%").code == 2
    raise_share(answered, ME, _run(answered), Decimal("0.5"))
    lower = say("audit", "monday", "--share", "1%")
    assert (lower.code, "a draw is not taken back" in lower.err) == (2, True)


def _run(engine: Engine):  # type: ignore[no-untyped-def]
    from worker.store.runs import RunRef

    return RunRef(**one(engine, "SELECT id, name, lane, priority FROM runs")._mapping)
