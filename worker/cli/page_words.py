"""`rung knowledge words`: what customers call what a page is about, and the page does not."""

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import echo, print_json, talk
from worker.domain.wording import plural
from worker.store.reading.page_words import answered_messages, words_to_add
from worker.store.runs import find_run


@click.command("words", short_help="Words that customers use and pages do not.")
@click.argument("runs", nargs=-1, required=True, shell_complete=RUN)
@JSON
def page_words(runs: tuple[str, ...], as_json: bool) -> None:
    """Words that customers use and the page that answers them does not, for its `also`.

    Learned from the accepted answers of RUNS that name their sources, 5,000 at most. A word is in
    three messages at least, and in those of its page more often than in others.
    """
    with database() as engine, engine.connect() as connection:
        answered = answered_messages(connection, [find_run(connection, run).id for run in runs])
        found = words_to_add(connection, answered)
    counts = {page: sum(page in one.pages for one in answered) for page in found}
    pages = sorted(found, key=lambda page: (-counts[page], page))
    if as_json:
        print_json(
            [
                {
                    "folder": page.folder,
                    "page": page.name,
                    "answers": counts[page],
                    "words": {one.word: one.messages for one in found[page]},
                }
                for page in pages
            ]
        )
        return
    if not answered:
        talk("No accepted answer names a page that was synced and is still there.")
    elif not found:
        talk("None: the pages use their customers' words.")
    for page in pages:
        echo(f"{page.name}  ({page.folder}, {plural(counts[page], 'answer')})")
        echo(f"  also: {', '.join(one.word for one in found[page])}")
    if pages:
        talk("Leave out what does not fit, and write the rest into the pages; then sync them.")
