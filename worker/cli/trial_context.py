"""What the model would be shown beside a message that is only tried: columns, the thread, what
look-ups bring just now, and the passages that are found."""

from contextlib import closing
from dataclasses import replace

from models.vocabulary import Lane
from worker.cli.speech.context import database
from worker.config.settings import Settings
from worker.domain.context import MessageContext, ShownPassage, of_row
from worker.domain.looked_up import LookupMessage
from worker.domain.messages import MessageText
from worker.domain.policy import Policy
from worker.errors import ConfigurationError, Unreachable
from worker.store.passages import (
    PASSAGES_SHOWN,
    FoundPassage,
    SyncedFolder,
    stored_folders,
)

MESSAGES = 1_000
"""In a run that decides whether pages are shown whole, where nobody says how many there are."""


def context_of(
    settings: Settings, policy: Policy, message: MessageText
) -> tuple[MessageContext, list[str]]:
    """The context, and what a person should know of it, in sentences."""
    found, said = of_row(policy.context, message), list[str]()
    if policy.context.lookups:
        found = _looked_up(settings, policy, message, found, said)
    if policy.knowledge:
        found = _with_passages(settings, policy, message, found, said)
    return found, said


def _looked_up(
    settings: Settings,
    policy: Policy,
    message: MessageText,
    found: MessageContext,
    said: list[str],
) -> MessageContext:
    from worker.lookups.desk import LookupDesk

    desk = LookupDesk(settings)
    try:
        (brought,) = desk.ask(policy.context.lookups, [LookupMessage(0, "tried", message)])
    finally:
        desk.stop()
    said += [
        f"look-up {one.name} {one.failed}; then: {desk.on_failure(one.name)}"
        for one in brought
        if one.failed is not None
    ]
    return replace(found, lookups=brought)


def _with_passages(
    settings: Settings,
    policy: Policy,
    message: MessageText,
    found: MessageContext,
    said: list[str],
) -> MessageContext:
    from worker.runs.estimate import way_of_pages

    try:
        folders, passages = _searched(settings, policy, message, said)
    except (Unreachable, ConfigurationError) as error:
        said.append(f"pages were not searched: {error}")
        return found
    said += [f"pages of {name!r} have not been read yet: rung knowledge sync"
             for name in policy.knowledge if name not in folders]  # fmt: skip
    sizes = {name: one.size for name, one in folders.items()}
    way = way_of_pages(settings, policy, sizes, Lane.REALTIME, MESSAGES)
    if way is not None:
        said.append(f"pages {way.words}")
        if way.whole:
            return found
    shown = tuple(ShownPassage(one.name, one.version, one.text) for one in passages)
    return replace(found, passages=shown)


def _searched(
    settings: Settings, policy: Policy, message: MessageText, said: list[str]
) -> tuple[dict[str, SyncedFolder], list[FoundPassage]]:
    from worker.lookups.trial import passages_for

    with database(settings) as engine, closing(engine.connect()) as connection:
        folders = stored_folders(connection)
        found, notes = passages_for(settings, connection, policy, message, PASSAGES_SHOWN)
    said += notes
    return folders, found
