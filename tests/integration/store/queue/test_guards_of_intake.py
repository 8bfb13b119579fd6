"""Each condition of the statements that take rows in: which get a job, what is said of the others,
which runs hold them, and what a dry run says of each."""

from typing import Any

import pytest

from tests.support.near_misses import Rows
from worker.store.queue import intake, trial

TEXT, OTHER = b"text", b"other text"
SAID = ("repeats", "changed", "known")
"""What a trial says of a row, beside where it is known."""


@pytest.fixture
def staged(rows: Rows) -> Rows:
    """With the table that the rows of a chunk are put into."""
    rows.all(intake.STAGE)
    return rows


@pytest.fixture
def tried(rows: Rows) -> Rows:
    """With the tables of a trial."""
    rows.all(trial.TRIED)
    rows.all(trial.TRYING)
    return rows


def known(rows: Rows, name: str, digest: bytes = TEXT, **columns: Any) -> int:
    return rows.message(external_id=name, digest=digest, **columns)


def stage(rows: Rows, *names: str) -> None:
    """Lines of a file, all with one text."""
    for line, name in enumerate(names, 1):
        rows.insert("staged", None, line=line, source="s", external_id=name, digest=TEXT)


def test_which_rows_get_a_job(staged: Rows) -> None:
    # given
    run, other = staged.run(), staged.run()
    new, elsewhere = known(staged, "new"), known(staged, "elsewhere")
    changed = known(staged, "changed", OTHER)
    known(staged, "new", source="another")
    staged.job(other, elsewhere)
    staged.job(other, known(staged, "changed there", OTHER))
    staged.insert("staged", None, line=0, source="s", external_id="new", digest=OTHER)
    stage(staged, "changed", "elsewhere", "changed there")

    def with_a_job(again: bool) -> list[int]:
        values = {"run": run, "lane": "realtime", "priority": 3, "again": again}
        staged.all(intake.INSERT_JOBS, **values)
        return staged.firsts("SELECT message_id FROM jobs WHERE run_id = :run", run=run)

    # then
    assert with_a_job(False) == []
    stage(staged, "new", "new")
    assert with_a_job(False) == []
    staged.all("DELETE FROM staged WHERE line = 0")
    assert with_a_job(False) == [new]
    assert with_a_job(True) == [new, elsewhere]
    assert changed not in with_a_job(True)


def test_what_is_said_of_rows_that_got_no_job(staged: Rows) -> None:
    """What a savepoint wrote is not of this very transaction, like what others have committed."""
    # given
    early, run, late = staged.run(name="early"), staged.run(name="mine"), staged.run(name="late")
    with staged.connection.begin_nested():
        staged.job(early, known(staged, "nowhere in the file"))
        staged.job(late, known(staged, "changed", OTHER))
        twice, elsewhere = known(staged, "twice"), known(staged, "elsewhere")
        staged.job(early, twice)
        staged.job(late, twice)
        first = staged.job(run, known(staged, "of this run"))
        staged.job(late, elsewhere)
        staged.job(run, known(staged, "of a chunk before"))
        known(staged, "changed, and nowhere", OTHER)
        staged.job(early, known(staged, "elsewhere", OTHER, source="another"))
    staged.job(run, known(staged, "just taken"))
    stage(staged, "just taken", "changed", "twice", "elsewhere", "of this run",
          "of a chunk before", "just taken", "changed, and nowhere", "changed")  # fmt: skip
    # when
    statement = intake.EXPLAIN.bindparams(run=run, first=first)
    told = [
        (row.line, row.repeats, row.changed, row.known_in)
        for row in staged.connection.execute(statement)
    ]
    # then
    assert told == [
        (2, False, True, "late"),
        (3, False, False, "early"),
        (4, False, False, "late"),
        (5, False, False, "mine"),
        (6, True, False, "mine"),
        (7, True, False, "mine"),
        (8, False, True, None),
        (9, True, True, "late"),
    ]


def test_which_runs_hold_messages(rows: Rows) -> None:
    a, b, c, d = (rows.run(name=name) for name in "abcd")
    wanted = known(rows, "x")
    rows.job(a, wanted)
    rows.job(b, known(rows, "x", source="another"))
    rows.job(c, known(rows, "y"))
    rows.job(d, wanted)
    rows.job(d, known(rows, "z"))
    rows.run()
    asked = {"sources": ["s", "s"], "ids": ["x", "z"]}
    assert [row[0] for row in rows.all(intake.HOLDING, **asked)] == ["d", "a"]
    newer = [rows.run(name=name) for name in "efgh"]
    for run in newer:
        rows.job(run, wanted)
    assert [row[0] for row in rows.all(intake.HOLDING, **asked)] == ["h", "g", "f", "e", "d"]


def judged(tried: Rows, *chunk: tuple[str, str, bytes], again: bool = False) -> list[Any]:
    """What is said of each row of a chunk, in words, and of which run."""
    tried.all(trial.FORGET)
    for number, (source, name, digest) in enumerate(chunk):
        tried.insert("trying", None, number=number, source=source, external_id=name,
                     digest=digest)  # fmt: skip
    found = tried.connection.execute(trial.JUDGE, {"again": again})
    return [(" ".join(word for word in SAID if getattr(row, word)), row.known_in) for row in found]


def test_what_a_trial_says_of_rows(tried: Rows) -> None:
    # given
    a, b = tried.run(name="a"), tried.run(name="b")
    known_in_a = known(tried, "known in a")
    tried.job(a, known_in_a)
    tried.job(b, known_in_a)
    tried.job(b, known(tried, "known in b"))
    known(tried, "jobless")
    # then
    assert judged(
        tried,
        ("s", "known in b", TEXT),
        ("s", "known in a", OTHER),
        ("s", "new", TEXT),
        ("s", "new", OTHER),
        ("another", "new", TEXT),
        ("another", "known in a", TEXT),
        ("s", "jobless", TEXT),
    ) == [
        ("known", "b"),
        ("changed known", "a"),
        ("", None),
        ("repeats", None),
        ("", None),
        ("", None),
        ("", None),
    ]
    assert judged(tried, ("s", "known in b", TEXT), again=True) == [("", "b")]


def test_what_a_trial_remembers_of_the_chunks_before(tried: Rows) -> None:
    # given
    run = tried.run(name="a")
    tried.job(run, known(tried, "known"))
    known(tried, "changed")
    judged(tried, ("s", "known", TEXT), ("s", "changed", OTHER), ("s", "new", TEXT))
    # then
    assert judged(
        tried,
        ("s", "known", TEXT),
        ("s", "changed", TEXT),
        ("s", "new", TEXT),
        ("another", "new", TEXT),
    ) == [("known", "a"), ("", None), ("repeats", None), ("", None)]
