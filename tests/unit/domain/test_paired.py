"""Paired differences: the interval holds its level, and the sentence says which way it goes."""

import random
from decimal import Decimal

import pytest

from worker.domain.paired import money_words, paired_mean, paired_share, share_words


def test_no_pairs_say_nothing() -> None:
    assert paired_share(0, 0, 0) is None
    assert paired_mean([Decimal(1)]) is None


def test_a_difference_is_shown_where_the_interval_leaves_out_none() -> None:
    found = paired_share(200, 5, 30)
    assert found is not None
    assert (found.pairs, round(found.value, 4), found.shown) == (200, 0.125, True)
    assert found.low < found.value < found.high
    alike = paired_share(200, 5, 6)
    assert alike is not None
    assert not alike.shown
    assert -1 <= alike.low <= 0 <= alike.high <= 1


@pytest.mark.parametrize("pairs", [20, 100])
def test_the_interval_holds_its_level(pairs: int) -> None:
    # given: two prompts that differ in 30 % of the messages, B the better by 10 points
    chance, held, trials = random.Random(7), 0, 2_000
    for _ in range(trials):
        draws = [chance.random() for _ in range(pairs)]
        found = paired_share(pairs, sum(d < 0.1 for d in draws), sum(0.1 <= d < 0.3 for d in draws))
        assert found is not None
        held += found.low <= 0.1 <= found.high
    assert held / trials >= 0.94


def test_sentences_say_which_way_it_goes() -> None:
    more, less = paired_share(100, 2, 20), paired_share(100, 20, 2)
    assert more is not None
    assert less is not None
    assert share_words(more, "b", "is right", "a").startswith(
        "b is right 18.0 points more often than a (95 %: "
    )
    assert "18.0 points less often than a (95 %: 8." in share_words(less, "b", "is right", "a")
    none = paired_share(10, 1, 1)
    assert none is not None
    assert share_words(none, "b", "is right", "a").endswith(", which shows no difference")
    either = paired_mean([Decimal("0.003"), Decimal("-0.001")])
    assert either is not None
    assert "(95 %: -$" in money_words(either, "b", "a")
    same = paired_mean([Decimal("0.00000001"), Decimal("0.00000002"), Decimal("0.00000001")])
    assert same is not None
    assert money_words(same, "b", "a") == (
        "b costs as much as a, to $0.0001 for a thousand messages"
    )
    cheaper = paired_mean([Decimal("-0.001"), Decimal("-0.002"), Decimal("-0.0015")])
    assert cheaper is not None
    assert money_words(cheaper, "b", "a").startswith(
        "b costs $1.50 less than a for a thousand messages (95 %: $0.9342 to $2.07)"
    )
