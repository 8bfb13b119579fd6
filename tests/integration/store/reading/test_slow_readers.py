"""Whoever reads answers takes their time: nothing is held open meanwhile."""

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.promises import do
from tests.support.works import hand_in, settings_for
from worker.store.reading import results
from worker.store.reading.results import Only, results_of

ANSWERED = """
UPDATE jobs SET state = 'answered', tier = 'haiku', finished_at = now();
INSERT INTO attempts (job_id, fence, stage, tier, lane, outcome, policy_version, budget_day,
  available_at, finished_at)
SELECT id, 1, 'answer', 'haiku', 'realtime', 'accepted', 'v', current_date, now(), now() FROM jobs;
INSERT INTO results (job_id, fence, reply, tier, model, accepted)
SELECT id, 1, 'Reply ' || id, 'haiku', 'm', true FROM jobs WHERE id <> 3
"""

ENDED_OTHERWISE = """
UPDATE jobs SET state = CASE WHEN id <= 3 THEN 'dead' ELSE 'review' END, reason = 'schema',
  finished_at = now() WHERE id IN (1, 2, 3, 5, 6)
"""


@pytest.fixture(autouse=True)
def four_of_five(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers, of which two are read at a time."""
    monkeypatch.setattr(results, "FETCH", 2)
    assert hand_in(engine, settings_for("", ""), [f"number {n}" for n in range(5)]).id == 1
    do(engine, ANSWERED)


def test_no_transaction_waits_for_a_reader_who_pauses(engine: Engine) -> None:
    found = []
    for row in results_of(engine, 1):
        found.append(row["job"])
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert found == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("more", "jobs"),
    [
        ({"only": Only.READY}, [1, 2, 4, 5]),
        ({"after": 1}, [2, 3, 4, 5]),
        ({"limit": 3}, [1, 2, 3]),
        ({"limit": 4, "after": 2}, [3, 4, 5]),
        ({"limit": 1}, [1]),
    ],
)
def test_pages_and_choices_are_the_same_however_much_is_read_at_once(
    engine: Engine, more: dict[str, Any], jobs: list[int]
) -> None:
    assert [row["job"] for row in results_of(engine, 1, **more)] == jobs


def test_a_state_and_a_run_are_read_in_pages_of_their_own(engine: Engine) -> None:
    other = hand_in(engine, settings_for("", ""), ["elsewhere", "where else"], name="other").id
    do(engine, ENDED_OTHERWISE)

    def read(run: int, only: Only | None = None, **more: Any) -> list[int]:
        return [row["job"] for row in results_of(engine, run, only, **more)]

    assert [read(1, only) for only in (Only.DEAD, Only.REVIEW)] == [[1, 2, 3], [5]]
    assert [read(1, Only.ANSWERED), read(1, Only.DEAD, after=2)] == [[4], [3]]
    assert [read(1), read(other), read(other, Only.REVIEW)] == [[1, 2, 3, 4, 5], [6, 7], [6]]
    assert [read(other, after=6), read(other, limit=1)] == [[7], [6]]
