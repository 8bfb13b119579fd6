"""`rung dead`: dead letters."""

import click

from worker.cli.attention import list_jobs
from worker.cli.speech.amounts import ROWS
from worker.cli.speech.completion import RUN
from worker.cli.speech.options import JSON


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@click.option(
    "--limit", type=ROWS, default=50, show_default=True, help="How many jobs, at the most."
)
@JSON
def dead(run: str | None, limit: int, as_json: bool) -> None:
    """Dead letters: jobs that cannot succeed until somebody changes something.

    When the cause is fixed: rung retry RUN.
    """
    list_jobs("dead", run, limit, as_json=as_json, nothing="There are no dead letters.")
