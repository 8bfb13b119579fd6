"""`rung reprocess`: answers old messages anew, in a new run."""

from dataclasses import asdict
from shlex import quote
from typing import Any

import click
from sqlalchemy import Engine

from models.vocabulary import RunLane
from worker.cli.speech.amounts import DOLLARS
from worker.cli.speech.completion import POLICY, RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import SIMULATED, console, print_json, talk
from worker.config.addresses import lane_for
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.domain.text import terminal_safe
from worker.domain.wording import dollars
from worker.intake.terms import parse_deadline
from worker.runs.counterfactual import PaidDifference
from worker.runs.reprocess import Reprocessed, ReprocessPreview, ReprocessRequest, preview
from worker.runs.reprocess import reprocess as carry_out


@click.command()
@click.option("--where", help="Which jobs: 'state = review or confidence < 0.6'.")
@click.option("--since", help="Only jobs that came in since: 7d, 36h, or an ISO time.")
@click.option("--run", help="Only jobs of this run.", shell_complete=RUN)
@click.option(
    "--policy",
    help="Preset or policy of rung.toml. Left out: that of the chosen jobs, or the default.",
    shell_complete=POLICY,
)
@click.option(
    "--lane",
    type=click.Choice([lane.value for lane in RunLane]),
    help="batch is half price; mixed answers what is easy at once, and in batches what climbs. Left"
    " out: batch while a --deadline leaves time, or else realtime.",
)
@click.option("--max-cost", type=DOLLARS, help="Dollars: refuse above, and never spend more.")
@click.option("--budget", type=DOLLARS, help="Dollars that the run may cost.")
@click.option("--deadline", help="When it must be done: 6h, 30m, or an ISO time.")
@click.option("--priority", type=click.IntRange(-100, 100), default=0, help="Higher goes first.")
@click.option("--key", help="The same key again makes nothing new.")
@click.option("--name", help="Name of the new run; a number is added when it is taken.")
@click.option(
    "--changed",
    is_flag=True,
    help="Ask only where a threshold or ladder changes a decision; take over what stands.",
)
@click.option("--dry-run", is_flag=True, help="Count, expect, show a sample; change nothing.")
@click.option("--watch", "follow", is_flag=True, help="Follow the run until it ends.")
@JSON
@click.pass_context
def reprocess(ctx: click.Context, /, **options: Any) -> None:
    """Answer old messages anew: a new run beside the old ones, which stay as they are.

    A message that was answered again later is judged by its latest job, unless --run names a run.
    """
    settings = load_settings()
    deadline = parse_deadline(options["deadline"])
    request = ReprocessRequest(
        where=options["where"],
        since=options["since"],
        run=options["run"],
        policy=options["policy"],
        lane=lane_for(settings, options["lane"], deadline),
        max_cost=options["max_cost"],
        budget=options["budget"],
        key=options["key"],
        deadline=deadline,
        priority=options["priority"],
        name=options["name"],
        changed=options["changed"],
    )
    with database(settings) as engine:
        if options["dry_run"] and options["changed"]:
            _say_difference(engine, settings, request, as_json=options["as_json"])
            return
        if options["dry_run"]:
            with engine.connect() as connection:
                found = preview(connection, settings, request)
            say_preview(found, as_json=options["as_json"])
            return
        from worker.cli.speech.person import actor

        with engine.begin() as connection:
            made = carry_out(connection, settings, actor(), request)
        say_made(made, as_json=options["as_json"], watched=options["follow"])
        if options["follow"] and made.run is not None:
            from worker.cli.watch import watch

            ctx.exit(watch(engine, settings, made.run.name))


def _say_difference(
    engine: Engine, settings: Settings, request: ReprocessRequest, *, as_json: bool
) -> None:
    """Decides everything as it would be, and takes it all back."""
    from worker.cli.speech.person import actor

    with engine.connect() as connection, connection.begin() as transaction:
        made = carry_out(connection, settings, actor(), request)
        transaction.rollback()
    counts = asdict(made.difference) if made.difference is not None else {}
    if as_json:
        print_json({"run": None, "jobs": made.jobs, "dry_run": True, **counts})
        return
    talk(f"Dry run, nothing changed. {_words(made.difference)}")


def _words(difference: PaidDifference | None) -> str:
    if difference is None:
        return "Nothing was chosen."
    return (
        f"{difference.taken_over:,} answers stand and are taken over at no cost,"
        f" {difference.asked + difference.anew:,} are asked,"
        f" {difference.for_people:,} go to people."
    )


def say_preview(found: ReprocessPreview, *, as_json: bool) -> None:
    """What would be done, in words or as JSON."""
    refusal = found.refusal()
    if as_json:
        refused = str(refusal) if refusal is not None else None
        print_json({**document_of(found), "run": None, "dry_run": True, "refused": refused})
        return
    _say_notes(found)
    chosen = found.chosen
    if not chosen.jobs:
        return
    talk(f"Dry run, nothing changed: {chosen.jobs:,} messages would be answered anew.")
    _say_expected(found)
    _print_sample(found)
    if refusal is not None:
        talk(f"It would be refused: {refusal}", fg="yellow")


def say_made(made: Reprocessed, *, as_json: bool, watched: bool = False) -> None:
    """What was done, in words or as JSON; `watched` where the run is followed at once."""
    name = made.run.name if made.run is not None else None
    if as_json:
        about = document_of(made.preview) if made.preview is not None else {}
        done = {"run": name, "jobs": made.jobs, "repeated": made.repeated, "dry_run": False}
        about |= asdict(made.difference) if made.difference is not None else {}
        print_json({**about, **done})
        return
    if made.preview is not None:
        _say_notes(made.preview)
    if name is None:
        talk("No run was made.")
    elif made.repeated:
        talk(f"Nothing new: run {name} was made with this key already ({made.jobs:,} jobs).")
    else:
        if made.difference is not None:
            talk(f"Run {name}: {_words(made.difference)}")
            return
        talk(f"Run {name}: {made.jobs:,} messages are answered anew.")
        if made.preview is not None:
            _say_expected(made.preview)
        if not watched:
            talk(f"Follow it with: rung status {quote(name)} --watch")


def document_of(found: ReprocessPreview) -> dict[str, Any]:
    """A preview as JSON values; no message text is in it."""
    chosen = found.chosen
    return {
        "jobs": chosen.jobs,
        "unfinished": chosen.unfinished,
        "superseded": chosen.superseded,
        "erased": chosen.erased,
        "everything": chosen.everything,
        "selection": found.selection,
        "expected": found.expected.as_document(),
        "max_cost_usd": found.request.max_cost,
        "simulated": chosen.simulated,
        "sample": [*map(asdict, chosen.sample)],
    }


def _say_notes(found: ReprocessPreview) -> None:
    chosen = found.chosen
    if not chosen.jobs:
        talk("Nothing is chosen: no job is like that.", fg="yellow")
    if chosen.everything:
        talk(f"The filter leaves nothing out: all {chosen.jobs:,} messages.", fg="yellow")
    if chosen.superseded:
        talk(
            f"{chosen.superseded:,} more were like that and have been answered again since;"
            " --run RUN takes a run's jobs all the same."
        )
    if chosen.erased:
        talk(f"{chosen.erased:,} more are erased and cannot be answered.")


def _say_expected(found: ReprocessPreview) -> None:
    expected = found.expected
    talk(f"Expected: {dollars(expected.usd)}, {dollars(expected.low)} to {dollars(expected.high)},")
    talk(f"  {expected.basis}.")
    if found.chosen.simulated:
        talk(SIMULATED, fg="yellow")


def _print_sample(found: ReprocessPreview) -> None:
    from worker.cli.speech.tables import FittingTable

    table = FittingTable("job", "message", "state", "tier", "conf.", box=None, pad_edge=False)
    for row in found.chosen.sample:
        confidence = row.confidence
        table.add_row(
            str(row.job),
            terminal_safe(f"{row.run}/{row.external_id}"),
            row.state,
            row.tier or "–",
            f"{confidence:.2f}" if confidence is not None else "–",
        )
    console().print(table)
