"""Rates, for tests of money."""

from decimal import Decimal

from worker.domain.pricing import Rates


def rates_of(*dollars: int | str) -> Rates:
    """Per million tokens: input, output, read from the cache, written to it for 5 minutes and for
    an hour."""
    names = Rates.__slots__
    return Rates(**dict(zip(names, (Decimal(one) for one in dollars), strict=True)))
