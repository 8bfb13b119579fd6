"""`rung enqueue`: submits a backlog."""

import sys
from contextlib import ExitStack
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from models.vocabulary import RunLane
from worker.cli.exit_codes import GIVEN
from worker.cli.speech.amounts import DOLLARS
from worker.cli.speech.completion import POLICY
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import print_json, talk
from worker.cli.speech.person import actor
from worker.cli.speech.progress import progress
from worker.cli.views.intake import say_dry_run, say_outcome
from worker.cli.views.outlook import keep_outlook, outlook_of, pages_of
from worker.config.loading import load_settings
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.policy import Policy
from worker.errors import RungError, UsageError

if TYPE_CHECKING:
    from worker.intake.guess import Guess
    from worker.intake.outcome import HandoverOutcome
    from worker.intake.reader import ReadingOptions
    from worker.intake.terms import RunTerms

EXIT_REJECTS = 3
STARTS_AT_HALF_PRICE = (
    "Answered in the batch lane, at half price, as long as the deadline leaves time for it; then in"
    " the realtime lane. To be answered at once: --lane realtime"
)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--run", "--name", "name", help="Name of the run; made from the file's name if left out."
)
@click.option("--source", help="Where the messages are from; ids are unique within a source.")
@click.option("--policy", help="Preset or policy of rung.toml.", shell_complete=POLICY)
@click.option(
    "--lane",
    type=click.Choice([lane.value for lane in RunLane]),
    help="batch is half price; mixed answers what is easy at once, and in batches what climbs. Left"
    " out: batch while a --deadline leaves time, or else realtime.",
)
@click.option("--budget", type=DOLLARS, help="Dollars that the run may cost.")
@click.option("--deadline", help="When it must be done: 6h, 30m, or an ISO time.")
@click.option("--notify", multiple=True, metavar="ADDRESS", help="Who gets a mail when it is done.")
@click.option("--priority", type=click.IntRange(-100, 100), default=0, help="Higher goes first.")
@click.option("--key", help="The same key again adds to the same run, and nothing twice.")
@click.option("--again", is_flag=True, help="Answer messages anew that are in another run already.")
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="FIELD=COLUMN|NAME",
    help="body=Message, body=source.body, body=description|comments.0.body; or a map: zendesk.",
)
@click.option("--yes", is_flag=True, help="Take the columns that were guessed, without asking.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "tsv", "json", "jsonl", "xlsx", "ods", "mbox", "eml"]),
    help="What the file is; found out from its content if left out.",
)
@click.option("--member", help="Which file of a zip.")
@click.option("--sheet", help="Which sheet of a workbook; the first if left out.")
@click.option("--records", metavar="PATH", help="Where in a JSON document the rows are: data.items")
@click.option("--delimiter", help="What parts the columns of a CSV: ';', tab, '|'.")
@click.option("--encoding", help="What a text file is written in: cp1252, shift_jis, utf-16.")
@click.option(
    "--dates",
    type=click.Choice(["day", "month"]),
    help="Which comes first in 04/11/2026; found out from the file where it shows.",
)
@click.option("--strip-quotes", is_flag=True, help="Cut quoted mails and signatures.")
@click.option("--rejects", type=click.Path(path_type=Path), help="Where rejected rows are listed.")
@click.option("--dry-run", is_flag=True, help="Count, check and estimate; store nothing.")
@click.option("--watch", is_flag=True, help="Follow the run until it ends.")
@JSON
@click.pass_context
def enqueue(ctx: click.Context, /, files: tuple[str, ...], **options: Any) -> None:
    """Submit a backlog: CSV, JSON, JSONL, xlsx, ods, mbox, gz, zip, or - for standard input.

    Any export as it comes: shape, encoding and columns are found out, and said. Every row that
    cannot be taken is named by its line and reason; the others go in. The same rows again add
    nothing.
    """
    settings = load_settings()
    policy = policy_named(settings, options["policy"])
    from worker.intake.ahead import stream
    from worker.intake.handover import Handover

    with ExitStack() as stack:
        # Opened before Postgres is asked: of two things wrong, a file's name is mended sooner.
        opened = [(name, stack.enter_context(stream(name))) for name in files]
        terms = _terms(settings, policy, files[0], options)
        with progress(opened) as on_bytes:
            handover = Handover(
                terms,
                _reading(settings, options),
                _engine(stack, settings, dry=options["dry_run"]),
                dry=options["dry_run"],
                by=actor(),
                rejects=_rejects(files, options),
                accept=lambda name, guess: _accepted(name, guess, options["yes"]),
                say=talk,
                on_bytes=on_bytes,
            )
            outcome = handover.take(opened)
        if options["dry_run"]:
            outlook = outlook_of(settings, policy, outcome.counts.coming, terms.lane)
            pages = pages_of(settings, policy, terms.lane, outcome.counts.accepted)
            say_dry_run(settings, policy, outcome, options["as_json"], outlook, pages)
            ctx.exit(EXIT_REJECTS if outcome.counts.rejected else 0)
        if outcome.run is not None and outcome.counts.accepted:
            keep_outlook(settings, policy, outcome.run, outcome.counts.coming, terms.lane)
        ctx.exit(_finish(settings, outcome, options, stack))


def _terms(settings: Settings, policy: Policy, first: str, options: dict[str, Any]) -> "RunTerms":
    from worker.intake.ahead import stem
    from worker.intake.terms import parse_deadline, terms_for

    return terms_for(
        settings,
        policy,
        lane=options["lane"],
        budget=options["budget"],
        usual_name=stem(first),
        name=options["name"],
        source=options["source"],
        priority=options["priority"],
        deadline=parse_deadline(options["deadline"]),
        key=options["key"],
        again=options["again"],
        notify=options["notify"],
    )


def _reading(settings: Settings, options: dict[str, Any]) -> "ReadingOptions":
    from worker.cli.map import saved_maps
    from worker.intake.maps import columns_of
    from worker.intake.numbered_dates import DateOrder
    from worker.intake.reader import ReadingOptions

    columns, usual = columns_of(options["columns"], saved_maps(settings))
    return ReadingOptions(
        kind=options["kind"],
        member=options["member"],
        sheet=options["sheet"],
        records=options["records"],
        delimiter=options["delimiter"],
        encoding=options["encoding"],
        dates=DateOrder(options["dates"]) if options["dates"] else None,
        columns=columns,
        usual=usual,
        strip_quotes=options["strip_quotes"],
    )


def _engine(stack: ExitStack, settings: Settings, *, dry: bool) -> Any:
    """The database; on a dry run it may be away: then rows are not compared with what is stored."""
    try:
        return stack.enter_context(database(settings))
    except RungError:
        if not dry:
            raise
        return None


def _rejects(files: tuple[str, ...], options: dict[str, Any]) -> Any:
    from worker.intake.ahead import stem
    from worker.intake.rejects import RejectsFile

    if options["dry_run"] and options["rejects"] is None:
        return None
    return RejectsFile(options["rejects"], stem(files[0]), files, talk)


def _accepted(name: str, guess: "Guess", yes: bool) -> bool:
    """Whether the guess is meant: asked on a terminal, before anything is stored or paid."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return guess.certain
    shown = f"{Path(name).name}: {guess.as_words()}"
    if click.confirm(shown, default=True, err=True):
        return True
    raise UsageError(
        "Nothing was submitted.", mend=f"rung enqueue {guess.as_options()} {quote(name)}"
    )


def _finish(
    settings: Settings, outcome: "HandoverOutcome", options: dict[str, Any], stack: ExitStack
) -> int:
    """Says what came of it, and follows the run where that is wanted."""
    counts = outcome.counts
    document = outcome.as_document()
    if options["watch"] or not options["as_json"]:
        say_outcome(outcome, document, watched=options["watch"], again=_again())
    else:
        print_json(document)
    if options["deadline"] and options["lane"] is None and counts.accepted:
        talk(STARTS_AT_HALF_PRICE)
    if outcome.run is None and not counts.duplicates:
        raise RungError("Nothing was accepted, so no run was made.", mend="see the rejects above")
    _remember(settings, outcome)
    code = EXIT_REJECTS if counts.rejected else 0
    if options["watch"] and outcome.run is not None:
        from worker.cli.watch import watch

        code = watch(stack.enter_context(database(settings)), settings, outcome.run) or code
        if options["as_json"]:
            print_json(document)
    return code


def _again() -> str:
    """The sentence that says how the same rows are answered once more."""
    given = click.get_current_context().meta.get(GIVEN, ())
    if not given or "-" in given:  # standard input has been read
        return "To answer them once more, submit them with --again."
    return f"To answer them once more: rung enqueue --again {' '.join(map(quote, given))}"


def _remember(settings: Settings, outcome: "HandoverOutcome") -> None:
    from worker.intake.maps import remember

    if columns := outcome.read[0].guess.columns:
        remember(settings.home, columns)
