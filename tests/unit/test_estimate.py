"""What a backlog will probably cost, on ladders of every length that there may be."""

from decimal import Decimal

import pytest

from worker.domain.ladder import MAX_RUNGS
from worker.runs.estimate import shares_of


@pytest.mark.parametrize("rungs", range(1, MAX_RUNGS + 1))
def test_every_rung_has_a_part_and_all_of_them_make_the_whole(rungs: int) -> None:
    shares = shares_of(rungs)
    assert (len(shares), sum(shares)) == (rungs, 1)
    assert min(shares) > 0
    assert shares == sorted(shares, reverse=True)


def test_the_usual_ladders() -> None:
    assert shares_of(3) == [Decimal("0.75"), Decimal("0.2"), Decimal("0.05")]
    assert shares_of(2) == [Decimal("0.8"), Decimal("0.2")]
