"""`rung show JOB`: the receipt."""

from decimal import Decimal
from typing import Any

import click

from worker.cli.speech.context import database
from worker.cli.speech.output import print_json
from worker.cli.views.receipt import print_receipt, why_it_stopped
from worker.domain.bill import lane_effect
from worker.store.reading.receipts import find_job, hide_text, receipt

MASK = "(hidden; --text shows it)"


@click.command()
@click.argument("job")
@click.option("--text", "with_text", is_flag=True, help="Show the message and what was answered.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def show(job: str, with_text: bool, as_json: bool) -> None:
    """The receipt of a job: why this answer, from whom, at what cost.

    JOB is a number, RUN/EXTERNAL_ID, or an external id that only one run has.
    """
    show_receipt(job, with_text=with_text, as_json=as_json)


def show_receipt(job: str, *, with_text: bool, as_json: bool) -> None:
    """Prints the receipt of a job, as its name is given to `rung show`."""
    with database() as engine, engine.connect() as connection:
        found = receipt(connection, find_job(connection, job))
    found |= lanes_of(found)
    if not with_text:
        hide_text(found, MASK)
    found["ended"] = why_it_stopped(found)
    if as_json:
        print_json(found)
    else:
        print_receipt(found, with_text)


def lanes_of(found: dict[str, Any]) -> dict[str, Decimal]:
    """What batches saved on this job, and what leaving them for the deadline cost."""
    calls = [call for attempt in found["attempts"] for call in attempt["calls"]]
    done = [(call["lane"], call["cost"] or Decimal(0)) for call in calls if call["state"] == "done"]
    saved, hurried = lane_effect(done, found["run_lane"])
    return {"batch_saved_usd": saved, "hurry_cost_usd": hurried}
