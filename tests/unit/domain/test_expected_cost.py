"""What running jobs once more will probably cost."""

from decimal import Decimal

import pytest

from worker.domain.expected_cost import Costs, assumed, better_known, expected_of, from_costs


def costs(jobs: int, mean: str = "1", spread: str = "0") -> Costs:
    return Costs(jobs, Decimal(mean), Decimal(spread))


def test_the_interval_has_the_jobs_own_spread_and_that_of_the_mean() -> None:
    found = from_costs(100, costs(25, "2", "0.5"), Decimal(1), "")
    # 100 x 0.25 and 100 x 100 x 0.25 / 25: the root of 125.
    assert (found.usd, found.high - found.usd) == (200, Decimal("21.913466"))
    assert found.usd - found.low == found.high - found.usd


def test_in_the_batch_lane_it_is_half_and_never_below_zero() -> None:
    found = from_costs(4, costs(4, "1", "9"), Decimal("0.5"), "")
    assert (found.usd, found.low) == (2, 0)


def test_three_records_are_enough_and_two_are_not() -> None:
    assert expected_of(1, costs(2), Decimal(1), "") is None
    assert expected_of(1, costs(3), Decimal(1), "") is not None


@pytest.mark.parametrize(
    ("own", "others", "known"),
    [
        (2, 2, None),
        (2, 3, False),
        (3, 2, True),  # more than there are of others
        (3, 50, False),  # of ten jobs, three are less than half
        (5, 50, True),
        (2, 0, None),
    ],
)
def test_what_is_gone_by(own: int, others: int, known: bool | None) -> None:
    found = better_known(10, costs(own), costs(others))
    assert (None if found is None else found[1]) is known


def test_few_records_of_few_jobs_say_nothing() -> None:
    assert better_known(2, costs(2), costs(0)) is None


def test_a_guess_may_be_half_or_double() -> None:
    found = assumed(Decimal(4), "")
    assert (found.low, found.usd, found.high) == (2, 4, 8)
