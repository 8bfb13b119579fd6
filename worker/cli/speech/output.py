"""Data on stdout, talk on stderr."""

import datetime as dt
import json
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from worker.domain.text import terminal_safe

if TYPE_CHECKING:
    from rich.console import Console

SIMULATED = "SIMULATED: answers, confidence and costs are made up by Rung's own simulator"

PIPED_WIDTH = 200


def print_json(document: Any) -> None:
    """One JSON document on stdout. Dollars are numbers with six decimals."""
    click.echo(json.dumps(document, default=encode, ensure_ascii=False, indent=2))


def encode(value: object) -> Any:
    """The JSON form of what JSON does not know. Raises TypeError."""
    if isinstance(value, Decimal):
        return round(float(value), 6)
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def talk(words: str, **style: Any) -> None:
    """A sentence for the person, on stderr."""
    click.secho(terminal_safe(words), err=True, **style)


def console(*, stderr: bool = False) -> "Console":
    """A rich console; colours only on a terminal, and not under NO_COLOR. What is piped is wide:
    rich would cut it off at 80 columns. Brackets mean themselves: an id may be `[/b]`."""
    from rich.console import Console

    piped = not sys.stdout.isatty()
    width = PIPED_WIDTH if piped else None
    return Console(stderr=stderr, highlight=False, soft_wrap=piped, width=width, markup=False)
