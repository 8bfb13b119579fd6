"""The price table of docs/proof.md, to the tenth of a cent: 10,000 messages of 1,200 tokens in and
250 out, at list prices."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from models.vocabulary import Lane
from worker.config.prices import price_of
from worker.config.settings import default_tiers
from worker.domain.pricing import Usage

ANSWER, INLINE = (
    Usage(input_tokens=1_200, output_tokens=250),
    Usage(input_tokens=1_200, output_tokens=262),
)
CLASSIFY, CHECK = (
    Usage(input_tokens=1_200, output_tokens=15),
    Usage(input_tokens=1_550, output_tokens=5),
)
MIX = {"haiku": 8_000, "sonnet": 1_500, "opus": 500}
CLIMB = {"haiku": 10_000, "sonnet": 2_000, "opus": 500}
ALL_OPUS = Decimal("98.00")


def cost(tier: str, usage: Usage, lane: Lane = Lane.REALTIME) -> Decimal:
    price = price_of(default_tiers()[tier].model, {})
    assert price is not None, tier
    return price.rates(usage.total_input, lane).cost(usage)


def bill(
    answers: Mapping[str, int],
    usage: Usage = ANSWER,
    *,
    classify: bool = False,
    check: bool = False,
    lane: Lane = Lane.REALTIME,
    above: Lane | None = None,
) -> Decimal:
    """Dollars; `above` is the lane of the tiers above the cheapest."""
    total = 10_000 * cost("haiku", CLASSIFY, lane) if classify else Decimal(0)
    for tier, count in answers.items():
        here = lane if tier == "haiku" or above is None else above
        total += count * cost(tier, usage, here)
        if check:
            total += count * cost(tier, CHECK, here)
    return total


@pytest.mark.parametrize(
    ("found", "dollars", "saves"),
    [
        (bill({"opus": 10_000}), "98.000", "0.00"),
        (bill(MIX), "14.210", "85.50"),
        (bill(MIX, lane=Lane.BATCH), "7.105", "92.75"),
        (bill(MIX, classify=True), "15.485", "84.20"),
        (bill(MIX, classify=True, lane=Lane.BATCH), "7.742", "92.10"),
        (bill(MIX, INLINE, classify=True), "15.833", "83.84"),
        (bill(MIX, INLINE, classify=True, lane=Lane.BATCH), "7.916", "91.92"),
        (bill(MIX, classify=True, check=True), "24.620", "74.88"),
        (bill(MIX, classify=True, check=True, lane=Lane.BATCH), "12.310", "87.44"),
        (bill(CLIMB, INLINE), "17.570", "82.07"),
        (bill(CLIMB, INLINE, lane=Lane.BATCH), "8.785", "91.04"),
        (bill(CLIMB, check=True), "28.175", "71.25"),
        (bill(CLIMB, check=True, lane=Lane.BATCH), "14.088", "85.62"),
        (bill(MIX, INLINE, classify=True, above=Lane.BATCH), "9.558", "90.25"),
    ],
)
def test_the_table_of_prices(found: Decimal, dollars: str, saves: str) -> None:
    assert abs(found - Decimal(dollars)) <= Decimal("0.0005")
    assert abs(100 * (1 - found / ALL_OPUS) - Decimal(saves)) <= Decimal("0.005")


def test_the_mixed_lane_alone_saves_nine_tenths_at_once() -> None:
    at_once = (bill(MIX), bill(MIX, INLINE, classify=True), bill(CLIMB, INLINE))
    mixed = bill(MIX, INLINE, classify=True, above=Lane.BATCH)
    assert mixed < ALL_OPUS / 10 < min(at_once)
