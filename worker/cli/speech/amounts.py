"""Sums of money and other numbers on the command line."""

import math
from decimal import Decimal
from typing import Any

import click

from worker.domain.amounts import read_amount


class Dollars(click.ParamType[Decimal]):
    """A sum as `read_amount` reads it."""

    name = "dollars"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """Fails with a sentence that names what was given."""
        try:
            return read_amount(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class DollarsOrNone(click.ParamType[str]):
    """A sum, as a page's field sends it; empty for `none`."""

    name = "dollars or none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Fails with a sentence that names what was given."""
        return "" if value == NO_LIMIT else str(DOLLARS.convert(value, param, ctx))


DOLLARS = Dollars()
DOLLARS_OR_NONE = DollarsOrNone()
NO_LIMIT = "none"
ROWS = click.IntRange(1, 1_000_000)
"""How many rows a listing shows at the most."""


class Finite(click.FloatRange):
    """A number within bounds; NaN, which is in no order with any bound, is none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Fails with a sentence that names what was given."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number.", param, ctx)
        return number
