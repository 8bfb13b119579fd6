"""`rung review`: what waits for a person."""

import click

from worker.cli.attention import list_jobs
from worker.cli.completion import RUN


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@click.option("--limit", default=50, show_default=True, help="How many jobs, at the most.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def review(run: str | None, limit: int, as_json: bool) -> None:
    """Jobs whose best answer was not good enough: a person must look.

    Read one with: rung show JOB --text.
    """
    list_jobs("review", run, limit, as_json, "Nothing waits for review.")
