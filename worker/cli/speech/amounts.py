"""Sums of money on the command line."""

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


DOLLARS = Dollars()
