"""Retry and cancel by a filter: what the preview counts is what the command changes."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.support.cli import say
from tests.support.promises import do, one
from tests.support.works import hand_in, settings_for
from worker.store.actions import glances

BODIES = [f"Where is my card number {n}?" for n in range(12)]


@pytest.fixture(autouse=True)
def two_days(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs `one` (finished: dead, answered, cancelled) and `two` (open). No worker takes part."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        hand_in(engine, settings_for("", ""), BODIES, name=name)
    do(
        engine,
        """
        UPDATE jobs SET state = (ARRAY['dead', 'answered', 'dead', 'cancelled'])[1 + id % 4],
          tier = CASE WHEN id % 4 = 2 THEN 'sonnet' END, cost = 0.02, finished_at = now(),
          failures = 3, reason = CASE id % 4 WHEN 0 THEN 'schema: no reply' ELSE 'other' END
        WHERE run_id = 1
        """,
    )
    do(engine, "UPDATE runs SET state = 'finished', finished_at = now() WHERE id = 1")


def states(engine: Engine, run: int) -> dict[str, int]:
    statement = text("SELECT state, jobs FROM run_counts WHERE run_id = :run AND jobs > 0")
    with engine.connect() as connection:
        found: dict[str, int] = {}
        for state, jobs in connection.execute(statement, {"run": run}):
            found[state] = found.get(state, 0) + jobs
    return found


def audits(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT action, target, affected FROM audit_events"))
        return [tuple(row) for row in rows]


def test_retry_by_a_filter_changes_what_the_preview_counted(engine: Engine) -> None:
    # given
    where = "reason contains SCHEMA"
    # when
    would = say("retry", "--where", where, "--dry-run", "--json").document
    before = (states(engine, 1), audits(engine))
    did = say("retry", "--where", where, "--yes", "--json").document
    # then
    assert before == ({"dead": 6, "answered": 3, "cancelled": 3}, [])
    assert (would["affected"], would["dry_run"], did["affected"]) == (3, True, 3)
    assert would["expected"]["usd"] == pytest.approx(0.06)
    assert states(engine, 1) == {"dead": 3, "answered": 3, "cancelled": 3, "queued": 3}
    assert one(engine, "SELECT state, finished_at FROM runs WHERE id = 1") == ("active", None)
    assert audits(engine) == [("retry", where, 3)]
    opened = one(
        engine,
        "SELECT count(*), max(failures), max(reason) FROM jobs WHERE run_id = 1"
        " AND state = 'queued' AND available_at <= now()",
    )
    assert opened == (3, 0, None)


def test_a_retried_job_stands_where_it_stood(engine: Engine) -> None:
    assert say("retry", "one", "--where", "tier = sonnet", "--yes").code == 0
    assert states(engine, 1) == {"dead": 3, "answered": 3, "cancelled": 3, "routed": 3}


def test_jobs_of_a_cancelled_run_are_not_retried(engine: Engine) -> None:
    do(engine, "UPDATE runs SET state = 'cancelled' WHERE id = 1")
    found = say("retry", "--where", "state = dead", "--yes", "--json").document
    assert (found["affected"], states(engine, 1)["dead"]) == (0, 6)


def test_cancel_by_a_filter_ends_open_jobs_only_and_leaves_the_run(engine: Engine) -> None:
    # given
    do(engine, "UPDATE jobs SET lease_until = now() + interval '1 minute' WHERE id = 14")
    where = "external_id in (two-0, two-1, two-2) or run = one"
    # when
    would = say("cancel", "--where", where, "--dry-run")
    did = say("cancel", "--where", where, "--yes", "--json").document
    # then
    assert "3 jobs of external_id in (two-0, two-1, two-2) or run = one would be" in would.err
    assert "would save up to about $0.0600" in would.err
    assert did["affected"] == 3
    assert states(engine, 1) == {"dead": 6, "answered": 3, "cancelled": 3}
    assert states(engine, 2) == {"queued": 9, "cancelled": 3}
    assert one(engine, "SELECT state FROM runs WHERE id = 2")[0] == "active"
    assert one(engine, "SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL")[0] == 0


def test_a_run_and_a_filter_together_narrow(engine: Engine) -> None:
    found = say("cancel", "two", "--where", "external_id = two-5", "--dry-run", "--json").document
    assert (found["affected"], found["target"]) == (1, "run two, external_id = two-5")
    whole = say("cancel", "two", "--dry-run", "--json").document
    assert (whole["affected"], whole["target"]) == (12, "two")


def test_mistakes_are_sentences(engine: Engine) -> None:
    neither = say("retry")
    assert (neither.code, "Name a run, or choose jobs with --where." in neither.err) == (2, True)
    typo = say("cancel", "--where", "stat = dead", "--yes")
    assert (typo.code, "did you mean state?" in typo.err) == (2, True)
    nobody = say("cancel", "--where", "state = queued")
    assert (nobody.code, "add --yes" in nobody.err) == (2, True)
    assert states(engine, 2) == {"queued": 12}


def test_of_many_it_is_said_at_once_how_many_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glances, "OPEN_LOOKED_AT", 5)
    said = say("cancel", "--where", "state = queued", "--dry-run")
    assert "At least 5 messages. The newest 5 were looked at; there are 12 open" in said.err
    assert "12 jobs of state = queued would be cancelled." in said.err
