"""Two runs side by side: counts first, then examples, as table, JSON and CSV."""

import csv
import io
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import do
from tests.support.works import hand_in, settings_for

BODIES = [f"Where is my card number {n}?" for n in range(9)]
CHANGES = {
    "day-0": ("worse", "answered", "dead"),
    "day-1": ("better", "review", "answered"),
    "day-2": ("higher tier", "answered", "answered"),
    "day-3": ("lower tier", "answered", "answered"),
    "day-4": ("lower confidence", "answered", "answered"),
    "day-5": (None, "answered", "answered"),
    "day-6": (None, "answered", "answered"),
}
"""What happens to each message below; 7 is not finished in B, and 8 is in A only."""


@pytest.fixture(autouse=True)
def two_runs(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run `day` and its reprocessing `again`, written by hand. No worker takes part."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    hand_in(engine, settings_for("", ""), BODIES, name="day")
    do(
        engine,
        "UPDATE jobs SET state = 'answered', tier = 'haiku', cost = 0.01, finished_at = now()",
    )
    do(engine, "UPDATE jobs SET state = 'review' WHERE id = 2")
    do(engine, "UPDATE jobs SET tier = 'sonnet' WHERE id = 4")
    answers(engine, 1, "0.8")
    made = say("reprocess", "--run", "day", "--name", "again")
    assert (made.code, "Follow it with: rung status again --watch" in made.err) == (0, True)
    do(engine, "DELETE FROM jobs WHERE run_id = 2 AND message_id = 9")
    do(
        engine,
        """
        UPDATE jobs SET state = CASE message_id WHEN 1 THEN 'dead' ELSE 'answered' END,
          tier = CASE message_id WHEN 3 THEN 'opus' ELSE 'haiku' END, cost = 0.03,
          finished_at = now() WHERE run_id = 2 AND message_id < 8
        """,
    )
    answers(engine, 2, "0.75")
    do(
        engine,
        "UPDATE results SET confidence = CASE job_id WHEN 14 THEN 0.5 ELSE confidence END,"
        " reply = CASE job_id WHEN 15 THEN 'other' ELSE reply END",
    )


def answers(engine: Engine, run: int, confidence: str) -> None:
    do(
        engine,
        """
        WITH a AS (
          INSERT INTO attempts (job_id, fence, stage, lane, outcome, policy_version, budget_day,
            available_at, finished_at)
          SELECT id, 1, 'answer', 'realtime', 'accepted', 'v', current_date, now(), now()
          FROM jobs WHERE run_id = :run AND state = 'answered' RETURNING job_id)
        INSERT INTO results (job_id, fence, reply, tier, model, accepted, confidence)
        SELECT id, 1, 'It is on its way.', tier, 'm', true, CAST(:confidence AS numeric)
        FROM jobs JOIN a ON job_id = id
        """,
        run=run,
        confidence=confidence,
    )


def test_json_has_the_counts_and_the_examples() -> None:
    # when
    said = say("diff", "day", "again", "--json")
    found = said.document
    # then
    assert said.code == 0
    assert (found["run_a"]["run"], found["run_b"]["run"]) == ("day", "again")
    counts = ("both", "only_a", "only_b", "unfinished")
    assert [found[name] for name in counts] == [8, 1, 0, 1]
    assert found["outcome"] == {"same": 5, "better": 1, "worse": 1, "other": 0}
    assert found["outcome_steps"] == [
        {"from": "answered", "to": "answered", "messages": 5},
        {"from": "answered", "to": "dead", "messages": 1},
        {"from": "review", "to": "answered", "messages": 1},
    ]
    assert found["tier"] == {"same": 5, "lower": 1, "higher": 1}
    assert {n: found["confidence"][n] for n in ("same", "lower", "higher", "unknown")} == {
        "same": 0,
        "lower": 5,
        "higher": 0,
        "unknown": 2,
    }
    assert found["confidence"]["mean_b"] == pytest.approx((4 * 0.75 + 0.5) / 5)
    assert found["reply"] == {"same": 4, "changed": 1}
    assert (found["cost"]["a_usd"], found["cost"]["b_usd"]) == (0.07, 0.21)
    assert found["cost"]["difference_usd"] == pytest.approx(0.14)
    assert {
        row["external_id"]: (row["change"], row["state_a"], row["state_b"])
        for row in found["examples"]
    } == {name: change for name, change in CHANGES.items() if change[0]}


def test_the_table_fits_80_columns_and_says_the_counts_first() -> None:
    # when
    said = say("diff", "day", "again")
    lines = said.out.splitlines()
    # then
    assert said.code == 0
    assert max(len(line) for line in lines) <= 80
    assert lines[2] == "8 messages in both; 1 only in A; 0 only in B; 1 not finished, left out."
    assert said.out.index("outcome") < said.out.index("Worse outcome:") < said.out.index("day-0")
    assert "answered→dead" in said.out
    assert "$0.0700 → $0.2100" in said.out
    assert "card" not in said.out
    assert "way" not in said.out


def test_csv_has_a_row_for_every_message_of_either_run() -> None:
    # when
    rows = list(csv.DictReader(io.StringIO(say("diff", "day", "again", "--csv").out, newline="")))
    to_file = say("diff", "day", "again", "-o", "d.csv")
    # then
    assert [row["external_id"] for row in rows] == [f"day-{n}" for n in range(9)]
    assert {row["external_id"]: row["change"] for row in rows[:7]} == {
        name: change[0] or "" for name, change in CHANGES.items()
    }
    assert [(row["change"], row["state_b"]) for row in rows[7:]] == [
        ("unfinished", "queued"),
        ("only in a", ""),
    ]
    assert (to_file.code, "9 messages written" in to_file.err) == (0, True)
    assert list(csv.DictReader(Path("d.csv").read_text("utf-8").splitlines())) == rows
    assert say("diff", "day", "again", "-o", "d.json").code == 0
    assert json.loads(Path("d.json").read_text("utf-8"))["both"] == 8


def test_mistakes_are_named() -> None:
    for arguments in (
        ("day", "day"),
        ("day", "agian"),
        ("day", "again", "--json", "--csv"),
        ("day", "again", "-o", "d.xlsx"),
    ):
        said = say("diff", *arguments)
        assert (said.code, said.err.startswith("rung: ")) == (2, True)


def test_runs_with_nothing_in_common_are_said(engine: Engine) -> None:
    hand_in(engine, settings_for("", ""), ["Hello."], name="other")
    said = say("diff", "day", "other")
    assert (said.code, "There is nothing to compare." in said.out) == (0, True)
