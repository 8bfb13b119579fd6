"""`rung knowledge`: pages into Postgres, and what is found in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from worker.cli.page_costs import cost
from worker.cli.page_words import page_words
from worker.cli.speech.completion import POLICY, RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, echo, print_json, talk
from worker.config.knowledge import folder_of, folders_named, place_of
from worker.config.loading import load_settings
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.gaps import gaps_in
from worker.domain.messages import MessageText
from worker.domain.passages import score_word
from worker.domain.wording import plural
from worker.errors import UsageError
from worker.intake.pages import PageFolder, read_folder
from worker.lookups.embedding import embed_folders
from worker.lookups.trial import passages_for
from worker.store.knowledge import Synced, sync_folder
from worker.store.passages import FoundPassage, Query, find_passages, stored_folders
from worker.store.reading.sources import LOOKED_AT, not_covered
from worker.store.runs import find_run

SHOWN_CHARS = 300


@click.group()
def knowledge() -> None:
    """Pages that answers stand on: synced into Postgres, searched for each message."""


knowledge.add_command(page_words)
knowledge.add_command(cost)


@knowledge.command(short_help="Read folders of pages, and store what changed.")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--dry-run", is_flag=True, help="Read the pages and say what is wrong; write nothing."
)
@JSON
@click.pass_context
def sync(ctx: click.Context, folders: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Read folders of pages, and make what is stored of them what they are now.

    Markdown, HTML, text, CSV with columns question and answer, JSON or JSONL with url and text.
    Without FOLDERS, those that the policies of rung.toml name, as far as they lie on this host. A
    page that changed takes effect at the next claim. Exits 3 when a page or a folder was left out,
    or a folder holds none.
    """
    settings = load_settings()
    wanted = {folder_of(settings, path): path for path in folders}
    wanted = wanted or {name: place_of(name) for name in folders_named(settings)}
    if not wanted:
        raise UsageError(
            "No policy names a folder of knowledge.",
            mend='rung knowledge sync FOLDER, or knowledge = ["pages"] under [policies.NAME]',
        )
    # One company's folder that is not here keeps nobody else's; what was read of it stays.
    absent = [] if folders else [name for name, path in wanted.items() if not path.is_dir()]
    absent = absent if len(absent) < len(wanted) else []
    for name in absent:
        talk(f"{name}: there is no folder {wanted.pop(name)} on this host; left as it was.")
    read = {name: read_folder(path) for name, path in wanted.items()}
    _say_what_is_odd(read, wanted)
    synced, embedded = ([], []) if dry_run else _written(settings, read)
    if as_json:
        print_json({"folders": [_document(one) for one in synced], **_sentences(read)})
    elif dry_run:
        _say_read(read)
    else:
        _say_synced(synced)
    for words in embedded:
        talk(words)
    odd = any(found.problems or not found.pages for found in read.values())
    ctx.exit(3 if odd or absent else 0)


@knowledge.command(short_help="Find the passages that a message would be shown.")
@click.argument("words", nargs=-1, required=True)
@click.option("--policy", help="Only in its folders.", shell_complete=POLICY)
@click.option("--limit", type=click.IntRange(1, 50), default=5, help="Passages at most.")
@click.option("--language", help="Of the words: en, de; else English.")
@JSON
def search(
    words: tuple[str, ...], policy: str | None, limit: int, language: str | None, as_json: bool
) -> None:
    """Find the passages that a message in these words would be shown: by words, and with --policy
    by its retriever or embedder as well.
    """
    settings = load_settings()
    with database(settings) as engine, engine.connect() as connection:
        known = stored_folders(connection)
        names = folders_named(settings, policy) if policy else list(known)
        if missing := [name for name in names if name not in known]:
            raise UsageError(
                f"The pages of {missing[0]!r} have not been read yet.", mend="rung knowledge sync"
            )
        if not names:
            raise UsageError("No pages have been read yet.", mend="rung knowledge sync FOLDER")
        if policy:
            message = MessageText(body=" ".join(words), language=language)
            own = policy_named(settings, policy)
            found, notes = passages_for(settings, connection, own, message, limit)
        else:
            query = Query(key=0, text=" ".join(words), folders=tuple(names), language=language)
            found, notes = find_passages(connection, [query], limit)[0], []
    for note in notes:
        talk(note)
    if as_json:
        print_json([_passage(one) for one in found])
        return
    if not found:
        talk("Nothing was found. A search goes by words, and needs one that stands on a page.")
    for one in found:
        where = f"{one.title}, {one.folder}, version {one.version}"
        console().print(f"{one.name}  ({score_word(one.score)}; {where})")
        shown = " ".join(one.text.split())
        console().print(f"  {shown[:SHOWN_CHARS]}{'…' if len(shown) > SHOWN_CHARS else ''}")


@knowledge.command(short_help="What customers ask and no page says.")
@click.argument("run", required=False, shell_complete=RUN)
@JSON
def gaps(run: str | None, as_json: bool) -> None:
    """What customers ask and no page says: the newest that ended as not_covered, by their words."""
    with database() as engine, engine.connect() as connection:
        run_id = int(find_run(connection, run).id) if run else None
        asked = not_covered(connection, run_id)
    ids = {job: external_id for job, external_id, _ in asked}
    found = gaps_in((job, said) for job, _, said in asked)
    if as_json:
        print_json(
            [
                {
                    "about": gap.words,
                    "messages": gap.count,
                    "of_them": dict(gap.parts),
                    "jobs": list(gap.keys),
                }
                for gap in found
            ]
        )
        return
    if not found:
        talk(f"None of the newest {LOOKED_AT:,} that were left to a person lacks a page.")
    for gap in found:
        about = f"about {gap.words}" if gap.words else "about other things"
        if gap.parts:
            about += ", of them " + ", ".join(f"{word} {count}" for word, count in gap.parts)
        some = ", ".join(ids[key] for key in gap.keys[:3])
        echo(f"{gap.count:>5} {about}  ({some}{', …' if gap.count > 3 else ''})")


def _written(settings: Settings, read: dict[str, PageFolder]) -> tuple[list[Synced], list[str]]:
    """What was synced, and what embedders made of it, in sentences."""
    with database(settings) as engine:
        synced = [sync_folder(engine, name, found.pages) for name, found in read.items()]
        return synced, embed_folders(settings, engine, read)


def _say_what_is_odd(read: dict[str, PageFolder], places: Mapping[str, Path]) -> None:
    for name, found in read.items():
        for sentence in (*found.problems, *found.notes):
            talk(sentence)
        if not found.pages:
            talk(f"{name}: there is no page in {places[name]}, so nobody is shown any of it.")


def _say_read(read: dict[str, PageFolder]) -> None:
    for name, found in read.items():
        passages = sum(len(page.passages()) for page in found.pages)
        echo(f"{name}: {plural(len(found.pages), 'page')}, {plural(passages, 'passage')}")


def _say_synced(synced: list[Synced]) -> None:
    for one in synced:
        echo(
            f"{one.folder}: {plural(one.pages, 'page')}, {plural(one.passages, 'passage')}"
            f" ({one.added} new, {one.changed} changed, {one.removed} gone), version {one.version}"
        )


def _document(one: Synced) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Synced.__slots__}


def _sentences(read: dict[str, PageFolder]) -> dict[str, Any]:
    return {
        "left_out": [words for found in read.values() for words in found.problems],
        "notes": [words for found in read.values() for words in found.notes],
    }


def _passage(one: FoundPassage) -> dict[str, Any]:
    return {name: getattr(one, name) for name in FoundPassage.__slots__}
