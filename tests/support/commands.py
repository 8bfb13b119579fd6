"""Whether a command line that stands in a file means something to the commands as they are."""

from collections.abc import Sequence

import click
from celery.bin import beat, control, worker

from worker.cli.main import cli
from worker.config.settings import Settings

CELERY: dict[str, click.Command] = {
    "worker": worker.worker,
    "beat": beat.beat,
    "inspect": control.inspect,
}
APP = ["-A", "worker.app"]


def complaint(words: Sequence[str]) -> str | None:
    """What is wrong with `rung …` or `celery -A worker.app …`; None when nothing is."""
    program, *rest = words
    try:
        if program == "rung":
            _parsed(cli, rest)
        elif program == "celery" and rest[:2] == APP and rest[2] in CELERY:
            _parsed(CELERY[rest[2]], rest[3:])
        else:
            return f"{' '.join(words)}: neither rung nor a command of celery -A worker.app"
    except click.ClickException as error:
        return f"{' '.join(words)}: {error.format_message()}"
    return None


def queues_of(words: Sequence[str]) -> list[str]:
    """Queues that `celery … worker -Q …` takes from; none for any other command."""
    if "worker" not in words or "-Q" not in words:
        return []
    return words[words.index("-Q") + 1].split(",")


def known_queues() -> list[str]:
    """`routing`, and the default tiers."""
    return Settings().queues


def _parsed(command: click.Command, words: Sequence[str]) -> None:
    """Raises ClickException for a command, an option or a number of arguments that is not."""
    context = click.Context(command, info_name=command.name, resilient_parsing=False)
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        _, found, rest = command.resolve_command(context, list(words))
        assert found is not None
        return _parsed(found, rest)
    if isinstance(command, click.Group) and not command.invoke_without_command:
        raise click.UsageError(f"{command.name} needs a command after it")
    options, rest, _ = command.make_parser(context).parse_args(list(words))
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Argument) or parameter.name in options:
            parameter.handle_parse_result(context, options, list(rest))
    return None
