"""What a call costs, and the most that it can cost.

Rates come from genai-prices or the configuration (`worker/config/prices.py`); the arithmetic is
here, and a test holds it to genai-prices' own. Dollars are Decimal throughout.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import lru_cache

from models.vocabulary import Lane

MILLION = Decimal(1_000_000)
BATCH_FACTOR = Decimal("0.5")
"""Message Batches cost half of every token kind (platform.claude.com/docs/en, November 2026)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call; the kinds are disjoint."""

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0

    @property
    def total_input(self) -> int:
        """Everything that was read, cached or not."""
        return (
            self.input_tokens
            + self.cache_read_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
        )


NO_TOKENS = Usage()
TOKENS = tuple(field.name for field in fields(Usage))
"""Kinds of tokens, by the names that they have in every record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Dollars per million tokens of each kind."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal

    def cost(self, usage: Usage) -> Decimal:
        """Dollars for `usage` at these rates."""
        return (
            usage.input_tokens * self.input
            + usage.cache_read_tokens * self.cache_read
            + usage.cache_write_5m_tokens * self.cache_write_5m
            + usage.cache_write_1h_tokens * self.cache_write_1h
            + usage.output_tokens * self.output
        ) / MILLION

    def as_document(self) -> Mapping[str, str]:
        """The price row that a receipt shows: dollars per million, as text."""
        return {name: str(getattr(self, name)) for name in self.__slots__}

    def times(self, factor: Decimal) -> "Rates":
        """Every rate multiplied."""
        return Rates(**{name: getattr(self, name) * factor for name in self.__slots__})


def version_of(document: Mapping[str, str]) -> str:
    """The name of applied rates, as `Rates.as_document` gives them: the same of the same."""
    return _version(tuple(sorted(document.items())))


@lru_cache(maxsize=64)
def _version(rates: tuple[tuple[str, str], ...]) -> str:
    said = " ".join(f"{name}={rate}" for name, rate in rates)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Price:
    """A model's rates: `base`, or `long` for the whole request above `long_above` input tokens."""

    base: Rates
    long: Rates | None = None
    long_above: int | None = None

    def rates(self, total_input: int, lane: Lane) -> Rates:
        """The rates that a request of this many input tokens is billed at."""
        is_long = self.long_above is not None and total_input > self.long_above
        rates = self.long if is_long and self.long is not None else self.base
        return rates.times(BATCH_FACTOR) if lane is Lane.BATCH else rates

    def worst_case(self, *, fixed: int, said: int, max_tokens: int, lane: Lane) -> Decimal:
        """The most that one request can cost.

        `fixed` bounds the tokens that it shares with others of its kind, at the dearest that they
        can have: only a batch writes them into the cache for an hour. `said` bounds those of what
        is said to this one alone, which is never cached. A token is at least one byte of UTF-8, so
        bytes bound either.
        """
        rates = self.rates(fixed + said, lane)
        dearest = max(rates.input, rates.cache_write_5m)
        if lane is Lane.BATCH:
            dearest = max(dearest, rates.cache_write_1h)
        return (fixed * dearest + said * rates.input + max_tokens * rates.output) / MILLION


def written_rate(price: Price | None, lane: Lane) -> Decimal | None:
    """Dollars for a million tokens that a model writes; None without a price."""
    if price is None:
        return None
    return price.base.output * BATCH_FACTOR if lane is Lane.BATCH else price.base.output
