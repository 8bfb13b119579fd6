"""`rung`: the group of commands, each imported only when it is used."""

import gc
import importlib
import sys
from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import Any

import click

from worker.cli.exit_codes import EXIT_INTERRUPTED, GIVEN, NobodyReads, guarded

# name: (module, help on one line). Kept here so that `rung --help` imports no command.
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("up", "Start everything that is not configured, and work until Ctrl-C."),
    "demo": ("demo", "Answer the shipped sample backlog, and show the bill."),
    "enqueue": ("enqueue", "Submit a backlog: CSV, JSON, xlsx, mbox and more, or -."),
    "map": ("map", "Column maps: which there are, and how one is remembered."),
    "status": ("status", "How a run stands, or everything that is going on."),
    "results": ("results", "Take the answers back: CSV, xlsx, JSONL or Parquet."),
    "sample": ("sample", "Read some answers of a run beside their messages."),
    "show": ("show", "The receipt of a job: why this answer, from whom, at what cost."),
    "runs": ("runs", "All runs, newest first."),
    "cost": ("cost", "The bill of a run, against all on the top tier."),
    "advise": ("advise", "Does the pipeline pay? Honestly, from recorded runs."),
    "audit": ("audit", "How many accepted answers chance chooses to be looked at."),
    "truth": ("truth", "Verdicts on answers, from elsewhere."),
    "certify": ("certify", "Claims about accepted answers: granted with a bound, or refused."),
    "certificates": ("certificates", "What has been certified, and how it bears up."),
    "evaluate": ("evaluate", "The frontier: what policies cost, and how often they are right."),
    "forecast": ("forecast", "What a backlog will come to, from records; and what came of it."),
    "replay": ("replay", "Recompute every decision of a run, and report differences."),
    "reprocess": ("reprocess", "Answer old messages anew, in a new run beside the old ones."),
    "diff": ("diff", "What changed between two runs, by message."),
    "compare": ("compare", "Two policies on the same messages, side by side, with a sentence."),
    "prompts": ("prompts", "Prompt versions: where each is used, and what it costs."),
    "schedule": ("schedule", "What runs by itself at night, and one night by hand."),
    "dead": ("dead", "Dead letters: jobs that need somebody to change something."),
    "review": ("review", "What waits for a person."),
    "knowledge": ("knowledge", "Pages that answers stand on: sync, search."),
    "clusters": ("clusters", "What broke today: messages that say almost the same."),
    "retry": ("changes", "Give dead jobs another try."),
    "cancel": ("changes", "End the open jobs of a run."),
    "pause": ("holds", "Stop claiming: a run, a tier, or everything."),
    "resume": ("holds", "Go on with what was paused; raise a budget."),
    "drain": ("holds", "Pause a tier, and wait until nothing of it is in flight."),
    "priority": ("changes", "Serve a run, or some of its jobs, before others."),
    "budget": ("changes", "Change what a run may cost."),
    "worker": ("worker", "Start a worker process, from any directory."),
    "deliver": ("deliver", "Answers on their way to webhooks: pause, resume, send again."),
    "dashboard": ("dashboard", "Serve the dashboard alone."),
    "alive": ("alive", "Is what runs in this container well? For a HEALTHCHECK."),
    "purge": ("erase", "Erase the text of old messages; counts and costs stay."),
    "forget": ("erase", "Erase what a customer wrote and was answered."),
    "doctor": ("doctor", "Is everything reachable, migrated, priced and keyed?"),
    "config": ("config", "Check or show the configuration."),
    "db": ("db", "Migrate the database."),
}
GROUPS: dict[str, tuple[str, ...]] = {
    "Begin": ("up", "demo", "doctor", "config", "prompts"),
    "Enqueue and watch": ("enqueue", "map", "forecast", "status", "runs"),
    "Answers": ("results", "sample", "show", "review", "clusters", "deliver", "dead", "diff"),
    "Money and proof": (
        "cost",
        "compare",
        "advise",
        "evaluate",
        "audit",
        "truth",
        "certify",
        "certificates",
        "replay",
    ),
    "Change": ("pause", "resume", "drain", "priority", "budget", "retry", "cancel"),
    "Knowledge": ("knowledge",),
    "Again and at night": ("reprocess", "schedule"),
    "Keep": ("worker", "dashboard", "alive", "db", "purge", "forget"),
}
"""As `rung --help` shows them; a test keeps each command in one of them."""
MEANT = {
    "watch": "status --watch",
    "list": "runs",
    "ls": "runs",
    "ps": "status",
    "top": "status --watch",
    "queues": "status",
    "start": "up",
    "serve": "up",
    "stop": "pause",
    "answer": "enqueue",
    "submit": "enqueue",
    "import": "enqueue",
    "load": "enqueue",
    "run": "enqueue FILE --watch",
    "estimate": "enqueue FILE --dry-run",
    "export": "results",
    "download": "results",
    "get": "show",
    "answers": "results",
    "job": "show",
    "jobs": "show",
    "receipt": "show",
    "bill": "cost",
    "spend": "cost",
    "failed": "dead",
    "kill": "cancel",
    "delete": "forget",
    "erase": "purge",
    "web": "dashboard",
    "ui": "dashboard",
    "migrate": "db upgrade",
    "upgrade": "db upgrade",
    "init": "up",
    "check": "doctor",
    "health": "doctor",
    "logs": "doctor",
    "night": "schedule",
    "nights": "schedule",
    "cron": "schedule",
}
"""What people type who know other tools, and what it is called here."""
YOUNG_OBJECTS = 100_000
"""So many new objects before garbage is looked for. A command makes few; what reads a million
rows is looked after by it, too."""


def _imported(name: str) -> ModuleType:
    """A module of ours. What importing makes stays, so nobody looks for garbage while it goes on,
    nor in it later: that took a tenth of a short command."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


class LazyGroup(click.Group):
    """Finds a command's module when the command is used."""

    def invoke(self, ctx: click.Context) -> Any:
        """As click's. Raises NobodyReads."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise NobodyReads from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = _imported(f"worker.cli.{COMMANDS[cmd_name][0]}")
        _listen_to_logs()
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for `--help`, from the tables above: one column for all groups."""
        width = max(map(len, COMMANDS))
        for group, names in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl([(name.ljust(width), COMMANDS[name][1]) for name in names])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with a suggestion for a name that does not exist."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"There is no command {args[0]!r}. {_meant(args[0])}")
        ctx.meta[GIVEN] = tuple(args[1:])
        return super().resolve_command(ctx, args)


def _listen_to_logs() -> None:
    """Imported with a command, which has what this needs loaded."""
    from worker.cli.speech.output import talk
    from worker.telemetry import say_what_nobody_keeps

    say_what_nobody_keeps(partial(talk, fg="yellow"))


def _meant(name: str) -> str:
    """A command that this one may have been meant for."""
    from worker.cli.speech.invocation import as_typed_here
    from worker.domain.wording import nearest_name

    near = MEANT.get(name) or nearest_name(name, COMMANDS)
    return as_typed_here(f"Did you mean `rung {near}`?" if near else "See `rung --help`.")


@click.group("rung", cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rung", message="rung %(version)s")
def cli() -> None:
    """Answer a backlog of support messages with a ladder of Claude models.

    Start with `rung demo`, or `rung up` and then `rung enqueue FILE --watch`.

    Completion: eval "$(_RUNG_COMPLETE=bash_source rung)" (or zsh_source, fish_source).
    """


def run(arguments: Sequence[str] | None = None, name: str = "rung") -> None:
    """The console script: every outcome is an exit code and at most a few sentences."""
    from worker.cli.speech import streams
    from worker.cli.speech.interruption import Interruption

    given = None if arguments is None else list(arguments)
    gc.set_threshold(YOUNG_OBJECTS)
    streams.ready()
    interruption = Interruption()
    interruption.listen()
    code = guarded(lambda: cli.main(given, standalone_mode=False, prog_name=name))
    code = interruption.code if code == EXIT_INTERRUPTED else code
    gc.freeze()
    sys.exit(code)
