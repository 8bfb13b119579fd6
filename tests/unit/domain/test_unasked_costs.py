"""What an answer would have cost that nobody asked for."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from models.vocabulary import Lane
from worker.domain.pricing import Price, Rates, Usage
from worker.domain.proof.frontier import as_it_ran
from worker.domain.proof.frontier_plans import evaluate, parse_plan
from worker.domain.proof.graded import GradedAnswer, GradedMessage
from worker.domain.proof.unasked_costs import FEW_PAIRED, LanePrices, unasked_costs

LADDER = ("haiku", "opus")
RATES = {"haiku": Decimal("0.0001"), "opus": Decimal("0.004")}


def message(number: int, chars: int, tiers: tuple[str, ...] = LADDER) -> GradedMessage:
    """Costs are in proportion to its length."""
    answers = {
        tier: GradedAnswer(valid=True, right=True, confidence=0.5, cost=RATES[tier] * chars)
        for tier in tiers
    }
    return GradedMessage(name=f"{number:04}", segment="", chars=chars, answers=answers)


def always(messages: list[GradedMessage], tier: str) -> Decimal:
    return evaluate(messages, LADDER, [parse_plan(tier, LADDER)])[0].cost


def test_the_long_ones_that_climbed_do_not_make_the_short_ones_dear() -> None:
    # given: only what is long reached opus
    record = [message(n, 1_000) for n in range(20)]
    record += [message(n, 100, ("haiku",)) for n in range(20, 100)]
    # then
    assert always(record, "opus") == RATES["opus"] * (20 * 1_000 + 80 * 100)


def test_those_that_started_at_the_top_are_short_at_the_bottom_too() -> None:
    record = [message(n, 1_000) for n in range(20)]
    record += [message(n, 100, ("opus",)) for n in range(20, 100)]
    assert always(record, "haiku") == RATES["haiku"] * (20 * 1_000 + 80 * 100)


@pytest.mark.parametrize("paired", [FEW_PAIRED - 1, FEW_PAIRED])
def test_few_that_both_rungs_answered_say_nothing_of_a_ratio(paired: int) -> None:
    record = [message(n, 1_000) for n in range(paired)]
    costs, short = unasked_costs(record), message(900, 100, ("haiku",))
    expected = 100 if paired == FEW_PAIRED else 1_000
    assert costs.of(short, "opus") == RATES["opus"] * expected


@pytest.mark.parametrize(("lane", "factor"), [(Lane.REALTIME, 1), (Lane.BATCH, Decimal("0.5"))])
def test_tokens_that_are_recorded_are_priced_at_the_other_tier(
    lane: Lane, factor: Decimal | int
) -> None:
    # given: all of a message is known, and what those that climbed cost is no guide to it
    usage = Usage(input_tokens=1_000_000, output_tokens=100_000)
    rates = Rates(
        input=Decimal(4),
        output=Decimal(20),
        cache_read=Decimal(0),
        cache_write_5m=Decimal(0),
        cache_write_1h=Decimal(0),
    )
    short = replace(message(900, 100, ("haiku",)), usage=usage)
    prices = LanePrices(lane, {"opus": Price(rates)})
    # then
    costs = unasked_costs([message(n, 1_000) for n in range(20)], prices)
    assert costs.of(short, "opus") == factor * 6
    assert costs.of(replace(short, usage=None), "opus") == RATES["opus"] * 100


def test_the_pair_of_which_most_is_known_decides() -> None:
    cheap: Mapping[str, Decimal] = {"haiku": Decimal(1), "sonnet": Decimal(10), "opus": Decimal(20)}
    every = [_priced(n, cheap) for n in range(10)]
    odd = [_priced(n, {"haiku": Decimal(1), "opus": Decimal(100)}) for n in range(10, 15)]
    asked = _priced(99, {"haiku": Decimal(1), "sonnet": Decimal(10)})
    # 15 messages have haiku and opus, 10 sonnet and opus
    assert unasked_costs([*every, *odd]).of(asked, "opus") == Decimal(700) / 15


def _priced(number: int, costs: Mapping[str, Decimal]) -> GradedMessage:
    answers = {t: GradedAnswer(valid=True, right=True, cost=c) for t, c in costs.items()}
    return GradedMessage(name=f"{number:04}", segment="", chars=1, answers=answers)


def test_what_ran_pays_for_its_routing_and_a_route_that_it_proposes_too() -> None:
    routing = Decimal("0.05")
    record = [replace(message(n, 100), routing=routing) for n in range(60)]
    ran = as_it_ran(record, LADDER)
    assert {walk.cost for walk in ran} == {routing + 100 * (RATES["haiku"] + RATES["opus"])}
    found = {point.name: point.cost for point in evaluate(record, LADDER)}
    assert found["route 0.95"] == found["always haiku"] + 60 * routing


def test_a_message_that_no_model_was_asked_about_was_not_answered_rightly() -> None:
    record = [message(n, 100, ("haiku",)) for n in range(9)]
    record.append(GradedMessage(name="9999", segment="", chars=1))
    ran = next(p for p in evaluate(record, LADDER, [], recorded=True))
    assert ran.quality.point == pytest.approx(0.9)
    assert ran.ends["person"] == pytest.approx(0.1)
