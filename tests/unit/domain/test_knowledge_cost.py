"""Few pages are cheaper whole, many searched."""

from decimal import Decimal

import pytest

from models.vocabulary import Lane
from worker.domain.knowledge_cost import KnowledgeSize, compare_ways
from worker.domain.pricing import Price, Rates

HAIKU = Price(
    Rates(*(Decimal(dollars) for dollars in ("0.10", "0.50", "0.01", "0.125", "0.20"))),
    Rates(*(Decimal(dollars) for dollars in ("0.50", "2.50", "0.05", "0.625", "1"))),
    100_000,
)


def size(pages: int) -> KnowledgeSize:
    return KnowledgeSize.of(900 * pages, pages, 5)


@pytest.mark.parametrize(("pages", "whole"), [(12, True), (40, True), (100, False), (400, False)])
@pytest.mark.parametrize("lane", [Lane.REALTIME, Lane.BATCH])
def test_the_line_lies_where_ten_times_what_is_shown_is_all(
    pages: int, whole: bool, lane: Lane
) -> None:
    assert compare_ways(HAIKU, size(pages), lane, 10_000, 900).better_whole is whole


def test_a_cache_that_nobody_shares_does_not_pay() -> None:
    assert not compare_ways(HAIKU, size(12), Lane.REALTIME, 1, 1).better_whole


def test_what_does_not_fit_is_searched() -> None:
    choice = compare_ways(HAIKU, size(1_000), Lane.REALTIME, 10_000, 900)
    assert (choice.whole, choice.better_whole) == (None, False)


def test_dollars_by_hand() -> None:
    # given 100 pages of 900 characters: 22,400 tokens, of which 5 are 1,120
    assert size(100) == KnowledgeSize(whole=22_400, searched=1_120)
    choice = compare_ways(HAIKU, size(100), Lane.BATCH, 1_000, 300)
    # then: one write for five minutes and 999 reads, at half price
    assert choice.whole == Decimal(22_400) * (Decimal("0.125") + 999 * Decimal("0.01")) / 2 / 10**9
    assert choice.searched == Decimal("0.000056")
