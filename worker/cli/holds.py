"""`rung pause, resume, drain`: a run, a tier, or everything."""

import time
from decimal import Decimal

import click
from sqlalchemy import Connection, Engine

from models.vocabulary import EVERYTHING, Lane
from worker.cli.speech.amounts import DOLLARS, Finite
from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import DRY_RUN, JSON
from worker.cli.speech.orders import carry_out, look
from worker.cli.speech.output import print_json, talk
from worker.cli.speech.person import actor
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.domain.wording import nearest_name
from worker.errors import Missing, RungError, UsageError
from worker.runs.actions import perform
from worker.runs.orders import Order, choose, queue_named
from worker.store.queue.leaving_batch import end_lane
from worker.store.runs import find_run, recent_names

LOOK_EVERY_S = 0.5
TARGET = click.argument("target", metavar="RUN|TIER|everything", required=False, shell_complete=RUN)
TIER = click.option("--tier", help="A tier, or routing.")


@click.command()
@TARGET
@TIER
@click.option("--reason", default="paused by hand", help="Shown wherever people look.")
@DRY_RUN
@JSON
def pause(target: str | None, tier: str | None, reason: str, dry_run: bool, as_json: bool) -> None:
    """Stop claiming: a run, a tier, or everything. What is in flight is finished."""
    settings = load_settings()
    with database(settings) as engine:
        order = _order(engine, settings, "pause", target, tier, because=reason)
        carry_out(engine, settings, order, dry_run=dry_run, as_json=as_json, yes=True)


@click.command()
@TARGET
@TIER
@click.option("--budget", type=DOLLARS, help="Dollars that the run may cost from now on, in all.")
@click.option(
    "--lane",
    type=click.Choice([Lane.REALTIME.value]),
    help="Take the run out of the batch lane: the rest of it is answered at full price.",
)
@click.option(
    "--anyway", is_flag=True, help="Of a tier that its canary has paused: trust the new prompt."
)
@DRY_RUN
@JSON
def resume(
    target: str | None,
    tier: str | None,
    budget: Decimal | None,
    lane: str | None,
    anyway: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Go on with what was paused; raise a run's budget; overrule a canary."""
    settings = load_settings()
    with database(settings) as engine:
        if lane is not None and target is None:
            raise UsageError("--lane is for a run.", mend="rung resume RUN --lane realtime")
        to = None if budget is None else str(budget)
        action = "overrule" if anyway else "resume"
        order = _order(engine, settings, action, target, tier, to=to)
        if lane is not None and target is not None:
            look(engine, settings, order)  # What cannot go on is refused before anything changes.
            _to_realtime(engine, target, dry_run=dry_run)
        carry_out(engine, settings, order, dry_run=dry_run, as_json=as_json, yes=True)


@click.command()
@click.argument("target", metavar="TIER|everything")
@click.option("--reason", default="drained by hand", help="Shown wherever people look.")
@click.option("--timeout", type=Finite(0), default=300.0, help="Seconds to wait until it is empty.")
@DRY_RUN
@JSON
def drain(target: str, reason: str, timeout: float, dry_run: bool, as_json: bool) -> None:
    """Pause a tier, and wait until nothing of it is in flight: then its workers can be stopped.

    Calls in flight end and are recorded; what was handed to workers and not begun goes back.
    Batches that are at Claude go on there. `rung resume TIER` goes on.
    """
    settings = load_settings()
    queue = queue_named(settings.queues, target)
    order = Order(action="drain", queue=queue, because=reason)
    with database(settings) as engine:
        flying = int(look(engine, settings, order).before)
        if dry_run:
            talk(f"{queue} would be paused, with {flying} in flight.")
        else:
            perform(engine, actor(), order)
            flying = _wait_until_empty(engine, settings, order, timeout)
            talk(f"{queue} is drained: nothing is in flight. Go on with: rung resume {queue}")
    if as_json:
        print_json({"action": "drain", "target": queue, "in_flight": flying, "dry_run": dry_run})


def _to_realtime(engine: Engine, target: str, *, dry_run: bool) -> None:
    """Before the run goes on."""
    with engine.connect() as connection:
        run = find_run(connection, target)
    if dry_run:
        talk(f"{run.name} would leave the {run.lane} lane: the rest of it at full price.")
        return
    moved = end_lane(engine, actor(), run.id, run.name)
    talk(f"{run.name} is in the realtime lane now, at full price: {moved} jobs were moved.")


def _order(
    engine: Engine,
    settings: Settings,
    action: str,
    target: str | None,
    tier: str | None,
    *,
    because: str | None = None,
    to: str | None = None,
) -> Order:
    """On a queue, or on a run. Raises UsageError for neither, both, or a name that means both."""
    if (target is None) == (tier is None):
        raise UsageError("Name a run, everything, or a --tier.", mend=f"rung {action} --help")
    if tier is not None:
        return Order(action=action, queue=queue_named(settings.queues, tier), because=because)
    with engine.connect() as connection:
        if target in (*settings.queues, EVERYTHING):
            try:
                run = find_run(connection, target)
            except Missing:
                return Order(action=action, queue=target, because=because)
            raise UsageError(
                f"{target} is a queue, and a run is called so too.",
                mend=f"rung {action} --tier {target}, or the run by its number: {run.id}",
            )
        try:
            chosen = choose(connection, action, target, None)
        except Missing:
            _may_mean_queue(connection, settings, action, target or "")
            raise
    return Order(action=action, chosen=chosen, because=because, to=to)


def _may_mean_queue(connection: Connection, settings: Settings, action: str, target: str) -> None:
    """Raises Missing where a name that no run has is nearer to a tier's than to any run's: who goes
    by what is proposed must not pause something else."""
    queues = (*settings.queues, EVERYTHING)
    near = nearest_name(target, (*queues, *recent_names(connection)))
    if near in queues:
        raise Missing(
            f"There is no run or tier called {target!r}. Did you mean {near}?",
            mend=f"rung {action} {near}",
        )


def _wait_until_empty(engine: Engine, settings: Settings, order: Order, timeout: float) -> int:
    """Zero. Raises RungError when something is in flight for too long."""
    deadline = time.monotonic() + timeout
    while flying := int(look(engine, settings, order).before):
        if time.monotonic() >= deadline:
            raise RungError(
                f"{order.queue} is paused, and {flying:,} still in flight after {timeout:.0f} s.",
                mend=f"to wait on: rung drain {order.queue}",
            )
        time.sleep(LOOK_EVERY_S)
    return 0
