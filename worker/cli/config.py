"""`rung config`: check or show the configuration."""

import os
from pathlib import Path

import click

from worker.claude.prompts import prompts_of
from worker.cli.config_trial import try_message
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import echo, print_json, talk
from worker.cli.views.configuration import as_words, understood
from worker.config.address_spelling import shown
from worker.config.loading import config_path, load_settings
from worker.config.outside import known_like, missing_folders, unasked_prices
from worker.config.policies import check_policies, policy_named
from worker.config.prices import unpriced_models
from worker.config.settings import Settings
from worker.domain.policy_documents import to_document
from worker.errors import ConfigurationError, RungError
from worker.lookups.queries import query_complaint
from worker.store.passages import stored_folders

ADDRESSES = frozenset({"database_url", "redis_url", "anthropic_base_url", "url"})


@click.group()
def config() -> None:
    """Check or show the configuration."""


config.add_command(try_message)


@config.command(short_help="Say what is wrong with rung.toml, and what it means.")
@JSON
def check(as_json: bool) -> None:
    """Say what is wrong: unknown settings, broken policies, folders, files and functions that are
    not there, models without a price; and what was understood.
    """
    settings = load_settings()
    path = config_path(os.environ, Path.cwd())
    notes = list[str]()
    if problems := check_policies(settings) or _not_there(settings, notes):
        raise ConfigurationError(problems, mend=f"edit {path or 'rung.toml'}")
    for name in settings.policies:
        prompts_of(settings, policy_named(settings, name))
    found = understood(settings, prompts_of(settings, policy_named(settings)))
    if as_json:
        print_json(found)
    else:
        for line in as_words(found):
            echo(line)
    for model in unpriced_models(settings):
        talk(
            f"Warning: {model} has no price; its calls are recorded as unpriced, and budgets"
            f' cannot hold for it. Add [prices."{model}"] to'
            f" rung.toml{known_like(settings, model)}",
            fg="yellow",
        )
    for words in (*unasked_prices(settings), *notes):
        talk(f"Note: {words}", fg="yellow")
    for name in _old_hashes(settings):
        talk(f"Note: the password of {name} has an older kind of hash: rung dashboard hash")
    if settings.prompts.dir is None and settings.anthropic_api_key is not None:
        talk("Warning: the prompts are those of the example company. Set prompts.dir.", fg="yellow")
    talk(f"The configuration is in order ({path or 'defaults and environment; no rung.toml'}).")


@config.command(short_help="The settings in force, as JSON, with secrets masked.")
def show() -> None:
    """The settings in force, as JSON, with secrets masked; and the default policy."""
    settings = load_settings()
    document = settings.model_dump(mode="json")
    for part in (document, *document["lookups"].values()):
        for name in ADDRESSES & part.keys():
            part[name] = part[name] and shown(part[name])
    print_json({"settings": document, "policy": to_document(policy_named(settings))})


def _not_there(settings: Settings, notes: list[str]) -> list[str]:
    """Folders of pages and queries that could not be used. A host without the pages may do without
    them where Postgres has them: that is a note."""
    missing = missing_folders(settings)
    try:
        synced = _synced(settings) if missing else {}
        notes += [
            f"the pages of {name} do not lie on this host; Postgres has version {synced[name]}"
            for name in missing
            if name in synced
        ]
    except RungError:
        synced = {}
    found = [words for name, words in missing.items() if name not in synced]
    asked = (
        query_complaint(name, one)
        for name, one in settings.lookups.items()
        if one.sqlite_file is not None
    )
    return [*found, *(words for words in asked if words is not None)]


def _synced(settings: Settings) -> dict[str, str]:
    with database(settings) as engine, engine.connect() as connection:
        return {name: one.version for name, one in stored_folders(connection).items()}


def _old_hashes(settings: Settings) -> list[str]:
    """People whose password's hash should be made anew."""
    from worker.dashboard.access.passwords import is_old

    users = settings.dashboard.users.items()
    return [name for name, user in users if is_old(user.password.get_secret_value())]
