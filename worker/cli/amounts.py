"""Sums of money on the command line."""

from decimal import Decimal, InvalidOperation
from typing import Any

import click

MOST = Decimal(10) ** 9
"""More than anybody means, and within what the record can hold."""


class Dollars(click.ParamType[Decimal]):
    """A sum from 0 to a thousand million, with or without the sign. `nan` and `inf` are none."""

    name = "dollars"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """Fails with a sentence that names what was given."""
        try:
            amount = Decimal(str(value).strip().removeprefix("$"))
        except InvalidOperation:
            amount = Decimal("nan")
        if not amount.is_finite():
            self.fail(f"{value!r} is not an amount of dollars, like 20 or 0.50.", param, ctx)
        if not 0 <= amount <= MOST:
            self.fail(f"{value} dollars: it must be from 0 to {MOST:,}.", param, ctx)
        return amount


DOLLARS = Dollars()
