"""`rung drain, priority, budget`: what the dashboard's buttons of the same names do."""

import time
from decimal import Decimal
from typing import Any

import click
from sqlalchemy import Connection, Engine

from models.vocabulary import EVERYTHING, ROUTING
from worker.cli.ops import DRY_RUN, JSON, WHERE, actor, queue_named, target_of
from worker.cli.speech.amounts import DOLLARS
from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.output import print_json, talk
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.domain.wording import dollars
from worker.errors import RungError
from worker.store.actions import ops
from worker.store.actions.acting import set_budget, set_priority
from worker.store.actions.filtered import PRIORITY, act, foresee, runs_of, set_budgets
from worker.store.reading.status import queues

LOOK_EVERY_S = 0.5
NO_LIMIT = "none"


@click.command()
@click.argument("target", metavar="TIER|everything")
@click.option("--reason", default="drained by hand", help="Shown wherever people look.")
@click.option(
    "--timeout", type=click.FloatRange(0), default=300.0, help="Seconds to wait until it is empty."
)
@DRY_RUN
@JSON
def drain(target: str, reason: str, timeout: float, dry_run: bool, as_json: bool) -> None:
    """Pause a tier, and wait until nothing of it is in flight: then its workers can be stopped.

    Calls in flight end and are recorded; what was handed to workers and not begun goes back.
    Batches that are at Claude go on there. `rung resume TIER` goes on.
    """
    settings = load_settings()
    queue = queue_named(settings, target)
    with database(settings) as engine:
        flying = _in_flight(engine, settings, queue)
        if dry_run:
            talk(f"{queue} would be paused, with {flying} in flight.")
        else:
            ops.drain_tier(engine, actor(), queue, reason)
            flying = _wait_until_empty(engine, settings, queue, timeout)
            talk(f"{queue} is drained: nothing is in flight. Go on with: rung resume {queue}")
    if as_json:
        print_json({"action": "drain", "target": queue, "in_flight": flying, "dry_run": dry_run})


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@click.option(
    "--to", type=click.IntRange(-100, 100), required=True, help="Higher goes first; 0 is usual."
)
@WHERE
@DRY_RUN
@JSON
def priority(run: str | None, to: int, where: str | None, dry_run: bool, as_json: bool) -> None:
    """Serve a run before others; with --where, the jobs that a filter chooses before the others
    of their run."""
    with database() as engine:
        target, found = target_of(engine, run, where)
        if where is None and found is not None:
            count = 1
            before: int | None = found.priority
            if not dry_run:
                set_priority(engine, actor(), str(found.id), to)
        else:
            before = None
            with engine.connect() as connection:
                count = foresee(connection, PRIORITY, target).jobs
            if not dry_run:
                count = act(engine, actor(), PRIORITY, target, counted=count, priority=to)
    what = target.name if where is None else f"{count} jobs of {target.name}"
    would = "would have" if dry_run else "has" if where is None else "have"
    talk(f"{what} {would} the priority {to}.")
    _as_json(as_json, "priority", target.name, count, dry_run, {"from": before, "to": to})


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@click.option("--to", required=True, metavar="USD|none", help="Dollars in all; none is no limit.")
@WHERE
@DRY_RUN
@JSON
def budget(run: str | None, to: str, where: str | None, dry_run: bool, as_json: bool) -> None:
    """Change what a run may cost in all; with --where, every run under way with open jobs that the
    filter chooses. A run that waited for its budget goes on."""
    cap = None if to == NO_LIMIT else DOLLARS.convert(to, None, None)
    with database() as engine:
        target, found = target_of(engine, run, where)
        with engine.connect() as connection:
            runs = runs_of(connection, target) if where is not None else [found.id if found else 0]
            before = _caps(connection, runs)
        if not dry_run and where is None and found is not None:
            set_budget(engine, actor(), str(found.id), cap)
        elif not dry_run:
            set_budgets(engine, actor(), target, cap, counted=len(runs))
    what = target.name if where is None else f"{len(runs)} runs of {target.name}"
    limit = "no limit" if cap is None else f"a budget of {dollars(cap)}"
    talk(f"{what} {'would have' if dry_run else 'now has' if where is None else 'have'} {limit}.")
    _as_json(as_json, "budget", target.name, len(runs), dry_run, {"from": before, "to": cap})


def _in_flight(engine: Engine, settings: Settings, queue: str) -> int:
    names = [ROUTING, *settings.tiers] if queue == EVERYTHING else [queue]
    with engine.connect() as connection:
        return sum(line["in_flight"] for line in queues(connection, names))


def _wait_until_empty(engine: Engine, settings: Settings, queue: str, timeout: float) -> int:
    """Zero. Raises RungError when something is in flight for too long."""
    deadline = time.monotonic() + timeout
    while flying := _in_flight(engine, settings, queue):
        if time.monotonic() >= deadline:
            raise RungError(
                f"{queue} is paused, and {flying} still in flight after {timeout:.0f} s.",
                mend=f"rung drain {queue} waits on",
            )
        time.sleep(LOOK_EVERY_S)
    return 0


def _caps(connection: Connection, runs: list[int]) -> list[Decimal | None]:
    from worker.store.runs import find_run

    return [find_run(connection, str(run)).budget_cap for run in runs]


def _as_json(
    wanted: bool, action: str, target: str, count: int, dry_run: bool, more: dict[str, Any]
) -> None:
    if wanted:
        counted = {"action": action, "target": target, "affected": count, "dry_run": dry_run}
        print_json(counted | more)
