"""`rung cancel, retry, priority, budget`: what is done to a run, or to the jobs that a filter
chooses, each with a preview and an audit event."""

import click

from worker.cli.speech.amounts import DOLLARS_OR_NONE
from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import DRY_RUN, JSON, WHERE, YES
from worker.cli.speech.orders import carry_out
from worker.config.loading import load_settings
from worker.runs.orders import Order, choose

NAMED = click.argument("run", required=False, shell_complete=RUN)


@click.command()
@NAMED
@WHERE
@DRY_RUN
@YES
@JSON
def cancel(run: str | None, where: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """End the open jobs of a run, or those that a filter chooses. Answers in flight are paid for,
    recorded and not used."""
    _change("cancel", run, where, dry_run=dry_run, as_json=as_json, yes=yes)


@click.command()
@NAMED
@WHERE
@DRY_RUN
@YES
@JSON
def retry(run: str | None, where: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Give dead jobs another try, of a run or those that a filter chooses, where they stood.

    Jobs in review have their result, and a result never changes: answer those anew with
    `rung reprocess`.
    """
    _change("retry", run, where, dry_run=dry_run, as_json=as_json, yes=yes)


@click.command()
@NAMED
@click.option(
    "--to", type=click.IntRange(-100, 100), required=True, help="Higher goes first; 0 is usual."
)
@WHERE
@DRY_RUN
@JSON
def priority(run: str | None, to: int, where: str | None, dry_run: bool, as_json: bool) -> None:
    """Serve a run before others; with --where, the jobs that a filter chooses before the others
    of their run."""
    _change("priority", run, where, to=str(to), dry_run=dry_run, as_json=as_json)


@click.command()
@NAMED
@click.option(
    "--to",
    type=DOLLARS_OR_NONE,
    required=True,
    metavar="DOLLARS|none",
    help="Dollars in all; none is no limit.",
)
@WHERE
@DRY_RUN
@JSON
def budget(run: str | None, to: str, where: str | None, dry_run: bool, as_json: bool) -> None:
    """Change what a run may cost in all; with --where, every run under way with open jobs that the
    filter chooses. A run that waited for its budget goes on."""
    _change("budget", run, where, to=to, dry_run=dry_run, as_json=as_json)


def _change(
    action: str,
    run: str | None,
    where: str | None,
    *,
    to: str | None = None,
    dry_run: bool,
    as_json: bool,
    yes: bool = True,
) -> None:
    settings = load_settings()
    with database(settings) as engine:
        with engine.connect() as connection:
            chosen = choose(connection, action, run, where)
        order = Order(action=action, chosen=chosen, to=to)
        carry_out(engine, settings, order, dry_run=dry_run, as_json=as_json, yes=yes)
