"""When a run's pace says that its deadline will be missed."""

import pytest

from worker.domain.deadlines import Progress, risk


@pytest.mark.parametrize(
    ("progress", "at_risk"),
    [
        (Progress(ended=10, left=90, elapsed_s=100, left_s=800), True),
        (Progress(ended=10, left=90, elapsed_s=100, left_s=900), False),
        (Progress(ended=1, left=999, elapsed_s=5, left_s=600), False),  # too early to tell
        (Progress(ended=1, left=999, elapsed_s=5, left_s=40), True),  # a tenth of the time is over
        (Progress(ended=0, left=5, elapsed_s=299, left_s=301), False),
        (Progress(ended=0, left=5, elapsed_s=301, left_s=299), True),
        (Progress(ended=5, left=0, elapsed_s=599, left_s=1), False),
        (Progress(ended=5, left=5, elapsed_s=600, left_s=0), False),  # over already
    ],
)  # fmt: skip
def test_risk(progress: Progress, at_risk: bool) -> None:
    assert (risk(progress) is not None) is at_risk


def test_the_words_say_by_how_much() -> None:
    why = risk(Progress(ended=10, left=90, elapsed_s=100, left_s=300))
    assert why == "at its pace so far it would be done 10 min too late (90 jobs left)"
