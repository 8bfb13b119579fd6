"""Where prices come from: the configuration's overrides, then genai-prices.

A model without a price is None, and its calls are recorded as `unpriced`; it never costs zero.
"""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from models.vocabulary import Lane
from worker.config.settings import PriceSettings, Settings
from worker.domain.pricing import Price, Rates
from worker.domain.proof.unasked_costs import LanePrices

PROVIDER = "anthropic"
BEFORE = re.compile(r"^(?:arn:[^/]*/)?(?:[a-z]{2,6}(?:-[a-z]+)?\.)?anthropic\.")
AFTER = re.compile(r"-v\d+(?::\d+)?$|@[\w-]+$")
CACHE_READ_SHARE = Decimal("0.1")
CACHE_WRITE_5M_SHARE, CACHE_WRITE_1H_SHARE = Decimal("1.25"), Decimal(2)
"""Of the input rate, for an override that gives none: Anthropic's usual multiples."""


def price_of(model: str, overrides: Mapping[str, PriceSettings]) -> Price | None:
    """The price of a model, or None when nobody knows it. Bedrock's and Vertex's names stand for
    Anthropic's: what a region adds belongs into an override."""
    if override := overrides.get(model) or overrides.get(plain_name(model)):
        return Price(_overridden(override))
    return _listed(plain_name(model))


def plain_name(model: str) -> str:
    """`eu.anthropic.claude-haiku-5-5-v1:0` and `claude-haiku-5-5@default` as Anthropic's name."""
    return AFTER.sub("", BEFORE.sub("", model))


def lane_prices(settings: Settings, run_lane: str) -> LanePrices:
    """Prices of the ladder's tiers for a run of this lane, without those that nobody knows."""
    found = {name: price_of(tier.model, settings.prices) for name, tier in settings.tiers.items()}
    lane = Lane.BATCH if run_lane == Lane.BATCH else Lane.REALTIME
    return LanePrices(lane, {name: price for name, price in found.items() if price is not None})


def unpriced_models(settings: Settings) -> list[str]:
    """Models of the ladder that have no price."""
    models = dict.fromkeys(tier.model for tier in settings.tiers.values())
    return [model for model in models if price_of(model, settings.prices) is None]


def _overridden(override: PriceSettings) -> Rates:
    def given(value: Decimal | None, share: Decimal) -> Decimal:
        return override.input * share if value is None else value

    return Rates(
        input=override.input,
        output=override.output,
        cache_read=given(override.cache_read, CACHE_READ_SHARE),
        cache_write_5m=given(override.cache_write_5m, CACHE_WRITE_5M_SHARE),
        cache_write_1h=given(override.cache_write_1h, CACHE_WRITE_1H_SHARE),
    )


@lru_cache(maxsize=64)
def _listed(model: str) -> Price | None:
    """From genai-prices' own data, as of now; looked up once in a process."""
    from genai_prices import Usage, calc_price

    try:
        found = calc_price(
            Usage(input_tokens=1, output_tokens=1),
            model,
            provider_id=PROVIDER,
            genai_request_timestamp=dt.datetime.now(dt.UTC),
        )
    except LookupError:
        return None
    row = found.model_price
    kinds = (
        row.input_mtok,
        row.output_mtok,
        row.cache_read_mtok,
        row.cache_write_mtok,
        getattr(row, "cache_write_1h_mtok", None),
    )
    if kinds[0] is None or kinds[1] is None:
        return None
    starts = [tier.start for kind in kinds for tier in getattr(kind, "tiers", [])]
    return Price(
        _rates(kinds, long=False),
        _rates(kinds, long=True) if starts else None,
        min(starts) if starts else None,
    )


def _rates(kinds: tuple[Any, ...], *, long: bool) -> Rates:
    def amount(kind: Any) -> Decimal | None:
        tiers = getattr(kind, "tiers", None)
        if tiers is None:
            return None if kind is None else Decimal(kind)
        return Decimal(tiers[-1].price if long else kind.base)

    plain, output, read, write_5m, write_1h = (amount(kind) for kind in kinds)
    if plain is None or output is None:
        raise LookupError("a price without input or output is no price")
    return Rates(
        input=plain,
        output=output,
        cache_read=plain * CACHE_READ_SHARE if read is None else read,
        cache_write_5m=plain * CACHE_WRITE_5M_SHARE if write_5m is None else write_5m,
        cache_write_1h=plain * CACHE_WRITE_1H_SHARE if write_1h is None else write_1h,
    )
