"""The bill of a run: each sum is of the lines that it is said to be of."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from models.vocabulary import CallState, Lane, Purpose
from tests.support.prices import rates_of
from worker.domain.bill import Bill, SpendLine, lane_effect, make_bill
from worker.domain.pricing import NO_TOKENS, Price, Usage

RATES = rates_of(1, 10, 0, 2, 4)
LONG = rates_of(100, 1_000, 0, 200, 400)
PRICES = {"small": Price(RATES, LONG, 1_000_000), "large": Price(RATES.times(Decimal(5)))}
ANSWER = SpendLine(
    tier="haiku",
    purpose=Purpose.ANSWER,
    model="small",
    lane=Lane.REALTIME,
    state=CallState.DONE,
    simulated=False,
    calls=4,
    unpriced=0,
    usage=Usage(
        input_tokens=1_000_000,
        cache_read_tokens=2_000_000,
        cache_write_5m_tokens=500_000,
        cache_write_1h_tokens=0,
        output_tokens=100_000,
    ),
    cost=Decimal(3),
)


def billed(*lines: SpendLine, **changes: Any) -> Bill:
    how: dict[str, Any] = {
        "resolved": 2,
        "jobs": 8,
        "rejected_answers": Decimal(1),
        "ladder": {"haiku": "small", "opus": "large"},
        "price_of": PRICES.get,
    }
    return make_bill("run", lines, **{**how, **changes})


def test_what_brought_nothing_is_lost_and_in_no_other_part() -> None:
    lost = replace(ANSWER, state=CallState.LOST, cost=Decimal("0.5"), calls=1)
    bill = billed(ANSWER, lost, replace(ANSWER, purpose=Purpose.CHECK, cost=Decimal("0.2")))
    assert (bill.total, bill.answering, bill.lost) == (Decimal("3.7"), 3, Decimal("0.5"))
    assert (bill.checking, bill.classifying, bill.escalating) == (Decimal("0.2"), 0, 1)
    assert bill.per_resolved == Decimal("1.85")


def test_elsewhere_means_the_answers_alone_one_for_each_job() -> None:
    lost = replace(ANSWER, state=CallState.LOST, calls=40)
    checked = replace(ANSWER, purpose=Purpose.CHECK, calls=400)
    bill = billed(ANSWER, lost, checked)
    # 1 + 0 + 1 and 1 dollars for four calls; jobs are twice as many.
    assert bill.cheapest.tier == "haiku"
    assert bill.cheapest.cost == 2 * RATES.cost(ANSWER.usage)
    assert bill.top.cost == 5 * bill.cheapest.cost
    assert bill.saved_against_top == 1 - bill.total / bill.top.cost


def test_long_prices_apply_to_a_request_and_never_to_a_sum() -> None:
    assert billed(ANSWER).cheapest.cost == 2 * RATES.cost(ANSWER.usage)
    one = replace(ANSWER, calls=1)
    assert billed(one).cheapest.cost == 8 * LONG.cost(ANSWER.usage)


def test_the_cache_saved_reads_less_what_the_writes_cost_more() -> None:
    # 3.5 million plain tokens cost 3.5 dollars; in fact 1 + 0 + 1.
    assert billed(ANSWER).cache_saved == Decimal("1.5")
    assert billed(replace(ANSWER, usage=NO_TOKENS)).cache_saved == 0


def test_batches_save_half_and_hurry_costs_it() -> None:
    batch = replace(ANSWER, lane=Lane.BATCH)
    cost = RATES.cost(ANSWER.usage)
    assert billed(ANSWER, batch).batch_saved == cost / 2
    assert billed(ANSWER, batch).hurry_cost == 0
    assert billed(ANSWER, batch, lane=Lane.BATCH).hurry_cost == cost / 2
    assert billed(batch, lane=Lane.BATCH).hurry_cost == 0


def test_one_simulated_line_makes_the_bill_simulated_and_unpriced_calls_are_counted() -> None:
    bill = billed(ANSWER, replace(ANSWER, simulated=True, unpriced=3))
    assert (bill.simulated, bill.unpriced_calls) == (True, 3)
    assert not billed(ANSWER).simulated
    assert billed(ANSWER, price_of=lambda _: None).saved_against_top is None


def test_calls_of_a_lane_saved_or_cost_more() -> None:
    calls = [("batch", Decimal(3)), ("realtime", Decimal(8))]
    assert lane_effect(calls, "batch") == (3, 4)
    assert lane_effect(calls, "realtime") == (3, 0)
