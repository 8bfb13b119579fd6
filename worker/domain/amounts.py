"""Sums of money as people write them."""

from decimal import Decimal, InvalidOperation

MOST = Decimal(10) ** 9
"""More than anybody means, and within what the record can hold."""


def read_amount(given: str) -> Decimal:
    """A sum from 0 to a thousand million, with or without the sign; `nan` and `inf` are none.
    Raises ValueError with a sentence that names what was given."""
    try:
        amount = Decimal(given.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise ValueError(f"{given!r} is not an amount of dollars, like 20 or 0.50.")
    if not 0 <= amount <= MOST:
        raise ValueError(f"{given} dollars: it must be from 0 to {MOST:,}.")
    return amount
