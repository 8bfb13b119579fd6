"""`rung enqueue`: hands a backlog over."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from worker.cli.speech.amounts import DOLLARS
from worker.cli.speech.completion import POLICY
from worker.cli.speech.context import database
from worker.cli.speech.output import console, print_json, talk
from worker.cli.speech.progress import progress
from worker.config.loading import load_settings
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.policy import Policy
from worker.domain.wording import dollars
from worker.errors import RungError

SHOWN_REJECTS = 20
EXIT_REJECTS = 3
STARTS_AT_HALF_PRICE = (
    "Answered in the batch lane, at half price, as long as the deadline leaves time for it; then in"
    " the realtime lane. To be answered at once: --lane realtime"
)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--run", "name", help="Name of the run; made from the file's name if left out.")
@click.option("--source", help="Where the messages are from; ids are unique within a source.")
@click.option("--policy", help="Preset or policy of rung.toml.", shell_complete=POLICY)
@click.option(
    "--lane",
    type=click.Choice(["realtime", "batch"]),
    help="batch is half price. Left out: batch while a --deadline leaves time, or else realtime.",
)
@click.option("--budget", type=DOLLARS, help="Dollars that the run may cost.")
@click.option("--deadline", help="When it must be done: 6h, 30m, or an ISO time.")
@click.option("--priority", type=click.IntRange(-100, 100), default=0, help="Higher goes first.")
@click.option("--key", help="The same key again adds to the same run, and nothing twice.")
@click.option("--again", is_flag=True, help="Answer messages anew that are in another run already.")
@click.option("--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="body=Message, …")
@click.option("--member", help="Which file of a zip.")
@click.option("--format", "kind", type=click.Choice(["csv", "tsv", "json", "jsonl"]))
@click.option("--rejects", type=click.Path(path_type=Path), help="Where rejected rows are listed.")
@click.option("--dry-run", is_flag=True, help="Count, check and estimate; store nothing.")
@click.option("--watch", is_flag=True, help="Follow the run until it ends.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.pass_context
def enqueue(ctx: click.Context, /, files: tuple[str, ...], **options: Any) -> None:
    """Hand over a backlog: CSV, TSV, JSON array, JSONL, gz, zip, or - for standard input.

    Every row that cannot be taken is named by its line and reason; the others go in. Handing the
    same rows over again adds nothing.
    """
    settings = load_settings()
    policy = policy_named(settings, options["policy"])
    from worker.intake.ahead import stream
    from worker.intake.handover import Handover

    with ExitStack() as stack:
        # Opened before Postgres is asked: of two things wrong, a file's name is mended sooner.
        opened = [(name, stack.enter_context(stream(name))) for name in files]
        engine = None
        if not options["dry_run"]:
            engine = stack.enter_context(database(settings))
        outcome = Handover(settings, policy, engine, options, talk, progress).take(opened)
        if options["dry_run"]:
            _say_dry_run(settings, policy, outcome, options["as_json"])
            ctx.exit(EXIT_REJECTS if outcome["rejected"] else 0)
        _say(outcome, options["as_json"] and not options["watch"], options["watch"])
        if options["deadline"] and options["lane"] is None and outcome["accepted"]:
            talk(STARTS_AT_HALF_PRICE)
        if outcome["run"] is None and not outcome["duplicates"]:
            raise RungError(
                "Nothing was accepted, so no run was made.", mend="see the rejects above"
            )
        code = EXIT_REJECTS if outcome["rejected"] else 0
        if options["watch"] and engine is not None and outcome["run"] is not None:
            from worker.cli.watch import watch

            code = watch(engine, settings, outcome["run"]) or code
            if options["as_json"]:
                print_json(outcome)
        ctx.exit(code)


def _say(outcome: dict[str, Any], as_json: bool, watched: bool) -> None:
    if as_json:
        print_json(outcome)
        return
    for reject in outcome["rejects"][:SHOWN_REJECTS]:
        talk(f"{reject['file']}, line {reject['line']}: {reject['reason']}", fg="yellow")
    if outcome["rejected"] > SHOWN_REJECTS:
        talk(f"… and {outcome['rejected'] - SHOWN_REJECTS} more", fg="yellow")
    if outcome["rejects_file"]:
        talk(f"Rejected rows are listed in {outcome['rejects_file']}.")
    for warning in outcome["warnings"][:SHOWN_REJECTS]:
        talk(f"Note: line {warning['line']}: {warning['reason']}")
    if outcome["run"] is None:
        where = ", ".join(outcome["known_in"]) or "another run"
        talk(f"Nothing new: all {outcome['duplicates']} messages are in {where} already.")
        talk("To answer them once more: rung enqueue --again …")
        return
    talk(
        f"Run {outcome['run']}: {outcome['accepted']} accepted, {outcome['rejected']} rejected,"
        f" {outcome['duplicates']} known already."
    )
    if sys.stderr.isatty() and outcome["accepted"] and not watched:
        talk(f"Follow it with: rung status {outcome['run']} --watch")


def _say_dry_run(
    settings: Settings, policy: Policy, outcome: dict[str, Any], as_json: bool
) -> None:
    from worker.runs.estimate import estimate

    expected = estimate(settings, policy, outcome["accepted"], outcome.pop("body_bytes"))
    if as_json:
        print_json({**outcome, "dry_run": True, "expected": expected.as_document()})
        return
    for reject in outcome["rejects"][:SHOWN_REJECTS]:
        talk(f"{reject['file']}, line {reject['line']}: {reject['reason']}", fg="yellow")
    talk(
        f"Dry run, nothing stored: {outcome['accepted']} rows would be read,"
        f" {outcome['rejected']} rejected."
    )
    from rich.table import Table

    table = Table("tier", "jobs", "calls", "expected", box=None)
    for line in expected.tiers:
        table.add_row(line.tier, str(line.jobs), str(line.calls), dollars(line.cost))
    table.add_row("all", "", "", dollars(expected.total))
    console(stderr=True).print(table)
    talk(expected.assumption)
