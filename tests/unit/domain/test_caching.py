"""How long a batch's prefix is cached: by arithmetic, at the rates of November 2026."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.caching import Lifetime, cheapest, prefix_cost
from worker.domain.pricing import Rates

HAIKU = Rates(
    input=Decimal("0.05"),
    output=Decimal("0.25"),
    cache_read=Decimal("0.005"),
    cache_write_5m=Decimal("0.0625"),
    cache_write_1h=Decimal("0.10"),
)
HOUR_S = 3_600.0


@pytest.mark.parametrize(
    ("requests", "takes_s", "expected"),
    [
        (1, HOUR_S, Lifetime.NONE),
        (2, HOUR_S, Lifetime.NONE),
        (3, HOUR_S, Lifetime.HOUR),
        (1_000, HOUR_S, Lifetime.HOUR),
        # A batch that is done before five minutes are over needs no longer life.
        (2, 300.0, Lifetime.FIVE_MINUTES),
        (1_000, 200.0, Lifetime.FIVE_MINUTES),
        (1, 10.0, Lifetime.NONE),
        # After a day even an hour's life is written again two dozen times.
        (20, 24 * HOUR_S, Lifetime.NONE),
        (1_000, 24 * HOUR_S, Lifetime.HOUR),
    ],
)
def test_count_and_time_decide(requests: int, takes_s: float, expected: Lifetime) -> None:
    assert cheapest(HAIKU, 2_000, requests, takes_s) is expected


def test_a_thousand_requests_in_an_hour_pay_for_one_write() -> None:
    # given: a million tokens of prefix, to read the rates off
    whole = [prefix_cost(one, HAIKU, 1_000_000, 1_000, HOUR_S) for one in Lifetime]
    # then: every request in full; twelve writes; one write at twice the price
    assert whole == [
        Decimal("50.00"),
        12 * Decimal("0.0625") + 988 * Decimal("0.005"),
        Decimal("0.10") + 999 * Decimal("0.005"),
    ]


@given(
    tokens=st.integers(0, 10**6), requests=st.integers(1, 10**5), takes_s=st.floats(0, 24 * HOUR_S)
)
def test_caching_never_costs_more_than_leaving_it(
    tokens: int, requests: int, takes_s: float
) -> None:
    chosen = cheapest(HAIKU, tokens, requests, takes_s)
    plain = prefix_cost(Lifetime.NONE, HAIKU, tokens, requests, takes_s)
    assert prefix_cost(chosen, HAIKU, tokens, requests, takes_s) <= plain
