"""Each kind of token has its own price, and none stands in for another."""

from dataclasses import replace
from decimal import Decimal

import pytest

from models.vocabulary import Lane
from tests.support.prices import rates_of
from worker.domain.pricing import NO_TOKENS, Price

RATES = rates_of(1, 10, 100, 1_000, 10_000)
LONG = rates_of(2, 20, 200, 2_000, 20_000)
KINDS = (
    ("input_tokens", 1),
    ("output_tokens", 10),
    ("cache_read_tokens", 100),
    ("cache_write_5m_tokens", 1_000),
    ("cache_write_1h_tokens", 10_000),
)


@pytest.mark.parametrize(("kind", "dollars"), KINDS)
def test_a_million_tokens_of_a_kind_cost_its_rate(kind: str, dollars: int) -> None:
    used = replace(NO_TOKENS, **{kind: 1_000_000})
    assert RATES.cost(used) == dollars
    assert used.total_input == (0 if kind == "output_tokens" else 1_000_000)


@pytest.mark.parametrize(("tokens", "rate"), [(199, 1), (200, 1), (201, 2)])
def test_a_long_request_is_billed_as_such_above_its_length(tokens: int, rate: int) -> None:
    price = Price(RATES, LONG, 200)
    assert price.rates(tokens, Lane.REALTIME).input == rate
    assert price.rates(tokens, Lane.BATCH).input * 2 == rate
    assert Price(RATES).rates(tokens, Lane.REALTIME).input == 1


def test_what_is_shared_counts_at_its_dearest_and_what_is_said_as_input() -> None:
    most = {"fixed": 1_000_000, "said": 1_000_000, "max_tokens": 1_000_000}
    assert Price(RATES).worst_case(**most, lane=Lane.REALTIME) == 1_000 + 1 + 10
    assert Price(RATES).worst_case(**most, lane=Lane.BATCH) == (10_000 + 1 + 10) / Decimal(2)
    assert Price(RATES, LONG, 2_000_000).worst_case(**most, lane=Lane.REALTIME) == 1_011
    assert Price(RATES, LONG, 1_999_999).worst_case(**most, lane=Lane.REALTIME) == 2_022
    dear = replace(RATES, input=Decimal(20_000))
    assert Price(dear).worst_case(**most, lane=Lane.REALTIME) == 40_010
