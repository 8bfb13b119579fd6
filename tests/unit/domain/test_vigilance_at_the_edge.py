"""Certificates up a ladder, drift, hops, frontiers, scores and forecasts at their edges."""

import math
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support.graded import made_up, question
from worker.domain.proof.drift import Watch, begin, heard_all, rates
from worker.domain.proof.exact_tails import lower_bound, upper_bound
from worker.domain.proof.forecast import Observed, forecast
from worker.domain.proof.frontier import Baseline, Plan, Step, point, walk
from worker.domain.proof.graded import GradedAnswer, GradedMessage
from worker.domain.proof.ladder_certificates import Certificate, certify, stricter
from worker.domain.proof.off_policy import Glimpse, difference, estimate
from worker.domain.proof.scorer import fit, newton
from worker.domain.proof.tier_skip import Climbs, judge_hop, judge_hops
from worker.domain.proof.unasked_costs import UnaskedCosts

COST, ABOVE = 0.0049, 0.0098


def graded(
    name: int, confidence: float, *, right: bool = True, valid: bool = True, segment: str = "s"
) -> GradedMessage:
    answer = GradedAnswer(valid=valid, right=right, confidence=confidence)
    return GradedMessage(name=f"{name:04}", segment=segment, chars=1, answers={"haiku": answer})


def at(threshold: float) -> Certificate:
    """A certificate in force at this threshold on the stated confidence."""
    made = certify(question([graded(n, 1.0) for n in range(200)]))
    return replace(made, result=replace(made.result, threshold=threshold))


def test_a_segment_is_covered_where_its_own_threshold_is_no_higher_than_the_one_in_force() -> None:
    # given: one segment may go down to 0.65, the other to 0.5, which is what all of it is given
    hard = [graded(n, 0.8, segment="hard") for n in range(600)]
    hard += [graded(n + 600, 0.6, right=False, segment="hard") for n in range(10)]
    easy = [graded(n + 700, 0.8, segment="easy") for n in range(6_000)]
    # when
    result = certify(question(hard + easy, alpha=0.02), segments=True).result
    # then
    assert result.threshold == 0.5
    assert [(one.segment, one.threshold, one.certified) for one in result.segments] == [
        ("hard", 0.65, False),
        ("easy", 0.5, True),
    ]


def test_an_invalid_answer_is_accepted_at_no_threshold() -> None:
    assert at(0.5).accepts(graded(1, 1.0))
    assert not at(0.5).accepts(graded(1, 1.0, valid=False))


@pytest.mark.parametrize(
    ("confidences", "expected"),
    [((0.5, 0.6, 0.7, 0.8), 0.7), ((0.5, 0.5, 0.5, 0.8), 0.8), ((0.5, 0.5), None)],
)
def test_the_stricter_threshold_is_above_the_one_in_force_and_keeps_half(
    confidences: tuple[float, ...], expected: float | None
) -> None:
    reaching = [graded(n, confidence) for n, confidence in enumerate(confidences)]
    assert stricter(reaching, at(0.5)) == expected


def test_the_alarm_is_red_from_one_over_delta_on() -> None:
    none = begin(0.05)
    just, not_yet = math.log(20) + 1e-9, math.log(20) - 1e-9
    assert [replace(none, most=most).watch(0.05) for most in (just, not_yet)] == [
        Watch.RED,
        Watch.VALID,
    ]


def test_a_long_bad_time_leaves_finite_evidence() -> None:
    assert heard_all(begin(0.05), [True] * 1_000).alarm <= 1e12


def test_no_rate_is_bet_on_that_cannot_be() -> None:
    assert max(rates(0.5)) < 0.95


def test_a_hops_interval_leaves_half_of_its_level_on_each_side() -> None:
    hop = judge_hop("", Climbs(10, 6), COST, ABOVE, 0.5)
    assert hop.low == pytest.approx(lower_bound(6, 10, 0.025) * ABOVE - COST)
    assert hop.high == pytest.approx(upper_bound(6, 10, 0.025) * ABOVE - COST)


def test_the_segment_with_the_most_to_lose_comes_first() -> None:
    hops = judge_hops({"a few": Climbs(4, 2), "many": Climbs(40, 20)}, COST, ABOVE)
    assert [hop.segment for hop in hops] == ["", "many", "a few"]


def test_one_outcome_that_could_not_have_been_seen_leaves_bounds() -> None:
    seen = [Glimpse(1.0, 0.5)] * 25
    assert estimate([*seen, Glimpse(None, 0.5)]).point is not None
    assert estimate([*seen, Glimpse(None, 0.0)]).point is None


def test_a_point_is_a_share() -> None:
    assert estimate([Glimpse(1.0, 0.1, 0.5)] * 30).point == 1.0
    assert estimate([Glimpse(0.0, 0.1, 0.5)] * 30).point == 0.0


def test_the_bounds_of_a_difference_are_the_worst_of_both() -> None:
    first = [*[Glimpse(None, 0.0)] * 2, *[Glimpse(1.0, 1.0)] * 2]
    second = [*[Glimpse(None, 0.0)] * 2, Glimpse(0.0, 1.0), Glimpse(1.0, 1.0)]
    gap = difference(first, second)
    assert (gap.point, gap.low, gap.high) == (None, -0.25, 0.75)


def test_a_rung_that_was_never_asked_costs_its_mean_on_top_of_what_was() -> None:
    message = made_up(1, 1)[0]
    low = replace(message.answers["haiku"], confidence=0.1, cost=Decimal(2))
    asked = replace(message, answers={"haiku": low})
    dear = UnaskedCosts(means={"opus": Decimal(5)})
    way = walk(asked, (Step("haiku", 0.9), Step("opus")), dear)
    assert (way.cost, way.tier, way.assumed) == (Decimal(7), "opus", True)


def test_a_mixture_is_known_with_the_smaller_of_two_probabilities() -> None:
    # given: every answer is right; those of opus are known by a draw of one half
    haiku = GradedAnswer(valid=True, right=True)
    drawn = [
        GradedAnswer(valid=True, right=True if n % 2 else None, probability=0.5) for n in range(60)
    ]
    messages = [
        GradedMessage(name=f"{n}", segment="s", chars=1, answers={"haiku": haiku, "opus": opus})
        for n, opus in enumerate(drawn)
    ]
    # when
    way, other = (Step("opus"),), (Step("haiku"),)
    half = Plan(name="half", steps=way, share=0.5, otherwise=other)
    always = Baseline.of([Glimpse(1.0, 1.0)] * 60)
    found = point(half, messages, always, UnaskedCosts(), [{}] * 60)
    # then
    assert found.quality.point == pytest.approx(1.0)


def test_a_signal_that_varies_little_is_scaled_and_not_dropped() -> None:
    rows = [(m, m.answers["haiku"], bool(m.answers["haiku"].right)) for m in made_up(200, 1)]
    assert {"certain", "answer_length"} <= set(fit(rows).signals)


def test_weights_of_a_rare_outcome_are_found_in_a_few_steps() -> None:
    weights = newton([[(0, 1.0)]] * 1_000, [n >= 10 for n in range(1_000)], 1)
    assert weights[0] == pytest.approx(math.log(99), abs=1e-4)


def test_a_day_that_comes_differs_as_much_as_those_that_were_and_these_are_few() -> None:
    made = forecast([Observed("a", "1", 1.0)] * 50, {"a": 100})
    assert made.deviation == pytest.approx(100 * 0.1 * math.sqrt(1 + 1 / 1))


def test_a_stratum_of_one_message_is_drawn_towards_the_whole() -> None:
    record = [Observed("rare", "1", 10.0), *[Observed("usual", "1", 0.0)] * 99]
    assert forecast(record, {"rare": 6}).expected == pytest.approx(10 + 5 * 0.1)


def test_what_is_spread_within_a_stratum_counts_as_far_as_it_is_known() -> None:
    """Two messages of a stratum: its variance is drawn towards the whole's, as its mean is."""
    record = [Observed("a", "1", 1.0), Observed("a", "1", 3.0)]
    record += [Observed("b", "1", 2.0)] * 4
    made = forecast(record, {"a": 3})
    variance = (2 * 2.0 + 5 * 0.4) / 7
    noise = 3 * variance + 9 * variance / 2
    level = (6 * 0.1) ** 2 * 2
    assert made.deviation == pytest.approx(math.sqrt(noise + level))
    assert made.degrees == pytest.approx((noise + level) ** 2 / (noise**2 / 5))


def test_days_of_which_nothing_is_expected_say_nothing_of_levels() -> None:
    record = [Observed("free", "1", 0.0), Observed("free", "2", 0.0)]
    made = forecast(record, {"free": 5})
    assert (made.expected, made.deviation, made.days) == (0, 0, 1)
    assert made.degrees == math.inf


def test_few_days_that_agree_may_do_so_by_chance() -> None:
    record = [Observed("a", day, 1.0) for day in "123" for _ in range(10)]
    made = forecast(record, {"a": 10})
    assert made.between_days == pytest.approx(0.08 / math.sqrt(3))
    level = (10 * made.between_days) ** 2 * (1 + 1 / 3)
    assert made.deviation == pytest.approx(math.sqrt(level))
    assert made.degrees == pytest.approx(2)
