"""`rung deliver`: answers on their way to webhooks."""

import click
from sqlalchemy import Engine

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, print_json, talk
from worker.cli.speech.person import actor
from worker.domain.text import terminal_safe
from worker.domain.wording import count, did_you_mean, fault, plural, span
from worker.errors import Missing, RungError, UsageError
from worker.store.actions import redeliveries
from worker.store.queue import deliveries
from worker.store.queue.deliveries import TargetStanding
from worker.store.rows import as_document
from worker.store.runs import find_run


@click.group()
def deliver() -> None:
    """Answers on their way to webhooks: what waits, what failed; pause, resume, send again."""


@deliver.command(short_help="What waits for each webhook, since when, and what failed.")
@JSON
def status(as_json: bool) -> None:
    """Each webhook: how many answers wait for it, since when, and how many were given up."""
    with database() as engine, engine.connect() as connection:
        rows = deliveries.standing(connection)
    if as_json:
        print_json([as_document(row, "now") for row in rows])
        return
    if not rows:
        talk("No webhook is configured: see [deliver.NAME] in docs/configuration.md.")
        return
    _show(rows)


@deliver.command()
@click.argument("name")
@click.option("--reason", default="paused by hand", help="Why, for the others.")
def pause(name: str, reason: str) -> None:
    """Post nothing there any more; what becomes ready waits."""
    with database() as engine:
        if not deliveries.pause(engine, actor(), name, reason):
            raise _not_so(engine, name, "Deliveries to {} are paused already.")
    talk(f"Deliveries to {name} are paused. Go on with: rung deliver resume {name}")


@deliver.command()
@click.argument("name")
def resume(name: str) -> None:
    """Go on, at once."""
    with database() as engine:
        if not deliveries.resume(engine, actor(), name):
            raise _not_so(engine, name, "Deliveries to {} are not paused: they go on already.")
    talk(f"Deliveries to {name} go on.")


@deliver.command(short_help="Deliver again what had arrived or was given up.")
@click.argument("name")
@click.option("--run", "run_name", shell_complete=RUN, help="Only answers of this run.")
@click.option("--dead", is_flag=True, help="Only what was given up.")
def replay(name: str, run_name: str | None, dead: bool) -> None:
    """Deliver again what had arrived or was given up; receivers know a repeat by its id.

    With --run also what of the run was ready before the webhook was configured."""
    with database() as engine:
        with engine.connect() as connection:
            run_id = find_run(connection, run_name).id if run_name is not None else None
            if name not in [row.name for row in deliveries.standing(connection)]:
                raise UsageError(f"{name!r} is no webhook.", mend="rung deliver status")
        again = redeliveries.replay(engine, actor(), name, run_id=run_id, dead=dead)
    if again:
        talk(f"{plural(again, 'answer')} will be delivered to {name}.")
    else:
        talk(f"Nothing of that may go to {name}, or it is on its way: rung deliver status")


def _not_so(engine: Engine, name: str, otherwise: str) -> RungError:
    """Why nothing was changed: there is no such webhook, or it is so already."""
    with engine.connect() as connection:
        names = [row.name for row in deliveries.standing(connection)]
    if name in names:
        return RungError(otherwise.format(name))
    near = did_you_mean(name, names)
    return Missing(f"{name!r} is no webhook{near}", mend="rung deliver status")


def _show(rows: list[TargetStanding]) -> None:
    from rich.text import Text

    from worker.cli.speech.tables import FittingTable

    table = FittingTable(box=None)
    for head in ("webhook", "waiting", "oldest", "given up", "last trouble", "state"):
        table.add_column(head)
    for row in rows:
        oldest = span(row.oldest_s) if row.oldest_s is not None else "–"
        waiting, dead = count(row.waiting), count(row.dead)
        cells = (row.name, waiting, oldest, dead, fault(row.error or ""), _state(row))
        table.add_row(
            *(Text(terminal_safe(str(cell if cell is not None else ""))) for cell in cells)
        )
    console().print(table)


def _state(row: TargetStanding) -> str:
    if row.paused_at is not None:
        return row.pause
    if not row.enabled:
        return "not configured any more"
    return "simulated answers too" if row.simulated else "in order"
