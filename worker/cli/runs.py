"""`rung runs`: all runs, newest first."""

import click

from worker.cli.speech.context import database
from worker.cli.speech.output import console, print_json
from worker.domain.wording import ago, dollars
from worker.store.reading.status import run_status
from worker.store.reading.status import runs as read_runs


@click.command()
@click.option("--limit", default=50, show_default=True, help="How many, at the most.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def runs(limit: int, as_json: bool) -> None:
    """All runs, newest first."""
    with database() as engine, engine.connect() as connection:
        found = [run_status(connection, row) for row in read_runs(connection, limit=limit)]
    if as_json:
        print_json(found)
        return
    from rich.table import Table

    table = Table("run", "state", "policy", "done", "review", "dead", "spent", "created", box=None)
    for run in found:
        table.add_row(
            run["run"],
            run["state"] + (f" ({run['waiting_for']})" if run["waiting_for"] else ""),
            run["policy"],
            f"{run['ended']}/{run['total']}",
            str(run["by_state"].get("review", 0)),
            str(run["by_state"].get("dead", 0)),
            dollars(run["spent_usd"]) + (" simulated" if run["simulated"] else ""),
            ago(run["created_at"]),
        )
    console().print(table)
