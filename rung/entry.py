"""The ways in: the command `rung`, `python -m rung`, and `celery rung`.

Nothing here imports `worker` before it is asked for and known to be ours: `celery` lists our
command in projects that have a `worker` of their own, and must go on finding theirs.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from rung.installation import require_own


def run(arguments: Sequence[str] | None = None, name: str = "rung") -> None:
    """Runs a command of Rung's, and ends the process with its exit code."""
    require_own()
    import_module("worker.cli.main").run(arguments, name)


def forget_working_directory() -> None:
    """Takes the working directory from the front of the search path, where `python -m` put it."""
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", str(Path.cwd())):
        del sys.path[0]


@click.command(
    "rung",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    short_help="Answer a backlog of support messages: every command of rung.",
)
@click.pass_context
def plugin(ctx: click.Context) -> None:
    """What `celery rung` runs."""
    run(ctx.args, "celery rung")
