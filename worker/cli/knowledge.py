"""`rung knowledge`: pages into Postgres, and what is found in them."""

from pathlib import Path
from typing import Any

import click

from worker.cli.speech.completion import POLICY
from worker.cli.speech.context import database
from worker.cli.speech.output import console, echo, print_json, talk
from worker.config.knowledge import folder_of, folders_named, place_of
from worker.config.loading import load_settings
from worker.domain.wording import plural
from worker.errors import UsageError
from worker.intake.pages import PageFolder, read_folder
from worker.store.knowledge import Synced, sync_folder
from worker.store.passages import FoundPassage, Query, find_passages, stored_folders

SHOWN_CHARS = 300


@click.group()
def knowledge() -> None:
    """Pages that answers stand on: synced into Postgres, searched for each message."""


@knowledge.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--dry-run", is_flag=True, help="Read the pages and say what is wrong; write nothing."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.pass_context
def sync(ctx: click.Context, folders: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Read folders of pages, and make what is stored of them what they are now.

    Markdown, HTML, text, CSV with columns question and answer, JSON or JSONL with url and text.
    Without FOLDERS, those that the policies of rung.toml name. A page that changed takes effect at
    the next claim. Exits 3 when a page was left out.
    """
    settings = load_settings()
    wanted = {folder_of(settings, path): path for path in folders}
    wanted = wanted or {name: place_of(name) for name in folders_named(settings)}
    if not wanted:
        raise UsageError(
            "No policy names a folder of knowledge.",
            mend='rung knowledge sync FOLDER, or knowledge = ["pages"] under [policies.NAME]',
        )
    read = {name: read_folder(path) for name, path in wanted.items()}
    for found in read.values():
        for sentence in (*found.problems, *found.notes):
            talk(sentence)
    synced = [] if dry_run else _written(read)
    if as_json:
        print_json({"folders": [_document(one) for one in synced], **_sentences(read)})
    elif dry_run:
        for name, found in read.items():
            passages = sum(len(page.passages()) for page in found.pages)
            echo(f"{name}: {plural(len(found.pages), 'page')}, {plural(passages, 'passage')}")
    for one in () if as_json else synced:
        echo(
            f"{one.folder}: {plural(one.pages, 'page')}, {plural(one.passages, 'passage')}"
            f" ({one.added} new, {one.changed} changed, {one.removed} gone), version {one.version}"
        )
    ctx.exit(3 if any(found.problems for found in read.values()) else 0)


@knowledge.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--policy", help="Only in its folders.", shell_complete=POLICY)
@click.option("--limit", type=click.IntRange(1, 50), default=5, help="Passages at most.")
@click.option("--language", help="Of the words: en, de; else English.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def search(
    words: tuple[str, ...], policy: str | None, limit: int, language: str | None, as_json: bool
) -> None:
    """Find the passages that a message in these words would be shown."""
    settings = load_settings()
    with database(settings) as engine, engine.connect() as connection:
        known = stored_folders(connection)
        names = folders_named(settings, policy) if policy else list(known)
        if missing := [name for name in names if name not in known]:
            raise UsageError(
                f"The pages of {missing[0]!r} have not been read yet.", mend="rung knowledge sync"
            )
        query = Query(0, " ".join(words), tuple(names), language)
        found = find_passages(connection, [query], limit)[0]
    if as_json:
        print_json([_passage(one) for one in found])
        return
    if not found:
        talk("Nothing was found. A search goes by words, and needs one that stands on a page.")
    for one in found:
        console().print(f"{one.name}  ({one.score:.1f}; {one.title}, version {one.version})")
        shown = " ".join(one.text.split())
        console().print(f"  {shown[:SHOWN_CHARS]}{'…' if len(shown) > SHOWN_CHARS else ''}")


def _written(read: dict[str, PageFolder]) -> list[Synced]:
    with database() as engine:
        return [sync_folder(engine, name, found.pages) for name, found in read.items()]


def _document(one: Synced) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Synced.__slots__}


def _sentences(read: dict[str, PageFolder]) -> dict[str, Any]:
    return {
        "left_out": [words for found in read.values() for words in found.problems],
        "notes": [words for found in read.values() for words in found.notes],
    }


def _passage(one: FoundPassage) -> dict[str, Any]:
    return {name: getattr(one, name) for name in FoundPassage.__slots__}
