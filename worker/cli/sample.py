"""`rung sample RUN`: answers chosen by chance, beside their messages."""

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import print_json, talk
from worker.cli.views.side_by_side import document_of, print_shown
from worker.store.reading.side_by_side import MOST, sample_run, texts_of
from worker.store.runs import find_run


@click.command()
@click.argument("run", shell_complete=RUN)
@click.option(
    "-n", "size", type=click.IntRange(1, MOST), default=20, show_default=True, help="How many."
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Another number chooses others.",
)
@JSON
def sample(run: str, size: int, seed: int, as_json: bool) -> None:
    """Read some answers of a run: message left, answer right, tier, confidence and why.

    They are chosen by chance among all that were answered or wait for a person.
    """
    with database() as engine, engine.connect() as connection:
        found = find_run(connection, run)
        shown = sample_run(connection, found.id, size, seed)
        texts = texts_of(connection, shown)
    if as_json:
        print_json(document_of(shown, texts))
    elif shown.rows:
        print_shown(shown, texts, "the answer")
    else:
        talk(f"Nothing of {found.name} has been answered yet.")
