"""Prices, worst cases, trouble and the bill."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import CallState, Lane, Purpose
from tests.support.prices import rates_of
from worker.domain.bill import SpendLine, make_bill
from worker.domain.endings import Dead, Deferred, Ending, Failed
from worker.domain.pricing import Price, Usage
from worker.domain.trouble import Meaning, Trouble, backoff, follow_up

HAIKU = Price(
    rates_of("0.1", "0.5", "0.01", "0.125", "0.2"),
    rates_of("0.5", "2.5", "0.05", "0.625", "1"),
    100_000,
)
OPUS = Price(rates_of("4", "20", "0.2", "5", "8"))
tokens = st.integers(0, 150_000)
usages = st.builds(
    Usage,
    input_tokens=tokens,
    cache_read_tokens=tokens,
    cache_write_5m_tokens=tokens,
    cache_write_1h_tokens=tokens,
    output_tokens=st.integers(0, 20_000),
)


def test_a_long_prompt_is_billed_long_as_a_whole() -> None:
    assert HAIKU.rates(100_000, Lane.REALTIME).cost(Usage(input_tokens=100_000)) == Decimal("0.01")
    assert HAIKU.rates(100_001, Lane.REALTIME).cost(Usage(input_tokens=100_001)) == Decimal(
        "0.0500005"
    )


def test_batches_cost_half() -> None:
    usage = Usage(
        input_tokens=1_000,
        cache_read_tokens=2_000,
        cache_write_5m_tokens=30,
        cache_write_1h_tokens=40,
        output_tokens=500,
    )
    realtime = OPUS.rates(3_070, Lane.REALTIME).cost(usage)
    assert OPUS.rates(3_070, Lane.BATCH).cost(usage) * 2 == realtime


@given(usages, tokens, st.sampled_from([HAIKU, OPUS]), st.sampled_from(list(Lane)))
def test_the_worst_case_is_never_exceeded(
    usage: Usage, said: int, price: Price, lane: Lane
) -> None:
    if lane is Lane.REALTIME:
        usage = replace(usage, cache_write_1h_tokens=0)
    fixed, billed = usage.total_input, replace(usage, input_tokens=usage.input_tokens + said)
    cost = price.rates(billed.total_input, lane).cost(billed)
    worst = price.worst_case(fixed=fixed, said=said, max_tokens=usage.output_tokens, lane=lane)
    assert cost <= worst


def after(trouble: Trouble, *, failures: int = 0) -> Ending:
    return follow_up(trouble, queue="haiku", failures=failures, deferrals=0, jitter=0.5)


@pytest.mark.parametrize(
    ("meaning", "step"),
    [
        (Meaning.NOT_SENT, Deferred),
        (Meaning.RATE_LIMITED, Deferred),
        (Meaning.OVERLOADED, Deferred),
        (Meaning.UNKNOWN, Failed),
        (Meaning.PERMANENT, Dead),
        (Meaning.CONFIGURATION, Deferred),
        (Meaning.MONEY, Deferred),
    ],
)
def test_what_follows_from_trouble(meaning: Meaning, step: type) -> None:
    assert isinstance(after(Trouble(meaning=meaning, kind="kind")), step)


def test_money_trouble_halts_everything_and_configuration_one_tier() -> None:
    money = after(Trouble(meaning=Meaning.MONEY, kind="billing"))
    key = after(Trouble(meaning=Meaning.CONFIGURATION, kind="authentication"))
    others = after(Trouble(meaning=Meaning.OVERLOADED, kind="overloaded"))
    assert isinstance(money, Deferred)
    assert isinstance(key, Deferred)
    assert isinstance(others, Deferred)
    assert (money.halts, key.halts, others.halts) == ("everything", "haiku", None)


def test_the_third_failure_is_a_dead_letter() -> None:
    trouble = Trouble(meaning=Meaning.UNKNOWN, kind="timeout")
    assert isinstance(after(trouble, failures=1), Failed)
    assert after(trouble, failures=2) == Dead("failed 3 times, last with timeout")


def test_retry_after_is_heard_and_capped() -> None:
    patient = after(Trouble(meaning=Meaning.RATE_LIMITED, kind="429", retry_after_s=90))
    endless = after(Trouble(meaning=Meaning.RATE_LIMITED, kind="429", retry_after_s=1e9))
    assert isinstance(patient, Deferred)
    assert isinstance(endless, Deferred)
    assert (patient.delay_s, endless.delay_s) == (90, 900)


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_backoff_is_bounded(tries: int, jitter: float) -> None:
    assert 1 <= backoff(tries, jitter) <= 60


def line(tier: str, purpose: Purpose, cost: str, usage: Usage, calls: int = 1) -> SpendLine:
    return SpendLine(
        tier=tier,
        purpose=purpose,
        model=tier,
        lane=Lane.REALTIME,
        state=CallState.DONE,
        simulated=False,
        calls=calls,
        unpriced=0,
        usage=usage,
        cost=Decimal(cost),
    )


def test_the_bill_compares_the_same_answers() -> None:
    lines = [
        line("haiku", Purpose.CLASSIFY, "0.02", Usage(input_tokens=100_000), 10),
        line(
            "haiku", Purpose.ANSWER, "0.10", Usage(input_tokens=400_000, output_tokens=100_000), 8
        ),
        line("opus", Purpose.ANSWER, "1.20", Usage(input_tokens=100_000, output_tokens=40_000), 2),
    ]
    bill = make_bill(
        "run",
        lines,
        resolved=9,
        jobs=10,
        rejected_answers=Decimal("0.03"),
        ladder={"haiku": "haiku", "opus": "opus"},
        price_of=lambda model: {"haiku": HAIKU, "opus": OPUS}[model],
    )
    assert bill.total == Decimal("1.32")
    assert (bill.classifying, bill.answering, bill.checking) == (
        Decimal("0.02"),
        Decimal("1.30"),
        Decimal(0),
    )
    # 500,000 tokens in at 4 dollars a million and 140,000 out at 20, for ten answers of ten jobs.
    assert bill.top.cost == Decimal("4.8")
    assert bill.cheapest.cost == Decimal("0.12")
    assert bill.per_resolved == Decimal("1.32") / 9
    assert bill.saved_against_top == 1 - Decimal("1.32") / Decimal("4.8")
