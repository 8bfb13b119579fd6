"""`rung show JOB`: the receipt."""

import click

from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import print_json
from worker.cli.views.receipt import print_receipt, why_it_stopped
from worker.store.reading.receipts import find_job, receipt

MASK = "(hidden; --text shows it)"


@click.command()
@click.argument("job")
@click.option("--text", "with_text", is_flag=True, help="Show the message and what was answered.")
@click.option("--full", is_flag=True, help="With versions, prices and all that was said.")
@JSON
def show(job: str, with_text: bool, full: bool, as_json: bool) -> None:
    """The receipt of a job: why this answer, from whom, at what cost.

    JOB is a number, RUN/EXTERNAL_ID, or an external id that only one run has. Where a number is
    another job's external id too, it takes RUN/EXTERNAL_ID.
    """
    show_receipt(job, with_text=with_text, full=full, as_json=as_json)


def show_receipt(job: str, *, with_text: bool, as_json: bool, full: bool = False) -> None:
    """Prints the receipt of a job, as its name is given to `rung show`."""
    with database() as engine, engine.connect() as connection:
        found = receipt(connection, find_job(connection, job))
    if not with_text:
        found = found.hidden(MASK)
    if not as_json:
        print_receipt(found, with_text, full=full)
        return
    saved, hurried = found.lanes
    more = {"batch_saved_usd": saved, "hurry_cost_usd": hurried, "ended": why_it_stopped(found)}
    print_json(found.as_document() | more)
