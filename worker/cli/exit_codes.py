"""What a command came to: an exit code, and what went wrong as a sentence."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from worker.errors import RungError

EXIT_INTERRUPTED = 130
GIVEN = "rung.given"
"""Of a context's `meta`: the arguments of the command as they were given, for it to be repeated."""


class NobodyReads(Exception):
    """The pipe that was written to is closed. To click, a BrokenPipeError would be a failure."""


def guarded(command: Callable[[], Any]) -> int:
    """Runs a command; returns its exit code, also where nothing can be said any more. Only a bug of
    Rung's own shows more than sentences, and its traceback only with RUNG_TRACEBACK set."""
    from worker.cli.speech import streams

    try:
        code = _outcome(command)
    except OSError:
        if os.environ.get("RUNG_TRACEBACK"):
            raise
        code = 1  # Not even the sentence could be said.
    streams.let_go()
    return code


def _outcome(command: Callable[[], Any]) -> int:
    try:
        code = command()
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except RungError as error:
        say_error(error)
        return error.exit_code
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nInterrupted.", err=True)
        return EXIT_INTERRUPTED
    except (BrokenPipeError, NobodyReads):
        return 0
    except Exception as error:
        return _error(error)


def _show(error: click.ClickException) -> None:
    """What click says of what was typed, which may be a file's name that a glob put there."""
    from worker.domain.text import terminal_safe

    said = io.StringIO()
    error.show(said)
    for line in said.getvalue().splitlines():
        click.echo(terminal_safe(line), err=True)
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        for word in error.ctx.meta.get(GIVEN, ()):
            if word.startswith("-") and Path(word).exists():
                click.echo(terminal_safe(f"If the file is meant, it is ./{word}"), err=True)


def say_error(error: RungError) -> None:
    """What happened, and what mends it."""
    from worker.cli.speech.invocation import as_typed_here
    from worker.domain.text import terminal_safe

    for line in str(error).splitlines():
        click.secho(f"rung: {terminal_safe(line)}", fg="red", err=True)
    if error.mend:
        click.echo(f"Fix: {as_typed_here(terminal_safe(error.mend))}", err=True)


def _error(error: Exception) -> int:
    """What the database or the machine is to blame for has its sentence; anything else is a bug."""
    from sqlalchemy.exc import DBAPIError

    from worker.cli.speech import streams
    from worker.cli.speech.context import acting_here
    from worker.store.complaints import complaint_of

    if os.environ.get("RUNG_TRACEBACK"):
        raise error
    if isinstance(error, DBAPIError):
        complaint = complaint_of(error, acting=acting_here)
    else:
        complaint = streams.complaint_of(error, sys.argv[1:])
    if complaint is not None:
        say_error(complaint)
        return complaint.exit_code
    click.secho(f"rung: a bug of Rung's own ({type(error).__name__}).", fg="red", err=True)
    click.echo("Run it again with RUNG_TRACEBACK=1 to see where, and please report it.", err=True)
    return 1
