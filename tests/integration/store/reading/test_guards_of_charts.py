"""Each condition of the statements behind a run's charts."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.near_misses import Rows
from worker.store.reading import sampling

AT = "now() + interval '{} seconds'"


@pytest.fixture
def jobs(rows: Rows) -> list[int]:
    """Of a run; every second message is of two others as well."""
    before, run, after = rows.run(), rows.run(), rows.run()
    made = list[int]()
    for of in (before, after):
        rows.job(of)
    for _ in range(8):
        message = rows.message()
        made.append(rows.job(run, message))
        for of in (before, after):
            rows.job(of, message)
            rows.job(of)
    rows.job(after), rows.job(before)
    return made


def test_a_sample_begins_at_points_of_a_run_and_goes_on(rows: Rows, jobs: list[int]) -> None:
    (run,) = rows.firsts("SELECT run_id FROM jobs WHERE id = :id", id=jobs[0])
    of = dict(rows.all("SELECT id, message_id FROM jobs WHERE run_id = :run", run=run))
    low, high = of[jobs[0]], of[jobs[-1]]
    for points, each in ((4, 1), (3, 2), (1, 3)):
        wanted = set[int]()
        for n in range(points):
            start = low + (high - low) * n // points
            wanted |= set([job for job in jobs if of[job] >= start][:each])
        assert rows.firsts(sampling.SAMPLE, run=run, points=points, each=each) == sorted(wanted)
    assert rows.firsts(sampling.SAMPLE, run=rows.run(), points=4, each=1) == []


def test_how_sure_answers_were(rows: Rows, jobs: list[int]) -> None:
    # given
    for job in jobs[:2]:
        for fence, (confidence, stage, outcome) in enumerate((
            ("0.55", "answer", "accepted"), ("1", "answer", "accepted"),
            (None, "answer", "rejected"), ("0.55", "answer", "rejected"),
            ("0.55", "route", "rejected"),
        )):  # fmt: skip
            rows.attempt(job, fence=fence + 1, stage=stage, outcome=outcome, threshold="0.5",
                         confidence=confidence)  # fmt: skip
    # then
    found = rows.all(sampling.CONFIDENCE, ids=[jobs[0]], bins=10)
    half = Decimal("0.5")
    assert [(t, b, p, s.normalize(), n) for t, b, p, s, n in found] == [
        ("haiku", 5, False, half, 1), ("haiku", 5, True, half, 1),
        ("haiku", 9, True, half, 1)]  # fmt: skip


def test_how_long_attempts_waited_and_took(rows: Rows, jobs: list[int]) -> None:
    # given
    for job in jobs[:2]:
        far = 100 * (job == jobs[1])
        for fence, (model, ended) in enumerate((("m", 9), ("m", None), (None, 50))):
            outcome = "accepted" if ended else "started"
            rows.attempt(job, fence=fence + 1, model=model, outcome=outcome,
                         available_at=AT.format(1), claimed_at=AT.format(4 + far),
                         finished_at=AT.format(ended + 3 * far) if ended else None)  # fmt: skip
    # then
    assert rows.all(sampling.LATENCY, ids=[jobs[0]]) == [("answer", "haiku", 1, [3, 3], [5, 5])]


def test_what_was_paid_in_each_step_of_the_time(rows: Rows, jobs: list[int]) -> None:
    # given
    for job in jobs[:2]:
        for fence, ended in enumerate((0, 1, 9, 10, None)):
            at = AT.format(ended if job == jobs[0] else 50 + (ended or 0))
            rows.attempt(job, fence=fence + 1, outcome="started" if ended is None else "accepted",
                         cost=1, finished_at=None if ended is None else at)  # fmt: skip
    # then
    found: list[Any] = rows.all(sampling.COSTS, ids=[jobs[0]], steps=5)
    assert [(row[0], row[1], row[2]) for row in found] == [(0, 2, 2), (4, 2, 2)]
    (now,) = rows.firsts("SELECT now()")
    assert {((row[3] - now).total_seconds(), (row[4] - now).total_seconds()) for row in found} == {
        (0.0, 10.0)
    }


def test_all_that_was_paid_at_one_moment_is_one_step(rows: Rows, jobs: list[int]) -> None:
    rows.attempt(jobs[0], outcome="accepted", cost=1, finished_at="now()")
    assert [row[:3] for row in rows.all(sampling.COSTS, ids=[jobs[0]], steps=5)] == [(0, 1, 1)]
