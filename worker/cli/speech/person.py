"""Who is at the terminal, and what they agree to."""

import getpass
import sys

import click

from worker.errors import UsageError
from worker.store.audit import Actor


def actor() -> Actor:
    """The person at this terminal."""
    try:
        return Actor(getpass.getuser())
    except (KeyError, OSError):
        return Actor("unknown")


def confirm(question: str, yes: bool) -> None:
    """Asks, unless `yes`. Raises UsageError when nobody is there to ask, Abort on a no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("This changes many jobs, and nobody is here to ask.", mend="add --yes")
    click.confirm(question, abort=True, err=True)
