"""What is said of a run whose batches would come back after its deadline."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.dashboard.test_outlook import HOUR, NOW, run
from worker.domain.completion import WorkLeft
from worker.store.reading.outlook import at_risk, outlook
from worker.store.reading.work_left import forecast

SENT = WorkLeft(
    ladder=["haiku", "opus"], waiting={}, batched={"haiku": 60}, lane="batch", turnaround_s=3600.0
)
UNSENT = replace(SENT, waiting={"haiku": 60}, batched={"haiku": 0})


@pytest.mark.parametrize(
    ("changes", "left", "pace", "seen"),
    [
        ({}, SENT, {}, (7200.0, False)),
        ({"deadline": NOW + 3 * HOUR}, SENT, {}, (7200.0, False)),
        ({"deadline": NOW + 2 * HOUR}, SENT, {}, (7200.0, False)),
        ({"deadline": NOW + HOUR}, SENT, {}, (None, True)),
        ({"deadline": NOW + HOUR}, SENT, {"haiku": 2.0, "ended": 2.0}, (None, True)),
        ({"deadline": NOW + HOUR}, UNSENT, {}, (None, True)),
        ({"deadline": NOW + HOUR}, UNSENT, {"haiku": 2.0, "ended": 2.0}, (30.0, False)),
        ({"deadline": NOW + HOUR, "lane": "realtime"}, SENT, {}, (7200.0, False)),
    ],
)
def test_batches_that_would_be_late_are_left_in_time(
    changes: dict[str, Any], left: WorkLeft, pace: dict[str, float], seen: tuple[Any, bool]
) -> None:
    assert forecast(run(**{"lane": "batch", **changes}), left, pace) == seen


def test_a_run_that_will_leave_its_batches_is_not_called_late() -> None:
    soon = run(lane="batch", deadline=NOW + HOUR / 3)
    said = outlook(soon, None, hurried=True)
    assert (said.level, said.words) == (
        "calm",
        "in batches while there is time for them, then one by one at full price, and the deadline"
        " is at 14:20, in 20 min",
    )
    assert at_risk(replace(soon, created_at=NOW - HOUR / 60), said) is None
