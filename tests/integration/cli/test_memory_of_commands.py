"""Commands that read a whole run hold no more of a large one than of a small one."""

import tracemalloc
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from benchmarks.filled import fill
from tests.support.cli import Said, say
from tests.support.promises import do
from worker.runs import exports, replay
from worker.store.reading import answers_in_turn, comparing, results, spools
from worker.store.reading import replay as replayed

SMALL, LARGE = "run3", "run6"
JOBS = 3_000
GROWTH = 1.25
"""Of three times as many jobs. What holds them all comes to two and more."""
READERS = {
    "certify": ("certify", "RUN", "--dry-run", "--rehearse"),
    "certify by confidence": ("certify", "RUN", "--dry-run", "--rehearse", "--score", "confidence"),
    "cost": ("cost", "RUN"),
    "replay": ("replay", "RUN", "--json"),
    "diff": ("diff", "RUN", "run2", "--json"),
    "diff as rows": ("diff", "RUN", "run2", "-o", "diff.csv", "--force"),
    "results as CSV": ("results", "RUN", "-o", "results.csv", "--force"),
    "results of a workbook": ("results", "RUN", "-o", "results.xlsx", "--force"),
    "reprocess": ("reprocess", "--run", "RUN", "--dry-run"),
}


@pytest.fixture
def record(
    engine: Engine, database_url: str, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small run, and one of three times as many jobs; what is read in parts is read in few."""
    fill(database_url, JOBS)
    do(engine, "UPDATE jobs SET run_id = 6 WHERE run_id IN (4, 5)")
    with engine.begin() as connection:
        for table in ("run_counts", "run_spend"):
            connection.execute(text(f"DELETE FROM {table} WHERE run_id IN (4, 5)"))
    monkeypatch.setitem(answers_in_turn.STREAMED, "yield_per", 50)
    for module in (comparing, results, replayed):
        monkeypatch.setattr(module, "FETCH", 50)
    monkeypatch.setattr(spools, "BLOCK", 50)
    monkeypatch.setattr(spools, "HELD_BYTES", 1_000)
    monkeypatch.setattr(replay, "MOST_KEPT", 20)
    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 50)


def said(words: tuple[str, ...], run: str) -> Said:
    found = say(*(run if word == "RUN" else word for word in words))
    assert found.code in (0, 1), found.err
    return found


def peak_of(words: tuple[str, ...], run: str) -> int:
    tracemalloc.start()
    try:
        said(words, run)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_run(
    record: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    peaks = {}
    for name, words in READERS.items():
        said(words, SMALL)  # What is imported and cached at first.
        peaks[name] = (peak_of(words, SMALL), peak_of(words, LARGE))
    grown = {name: pair for name, pair in peaks.items() if pair[1] > GROWTH * pair[0]}
    assert not grown, peaks
