"""How long the shared prefix of a batch's requests is kept in Claude's prompt cache. Pure.

A cached prefix is read for a tenth of the price of input; writing it costs a quarter more than
plain input for five minutes, or twice as much for an hour.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from worker.domain.pricing import MILLION, Rates


class Lifetime(StrEnum):
    """As Claude names them; `none` marks nothing for the cache."""

    NONE = "none"
    FIVE_MINUTES = "5m"
    HOUR = "1h"


SECONDS: Mapping[Lifetime, float] = {Lifetime.FIVE_MINUTES: 300.0, Lifetime.HOUR: 3_600.0}


def prefix_cost(
    lifetime: Lifetime, rates: Rates, prefix_tokens: int, requests: int, takes_s: float
) -> Decimal:
    """Dollars for one prefix in `requests` requests that Claude works off in `takes_s` seconds.

    Nobody knows in which order or how evenly, so for each lifetime that goes by, one request is
    taken to find the cache empty and to write it again. That leans against short lifetimes.
    """
    if lifetime is Lifetime.NONE:
        return requests * prefix_tokens * rates.input / MILLION
    writes = min(requests, max(math.ceil(takes_s / SECONDS[lifetime]), 1))
    write = rates.cache_write_1h if lifetime is Lifetime.HOUR else rates.cache_write_5m
    return prefix_tokens * (writes * write + (requests - writes) * rates.cache_read) / MILLION


def cheapest(rates: Rates, prefix_tokens: int, requests: int, takes_s: float) -> Lifetime:
    """The lifetime that costs least; of two that cost the same, the shorter one."""
    return min(Lifetime, key=lambda one: prefix_cost(one, rates, prefix_tokens, requests, takes_s))
