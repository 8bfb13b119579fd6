"""`rung runs`: all runs, newest first."""

import click

from models.vocabulary import RunKind
from worker.cli.speech.amounts import ROWS
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, print_json, talk
from worker.domain.wording import ago, count, dollars
from worker.store.reading.standings import runs_page


@click.command()
@click.option("--limit", type=ROWS, default=50, show_default=True, help="How many, at the most.")
@click.option(
    "--all", "inquiries", is_flag=True, help="Also runs that only check others, and answer nobody."
)
@JSON
def runs(limit: int, inquiries: bool, as_json: bool) -> None:
    """All runs, newest first."""
    with database() as engine, engine.connect() as connection:
        found = runs_page(connection, None, limit, inquiries=inquiries)
    if as_json:
        print_json([run.as_document() for run in found])
        return
    if not found:
        talk("Nothing has been submitted yet. Submit a backlog with: rung enqueue FILE")
        return
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(
        "run",
        "state",
        "policy",
        "prompt",
        "done",
        "for a person",
        "dead",
        "spent",
        "created",
        box=None,
    )
    for run in found:
        table.add_row(
            run.name,
            run.state_word,
            run.policy + (f", {run.kind}" if run.kind != RunKind.BACKLOG else ""),
            (run.prompts or {}).get("answer", "")[:7],
            f"{run.ended:,} of {run.total:,}",
            f"{run.for_people:,}",
            count(run.jobs("dead")),
            dollars(run.spent) + (" simulated" if run.simulated else ""),
            ago(run.created_at),
        )
    console().print(table)
