"""What `rung cost` says below its table."""

from dataclasses import replace
from decimal import Decimal

from tests.unit.domain.test_bill import ANSWER, billed
from worker.cli.cost import sentences
from worker.domain.pricing import Usage


def said(cached: int, written: int) -> str:
    usage = Usage(
        input_tokens=1_000_000,
        cache_read_tokens=cached,
        cache_write_5m_tokens=written,
        cache_write_1h_tokens=0,
        output_tokens=100_000,
    )
    return "\n".join(sentences(billed(replace(ANSWER, usage=usage)), compared=False))


def test_a_cache_that_cost_more_than_it_saved_is_said_to_have_cost() -> None:
    # A million read costs nothing here and saves a dollar; a million written costs one more.
    assert "The prompt cache saved $1.50, with 500,000 tokens written" in said(2_000_000, 500_000)
    words = said(0, 250_000)
    assert "The prompt cache cost $0.2500 more than its reads saved, with 250,000 tokens" in words
    assert "$-" not in words
    assert "-$" not in words


def test_a_bill_without_calls_speaks_of_no_cache() -> None:
    assert not any("cache" in line for line in sentences(billed(), compared=False))
    assert billed().total == Decimal(0)
