"""Data on stdout, talk on stderr. What comes from data is never obeyed by a terminal: no control
character reaches one, and no markup is read in what a customer, a file or Claude wrote."""

import datetime as dt
import json
import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, cast

import click

from worker.cli.speech.invocation import as_typed_here
from worker.domain.text import terminal_safe

if TYPE_CHECKING:
    from rich.console import Console

SIMULATED = "SIMULATED: answers, confidence and costs are made up by Rung's own simulator"

PIPED_WIDTH = 200


def print_json(document: Any) -> None:
    """One JSON document on stdout. Dollars are numbers with six decimals. A terminal gets nothing
    but ASCII; a program gets UTF-8."""
    plain = sys.stdout.isatty()
    click.echo(json.dumps(document, default=encode, ensure_ascii=plain, indent=2))


def encode(value: object) -> Any:
    """The JSON form of what JSON does not know. Raises TypeError."""
    if isinstance(value, Decimal):
        return round(float(value), 6)
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def talk(words: str, **style: Any) -> None:
    """A sentence for the person, on stderr."""
    click.secho(as_typed_here(terminal_safe(words)), err=True, **style)


def echo(words: str) -> None:
    """A line for the person, on stdout."""
    click.echo(as_typed_here(terminal_safe(words)))


def stdout() -> IO[str]:
    """Where a file goes that has no name: as it is into a pipe, and harmless onto a terminal."""
    return cast(IO[str], Harmless(sys.stdout)) if sys.stdout.isatty() else sys.stdout


class Harmless:
    """A terminal that is told no control characters."""

    def __init__(self, terminal: IO[str]) -> None:
        self._terminal = terminal

    def write(self, words: str) -> int:
        """Writes them, made visible."""
        return self._terminal.write(terminal_safe(words.replace("\r\n", "\n")))

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes them all."""
        for line in lines:
            self.write(line)

    def isatty(self) -> bool:
        """It is one."""
        return True


def console(*, stderr: bool = False) -> "Console":
    """A rich console; colours only on a terminal, and not under NO_COLOR. What is piped is wide:
    rich would cut it off at 80 columns."""
    from worker.cli.speech.harmless import HarmlessConsole

    piped = not sys.stdout.isatty()
    width = PIPED_WIDTH if piped else None
    return HarmlessConsole(
        stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=piped, width=width
    )
