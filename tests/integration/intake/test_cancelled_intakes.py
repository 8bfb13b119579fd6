"""A run that is cancelled takes nothing more in, and leaves nothing open."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import ME, many, one
from tests.support.works import hand_in, settings_for
from worker.domain.backlog import Record
from worker.store.actions.changes import CANCEL, apply
from worker.store.actions.selection import whole
from worker.store.queue.copy_rows import packed_rows
from worker.store.queue.intake import add_in
from worker.store.queue.run_ends import finish_runs
from worker.store.queue.run_intake import close_intake

STATES = "SELECT state, count(*) FROM jobs GROUP BY 1 ORDER BY 1"


def test_what_comes_in_after_the_cancel_is_cancelled_too(engine: Engine) -> None:
    run = hand_in(engine, settings_for("", ""), ["before"])
    other = hand_in(engine, settings_for("", ""), ["elsewhere"], name="other")
    apply(engine, ME, CANCEL, whole(run))
    with engine.begin() as connection:
        after = [Record(line=1, external_id="after", body="after")]
        add_in(connection, run, packed_rows(after, None), False, 0)
        close_intake(connection, other, 0, 0)
    assert many(engine, STATES) == [("cancelled", 1), ("queued", 2)]
    with engine.begin() as connection:
        close_intake(connection, run, 0, 0)
    assert many(engine, STATES) == [("cancelled", 2), ("queued", 1)]


def test_a_key_of_a_cancelled_run_is_refused_and_the_run_stays_over(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    lines = (json.dumps({"external_id": f"m{n}", "body": f"Where is {n}?"}) for n in range(3))
    Path("day.jsonl").write_text("\n".join(lines))
    say("enqueue", "day.jsonl", "--key", "monday")
    say("cancel", "day", "--yes")
    again = say("enqueue", "day.jsonl", "--key", "monday")
    assert (again.code, "run day, which is cancelled" in again.err) == (2, True)
    finish_runs(engine)
    row = one(engine, "SELECT state, finished_at IS NOT NULL, accepting FROM runs")
    assert row == ("cancelled", True, False)
