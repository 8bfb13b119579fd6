"""`rung retry, cancel, pause, resume`: what people do, each with a preview and an audit event."""

import getpass
import sys
from decimal import Decimal
from typing import Any

import click
from sqlalchemy import Engine, Row

from worker.cli.completion import RUN
from worker.cli.context import database
from worker.cli.output import print_json, talk
from worker.errors import RungError, UsageError
from worker.loading import load_settings
from worker.settings import Settings
from worker.store import ops
from worker.store.ops import Actor
from worker.store.runs import find_run

EVERYTHING = "everything"
JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say how many; change nothing.")


def actor() -> Actor:
    """The person at this terminal."""
    try:
        return Actor(getpass.getuser())
    except (KeyError, OSError):
        return Actor("unknown")


@click.command()
@click.argument("target", metavar="RUN|TIER|everything", required=False, shell_complete=RUN)
@click.option("--tier", help="A tier, or routing.")
@click.option("--reason", default="paused by hand", help="Shown wherever people look.")
@JSON
def pause(target: str | None, tier: str | None, reason: str, as_json: bool) -> None:
    """Stop claiming: a run, a tier, or everything. What is in flight is finished."""
    settings = load_settings()
    with database(settings) as engine:
        if (queue := _queue(settings, target, tier)) is not None:
            ops.pause_tier(engine, actor(), queue, reason)
            _said(as_json, "pause", queue, 1)
            return
        run = _run(engine, target)
        if run.state != "active":
            raise RungError(f"Run {run.name} is {run.state}, so it cannot be paused.")
        ops.pause_run(engine, actor(), run.id, run.name, reason)
    _said(as_json, "pause", run.name, 1)


@click.command()
@click.argument("target", metavar="RUN|TIER|everything", required=False, shell_complete=RUN)
@click.option("--tier", help="A tier, or routing.")
@click.option("--budget", type=Decimal, help="Dollars that the run may cost from now on, in all.")
@JSON
def resume(target: str | None, tier: str | None, budget: Decimal | None, as_json: bool) -> None:
    """Go on with what was paused; raise a run's budget."""
    settings = load_settings()
    with database(settings) as engine:
        if (queue := _queue(settings, target, tier)) is not None:
            if not ops.resume_tier(engine, actor(), queue):
                talk(f"{queue} was not paused.")
            _said(as_json, "resume", queue, 1)
            return
        run = _run(engine, target)
        if run.state in ("finished", "cancelled"):
            raise RungError(
                f"Run {run.name} is {run.state}; there is nothing to go on with.",
                mend=f"rung retry {run.name} gives dead jobs another try",
            )
        with engine.connect() as connection:
            spent = ops.committed(connection, run.id)
        if budget is not None and budget < spent:
            raise UsageError(
                f"{run.name} has spent or reserved ${spent:.4f} already; a budget of"
                f" ${budget} is too small.",
                mend=f"rung resume {run.name} --budget {spent * 2:.2f}",
            )
        ops.resume_run(engine, actor(), run.id, run.name, budget)
    _said(as_json, "resume", run.name, 1)


@click.command()
@click.argument("run", shell_complete=RUN)
@DRY_RUN
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
def cancel(run: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """End the open jobs of a run. Answers in flight are paid for, recorded and not used."""
    with database() as engine:
        found = _run(engine, run)
        with engine.connect() as connection:
            count = ops.open_jobs(connection, found.id)
        if dry_run:
            _said(as_json, "cancel", found.name, count, dry_run=True)
            return
        _confirm(f"Cancel {count} open jobs of run {found.name}?", yes)
        count = ops.cancel_run(engine, actor(), found.id, found.name)
    _said(as_json, "cancel", found.name, count)


@click.command()
@click.argument("run", shell_complete=RUN)
@DRY_RUN
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
def retry(run: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Give a run's dead jobs another try, at the tier where they stood.

    Jobs in review have their result, and a result never changes: answer those anew in another run.
    """
    with database() as engine:
        found = _run(engine, run)
        if found.state == "cancelled":
            raise RungError(f"Run {found.name} is cancelled; its jobs cannot be retried.")
        with engine.connect() as connection:
            count = ops.retryable(connection, found.id)
        if dry_run:
            _said(as_json, "retry", found.name, count, dry_run=True)
            return
        if count:
            _confirm(f"Retry {count} jobs of run {found.name}? Each may cost money.", yes)
            count = ops.retry_run(engine, actor(), found.id, found.name)
    _said(as_json, "retry", found.name, count)


def _queue(settings: Settings, target: str | None, tier: str | None) -> str | None:
    """The queue that is meant, or None when it is a run."""
    if (target is None) == (tier is None):
        raise UsageError("Name a run, everything, or a --tier.", mend="rung pause --help")
    if target == EVERYTHING:
        return EVERYTHING
    if target in (*settings.tiers, "routing"):
        return target
    if tier is None:
        return None
    if tier not in (*settings.tiers, "routing"):
        raise UsageError(
            f"There is no tier {tier!r}.", mend=f"one of: routing, {', '.join(settings.tiers)}"
        )
    return tier


def _run(engine: Engine, name: str | None) -> Row[Any]:
    with engine.connect() as connection:
        return find_run(connection, name or "")


def _confirm(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("This changes many jobs, and nobody is here to ask.", mend="add --yes")
    click.confirm(question, abort=True, err=True)


def _said(as_json: bool, action: str, target: str, count: int, *, dry_run: bool = False) -> None:
    if as_json:
        document = {"action": action, "target": target, "affected": count, "dry_run": dry_run}
        print_json(document)
        return
    would = "would be" if dry_run else "was" if count == 1 else "were"
    what = f"{count} jobs of {target}" if action in ("cancel", "retry") else target
    done = {"cancel": "cancelled", "retry": "retried", "pause": "paused", "resume": "resumed"}
    talk(f"{what} {would} {done[action]}.")
