"""`rung forecast`: what a backlog will come to, and what came of earlier forecasts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict

import click

from models.vocabulary import Measure, RunLane
from worker.cli.speech.completion import POLICY
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, print_json, talk
from worker.cli.views.outlook import outlook_of, print_outlook
from worker.config.loading import load_settings
from worker.config.policies import policy_named
from worker.domain.wording import count, dollars, span
from worker.errors import RungError, UsageError
from worker.intake.ahead import stream
from worker.intake.loads import strata_of
from worker.intake.reader import Backlog
from worker.store.actions.forecasts import Settled
from worker.store.actions.forecasts import settled as read_settled

SHOWN = {Measure.DOLLARS: dollars, Measure.PEOPLE: count, Measure.SECONDS: span}


@click.command()
@click.argument("files", nargs=-1, metavar="FILE…")
@click.option("--policy", help="Preset or policy of rung.toml.", shell_complete=POLICY)
@click.option(
    "--lane",
    type=click.Choice([lane.value for lane in RunLane]),
    default=RunLane.REALTIME.value,
    show_default=True,
    help="mixed: what is easy at once, what climbs at half price.",
)
@click.option("--settled", is_flag=True, help="What earlier forecasts said, and what came.")
@JSON
def forecast(
    files: tuple[str, ...], policy: str | None, lane: str, settled: bool, as_json: bool
) -> None:
    """What a backlog will cost, how long it takes and how much people must look at, from records:
    p10, p50 and p90, by stratum of length and with the spread between days.

    Every run that is submitted keeps its forecast; --settled compares them with fact.
    """
    settings = load_settings()
    if settled:
        with database(settings) as engine, engine.connect() as connection:
            found = read_settled(connection)
        _say_settled(found, as_json)
        return
    if not files:
        raise UsageError("Name the files to forecast, or --settled.", mend="rung forecast FILE")
    chosen = policy_named(settings, policy)
    outlook = outlook_of(settings, chosen, _strata(files), lane)
    if outlook is None:
        raise RungError(
            "Too little is recorded to forecast from, or the record cannot be reached.",
            mend="until then, by what is assumed: rung enqueue FILE --dry-run",
        )
    if as_json:
        print_json({"policy": chosen.name, "lane": lane, **outlook.as_document()})
        return
    print_outlook(outlook)


def _strata(files: tuple[str, ...]) -> Mapping[str, int]:
    """The rows of the files by stratum; nothing is stored."""
    found: Counter[str] = Counter()
    for name in files:
        with stream(name) as content:
            for block in Backlog(name, content).blocks():
                found.update(strata_of(block))
    return found


def _say_settled(found: list[Settled], as_json: bool) -> None:
    if as_json:
        print_json([{**asdict(one), "held": one.held} for one in found])
        return
    if not found:
        talk("No run that had a forecast has finished yet.")
        return
    from worker.cli.speech.tables import FittingTable

    table = FittingTable("run", "of", "10 %", "50 %", "90 %", "came", "", box=None)
    for one in found:
        shown = SHOWN[Measure(one.measure)]
        values = (shown(value) for value in (one.p10, one.p50, one.p90, one.fact))
        table.add_row(one.run, one.measure, *values, bar(one))
    console().print(table)
    held = sum(one.held for one in found)
    talk(f"{held:,} of {len(found):,} fell between 10 and 90 %; about four in five should.")


def bar(one: Settled, width: int = 21) -> str:
    """Where the fact fell: `[` and `]` are 10 and 90 %, `|` the middle, `●` what came."""
    low, high = min(one.p10, one.fact), max(one.p90, one.fact)
    spread = (high - low) or 1.0

    def place(value: float) -> int:
        return round((value - low) / spread * (width - 1))

    line = ["·"] * width
    for mark, value in (("[", one.p10), ("]", one.p90), ("|", one.p50), ("●", one.fact)):
        line[place(value)] = mark
    return "".join(line)
