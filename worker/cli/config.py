"""`rung config`: check or show the configuration."""

import os
from pathlib import Path

import click

from worker.claude.prompts import prompts_of
from worker.cli.config_trial import try_message
from worker.cli.speech.output import echo, print_json, talk
from worker.cli.views.configuration import as_words, understood
from worker.config.loading import config_path, load_settings
from worker.config.policies import check_policies, policy_named
from worker.config.prices import unpriced_models
from worker.config.settings import Settings
from worker.domain.policy_documents import to_document
from worker.errors import ConfigurationError


@click.group()
def config() -> None:
    """Check or show the configuration."""


config.add_command(try_message)


@config.command()
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def check(as_json: bool) -> None:
    """Say what is wrong: unknown settings, broken policies, models without a price; and what was
    understood.
    """
    settings = load_settings()
    path = config_path(os.environ, Path.cwd())
    if problems := check_policies(settings):
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
            f' cannot hold for it. Add [prices."{model}"] to rung.toml.',
            fg="yellow",
        )
    for name in _old_hashes(settings):
        talk(f"Note: the password of {name} has an older kind of hash: rung dashboard hash")
    if settings.prompts.dir is None and settings.anthropic_api_key is not None:
        talk("Warning: the prompts are those of the example company. Set prompts.dir.", fg="yellow")
    talk(f"The configuration is in order ({path or 'defaults and environment; no rung.toml'}).")


@config.command()
def show() -> None:
    """The settings in force, as JSON, with secrets masked; and the default policy."""
    settings = load_settings()
    document = settings.model_dump(mode="json")
    for name in ("database_url", "redis_url"):
        if document[name]:
            document[name] = _masked(document[name])
    print_json({"settings": document, "policy": to_document(policy_named(settings))})


def _old_hashes(settings: Settings) -> list[str]:
    """People whose password's hash should be made anew."""
    from worker.dashboard.access.passwords import is_old

    users = settings.dashboard.users.items()
    return [name for name, user in users if is_old(user.password.get_secret_value())]


def _masked(url: str) -> str:
    """The URL without its password."""
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)
