"""`rung evaluate`: policies on recorded outcomes, as cost against quality."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.options import JSON
from worker.cli.speech.output import SIMULATED, console, print_json, talk
from worker.domain.proof.frontier import Plan, Point, of_all
from worker.domain.proof.frontier_plans import evaluate as points_for
from worker.domain.proof.frontier_plans import parse_plan
from worker.domain.proof.graded import ladder_of
from worker.domain.proof.off_policy import Estimate
from worker.domain.wording import dollars, percent
from worker.errors import UsageError
from worker.intake.graded_tables import is_table, read_table

READ = 20_000
"""Messages that a frontier of runs is read from, if these are more."""


@click.command()
@click.argument("sources", nargs=-1, required=True, shell_complete=RUN, metavar="RUN…|TABLE")
@click.option("--table", help="Which table of the file, when it holds several.")
@click.option(
    "--policies",
    help="Only these, with commas: 'haiku', 'haiku@0.9>sonnet@0.8>opus'.",
)
@click.option("--all", "every", is_flag=True, help="Read every message, and not a sample of them.")
@JSON
def evaluate(
    sources: tuple[str, ...],
    table: str | None,
    policies: str | None,
    every: bool,
    as_json: bool,
) -> None:
    """What policies would have cost and how often they would have been right, with intervals.

    Where the record cannot tell, there are bounds and no point. Of runs of more than 20,000
    messages about so many are read, with all that were drawn to be judged or shadowed among them;
    dollars are for all, with what they may be off.
    """
    if any(is_table(source) for source in sources):
        if len(sources) > 1:
            raise UsageError(
                "One table at a time, and no runs beside it.", mend="rung evaluate FILE.csv"
            )
        read = read_table(Path(sources[0]), table)
        ladder = ladder_of(read.messages)
        points = points_for(read.messages, ladder, _plans(policies, ladder))
        found = document(read.name, len(read.messages), read.simulated, points) | {"runs": []}
    else:
        found, points = _of_runs(sources, policies, None if every else READ)
    if as_json:
        print_json(found)
        return
    head = f"{found['table']}: {found['messages']:,} messages"
    if sampled := found["read"] < found["messages"]:
        head += f", of which {found['read']:,} were read; dollars are for all of them"
    _print(points, head, sampled=sampled)
    if found["runs"] and any(one.quality.point is None for one in points):
        more = " && ".join(f"rung audit {quote(run)} --shadow 5%" for run in found["runs"])
        talk(f"Ask for more of it: {more}")
    if found["simulated"]:
        talk(f"{SIMULATED}. This says nothing about real models.", fg="yellow")


def _of_runs(
    names: Sequence[str], policies: str | None, most: int | None
) -> tuple[dict[str, Any], list[Point]]:
    """The frontier of runs: what happened, and what else is known of."""
    from worker.cli.speech.context import database
    from worker.config.loading import load_settings
    from worker.config.prices import lane_prices
    from worker.domain.policy_documents import from_document
    from worker.store.reading.graded import population
    from worker.store.runs import find_run

    with database() as engine, engine.connect() as connection:
        runs = [find_run(connection, name) for name in dict.fromkeys(names)]
        found = population(connection, [run.id for run in runs], by_score=True, by_draw=most)
    ladder = from_document(runs[0].policy).ladder
    prices = lane_prices(load_settings(), runs[0].lane)
    plans = _plans(policies, ladder)
    points = points_for(list(found.messages), ladder, plans, recorded=True, prices=prices)
    name = " and ".join(run.name for run in runs)
    messages = len(found.messages)
    if found.part < 1:
        points, messages = of_all(points, messages, found.of), found.of
    told = document(name, messages, found.simulated, points) | {"read": len(found.messages)}
    return told | {"runs": [run.name for run in runs]}, points


def _plans(given: str | None, ladder: Sequence[str]) -> list[Plan] | None:
    """None for the usual ones. Raises UsageError on one that is no way up this ladder."""
    if given is None:
        return None
    try:
        return [parse_plan(one, ladder) for one in given.split(",")]
    except ValueError as error:
        raise UsageError(f"--policies: {error}.", mend="--policies 'haiku@0.9>opus'") from None


def document(name: str, messages: int, simulated: bool, points: Sequence[Point]) -> dict[str, Any]:
    """The frontier as JSON."""
    return {
        "table": name,
        "messages": messages,
        "read": messages,
        "simulated": simulated,
        "policies": [
            {
                "policy": one.name,
                "cost_usd": one.cost,
                "cost_error": round(one.cost_error, 6),
                "saved": None if one.saved is None else round(one.saved, 6),
                "quality": _estimate(one.quality),
                "against_top": _estimate(one.against_top),
                "ends": {tier: round(share, 6) for tier, share in one.ends.items()},
                "assumed_costs": one.assumed_costs,
            }
            for one in points
        ],
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    return {
        "point": None if one.point is None else round(one.point, 6),
        "low": round(one.low, 6),
        "high": round(one.high, 6),
        "known": one.known,
        "of": one.of,
    }


def _print(points: Sequence[Point], head: str, *, sampled: bool) -> None:
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(
        "policy", "dollars", "saves", "right", "against the top", "known", box=None
    )
    for one in points:
        table.add_row(
            one.name,
            f"{dollars(one.cost)} ±{percent(one.cost_error, 1)}" if sampled else dollars(one.cost),
            percent(one.saved, 1),
            _interval(one.quality),
            _interval(one.against_top, signed=True),
            f"{one.quality.known:,} of {one.quality.of:,}",
        )
    console().print(head)
    console().print(table)
    without = [one.quality for one in points if one.quality.point is None]
    if any(one.tells(1.0) for one in without):
        talk(
            "Without a point: nothing recorded identifies it; the two figures are what is possible."
        )
    if any(not one.tells(1.0) for one in without):
        talk("A dash: the record says nothing of whether those answers are right.")


def _interval(one: Estimate, *, signed: bool = False) -> str:
    between = one.between(signed=signed)
    if one.point is None or not one.tells(2.0 if signed else 1.0):
        return between
    return f"{percent(one.point, 1, '+' if signed else '')} ({between})"
