"""What a stopped budget says, and what counts as a sum of money."""

from decimal import Decimal

import pytest

from worker.domain.amounts import MOST, read_amount
from worker.domain.budget_words import enough, stop_words


@pytest.mark.parametrize(
    ("spent", "needs", "ended", "wanted"),
    [
        ("2", "0.5", 4, "5.5"),  # half a dollar each, and one worst case
        ("0", "0.1", 0, "0.7"),  # nothing known: the worst case of each, and one more
        ("0", "0.1", 3, "0.7"),  # what has ended cost nothing: it says nothing
        ("1", None, 7, "1.8572"),  # a seventh of a dollar each, rounded up
    ],
)
def test_what_would_be_enough(spent: str, needs: str | None, ended: int, wanted: str) -> None:
    worst = Decimal(needs) if needs else None
    found = enough(spent=Decimal(spent), needs=worst, ended=ended, open_jobs=6)
    assert found == Decimal(wanted)


def test_less_than_nothing_is_left_as_nothing() -> None:
    words = stop_words(Decimal(-1), Decimal("0.05"), Decimal(0))
    assert words == "$0.00 of its budget is left and the next call may cost up to $0.0500"


@pytest.mark.parametrize("given", ["nan", "inf", "-inf", "-0.01", str(MOST + 1), "much", ""])
def test_what_is_no_sum_is_refused_in_words(given: str) -> None:
    with pytest.raises(ValueError, match="dollars"):
        read_amount(given)


def test_a_sum_has_a_sign_or_none() -> None:
    assert (read_amount(" $20 "), read_amount("0.50"), read_amount("0")) == (20, Decimal("0.5"), 0)
    assert read_amount(str(MOST)) == MOST
