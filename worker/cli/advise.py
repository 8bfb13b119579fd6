"""`rung advise`: does the pipeline pay?"""

from collections.abc import Sequence
from dataclasses import asdict

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import SIMULATED, console, print_json, talk
from worker.config.loading import load_settings
from worker.domain.advice import Advice
from worker.domain.advice import advise as advice_on
from worker.domain.wording import plural
from worker.errors import UsageError
from worker.store.reading.facts import facts_of
from worker.store.runs import find_run, recent_answering

LAST = 20


@click.command()
@click.argument("runs", nargs=-1, shell_complete=RUN, metavar="[RUN…]")
@JSON
def advise(runs: tuple[str, ...], as_json: bool) -> None:
    """Say honestly whether the pipeline pays, from recorded runs (the last 20 if none is named).

    Too little volume, uniformly hard messages, a rung that resolves too little to be worth its
    hop, people who wait: each with the figures that it rests on. Of more than 20,000 messages a
    sample of about so many is looked at, and shares have an interval; money is of all of them.
    """
    settings = load_settings()
    with database(settings) as engine, engine.connect() as connection:
        names = runs or recent_answering(connection, LAST)
        found = [find_run(connection, name) for name in names]
        if not found:
            raise UsageError("There is no run yet to learn from.", mend="rung enqueue FILE --watch")
        facts = facts_of(connection, found, settings)
    advice = advice_on(facts)
    if as_json:
        document = {
            "messages": facts.messages,
            "looked_at": facts.seen,
            "open": facts.open,
            "runs": [run.name for run in found],
        }
        document |= {"simulated": facts.simulated, "advice": [asdict(one) for one in advice]}
        print_json(document)
        return
    _print(advice, f"From {facts.evidence}, in {plural(len(found), 'run')}:")
    if facts.simulated:
        talk(f"{SIMULATED}. This says nothing about real models.", fg="yellow")


def _print(advice: Sequence[Advice], head: str) -> None:
    """What speaks for the pipeline, and what against, each with its figures below it."""
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.print(head)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=6, no_wrap=True)
    table.add_column(overflow="fold")
    for one in advice:
        mark, style = ("  pays", "green") if one.pays else ("  but", "yellow")
        table.add_row(Text(mark, style=style), one.sentence)
        table.add_row("", Text(one.figures, style="dim"))
    out.print(table)
