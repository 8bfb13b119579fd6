"""Few pages are cheaper whole, many searched."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from models.vocabulary import Lane
from tests.support.prices import rates_of
from worker.domain.in_force import InForce
from worker.domain.knowledge_cost import KnowledgeSize, KnowledgeWay, compare_ways, decide_way
from worker.domain.policy import Accept, ContextUse, Policy
from worker.domain.pricing import Price

HAIKU = Price(
    rates_of("0.10", "0.50", "0.01", "0.125", "0.20"),
    rates_of("0.50", "2.50", "0.05", "0.625", "1"),
    100_000,
)
IN_FORCE = InForce(
    number=1, tier="haiku", threshold=Decimal(1), fallback=None, scorer=None, segment_by="all",
    key={},
)  # fmt: skip


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


def way(messages: int = 1_000, key: str | None = None, **shown: Any) -> KnowledgeWay:
    held = None if key is None else replace(IN_FORCE, key={"prompt_version": key})
    policy = Policy(
        name="acme", ladder=("haiku",), context=ContextUse(**shown), accept=Accept(in_force=held)
    )
    return decide_way(
        policy, size(12), HAIKU, model="m", lane=Lane.REALTIME, messages=messages,
        prompt_version="p1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("made", "whole", "by"),
    [
        (way(), True, "cost"),
        (way(2), False, "cost"),
        (way(0), False, "cost"),
        (way(pages="searched"), False, "policy"),
        (way(2, pages="whole"), True, "policy"),
        (way(key="p1"), False, "certificate"),
        (way(2, key="with pages"), True, "certificate"),
        (way(key="p1", pages="whole"), True, "policy"),
    ],
)
def test_a_run_is_shown_its_pages_as_costs_a_policy_or_a_certificate_say(
    made: KnowledgeWay, whole: bool, by: str
) -> None:
    assert (made.whole, made.by) == (whole, by)


def test_what_was_decided_is_a_sentence_with_both_sums() -> None:
    assert way().words == (
        "whole, which costs less: 2,688 tokens, $0.0275 a thousand; searched about 1,120 tokens a"
        " message, $0.1120 a thousand (on m, realtime, for 1,000 messages)"
    )
    too_much = decide_way(
        Policy(name="acme", ladder=("haiku",), context=ContextUse(pages="whole")),
        size(1_000), HAIKU, model="m", lane=Lane.BATCH, messages=1,
    )  # fmt: skip
    assert not too_much.whole
    assert "whole they do not fit (on m, batch, for 1 message)" in too_much.words


def test_of_several_folders_a_search_shows_no_more_than_of_one() -> None:
    both = KnowledgeSize.together([size(12), size(100)])
    assert both == KnowledgeSize(whole=size(112).whole, searched=1_120)
