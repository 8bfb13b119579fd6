"""Names that the shell can complete: runs from Postgres, tiers and policies from the settings.

A completion that cannot be had is no completion, and never an error.
"""

import click
from click.shell_completion import CompletionItem


def _runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from worker.cli.speech.context import database
    from worker.store.runs import recent_names

    try:
        with database() as engine, engine.connect() as connection:
            names = recent_names(connection)
    except Exception:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _policies(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from worker.config.loading import load_settings
    from worker.config.policies import policy_names

    try:
        names = policy_names(load_settings())
    except Exception:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _schedules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from worker.config.loading import load_settings

    try:
        names = list(load_settings().schedule)
    except Exception:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


RUN = _runs
POLICY = _policies
SCHEDULE = _schedules
