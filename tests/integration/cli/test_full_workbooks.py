"""A run that no workbook holds is refused before it is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.recorded import Traffic, answered_run
from worker.cli import results
from worker.runs import workbooks


def test_a_run_of_more_rows_than_a_sheet_has_is_refused_at_once(
    engine: Engine,
    database_url: str,
    configured: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given
    answered_run(engine, database_url, Traffic(messages=5))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workbooks, "SHEET_ROWS", 4)
    kept = say("results", "monday", "--only", "answered", "-o", "answered.xlsx")
    read: list[Any] = []

    def rows(*given: Any) -> Iterator[dict[str, Any]]:
        read.append(given)
        return iter(())

    # when
    monkeypatch.setattr(results, "results_of", rows)
    said = say("results", "monday", "-o", "all.xlsx")
    # then
    assert (said.code, read, list(tmp_path.iterdir())) == (1, [], [])
    assert "A workbook holds 4 rows, and there are more." in said.err
    # and what a filter leaves of it is counted row by row
    assert (kept.code, "A workbook holds 4 rows" in kept.err) == (1, True)
