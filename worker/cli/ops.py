"""`rung retry, cancel, pause, resume`: what people do, each with a preview and an audit event."""

import getpass
import sys
from decimal import Decimal
from typing import Any

import click
from sqlalchemy import Engine, Row

from worker.cli.speech.amounts import DOLLARS
from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.output import print_json, talk
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.domain.filter_parsing import parse
from worker.domain.wording import dollars
from worker.errors import RungError, UsageError
from worker.store.actions import ops
from worker.store.actions.filtered import CANCEL, RETRY, Foreseen, Target, act, foresee
from worker.store.audit import Actor
from worker.store.reading.status import queues
from worker.store.runs import find_run

EVERYTHING = "everything"
JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Say how many, and the expected cost; change nothing."
)
WHERE = click.option("--where", help="Which jobs: 'reason contains schema and age < 1d'.")


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
@DRY_RUN
@JSON
def pause(target: str | None, tier: str | None, reason: str, dry_run: bool, as_json: bool) -> None:
    """Stop claiming: a run, a tier, or everything. What is in flight is finished."""
    settings = load_settings()
    with database(settings) as engine:
        if (queue := _queue(settings, target, tier)) is not None:
            if dry_run:
                _would(as_json, "pause", queue, _waiting(engine, settings, queue))
                return
            ops.pause_tier(engine, actor(), queue, reason)
            _said(as_json, "pause", queue, 1)
            return
        run = _run(engine, target)
        if run.state != "active":
            raise RungError(f"Run {run.name} is {run.state}, so it cannot be paused.")
        if dry_run:
            _would(as_json, "pause", run.name, _open(engine, run.id))
            return
        ops.pause_run(engine, actor(), run.id, run.name, reason)
    _said(as_json, "pause", run.name, 1)


@click.command()
@click.argument("target", metavar="RUN|TIER|everything", required=False, shell_complete=RUN)
@click.option("--tier", help="A tier, or routing.")
@click.option("--budget", type=DOLLARS, help="Dollars that the run may cost from now on, in all.")
@DRY_RUN
@JSON
def resume(
    target: str | None, tier: str | None, budget: Decimal | None, dry_run: bool, as_json: bool
) -> None:
    """Go on with what was paused; raise a run's budget."""
    settings = load_settings()
    with database(settings) as engine:
        if (queue := _queue(settings, target, tier)) is not None:
            if dry_run:
                _would(as_json, "resume", queue, _waiting(engine, settings, queue))
                return
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
        if dry_run:
            _would(as_json, "resume", run.name, _open(engine, run.id))
            return
        ops.resume_run(engine, actor(), run.id, run.name, budget)
    _said(as_json, "resume", run.name, 1)


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@WHERE
@DRY_RUN
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
def cancel(run: str | None, where: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """End the open jobs of a run, or those that a filter chooses. Answers in flight are paid for,
    recorded and not used."""
    with database() as engine:
        target, found = target_of(engine, run, where)
        foreseen = _foresee(engine, CANCEL, target)
        if dry_run:
            _said(as_json, CANCEL, target.name, foreseen.jobs, foreseen=foreseen)
            return
        confirm(f"Cancel {foreseen.jobs} open jobs of {target.name}?", yes)
        if found is not None and where is None:
            count = ops.cancel_run(engine, actor(), found.id, found.name)
        else:
            count = act(engine, actor(), CANCEL, target)
    _said(as_json, CANCEL, target.name, count)


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@WHERE
@DRY_RUN
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
def retry(run: str | None, where: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Give dead jobs another try, of a run or those that a filter chooses, where they stood.

    Jobs in review have their result, and a result never changes: answer those anew with
    `rung reprocess`.
    """
    with database() as engine:
        target, found = target_of(engine, run, where)
        if found is not None and found.state == "cancelled":
            raise RungError(f"Run {found.name} is cancelled; its jobs cannot be retried.")
        foreseen = _foresee(engine, RETRY, target)
        if dry_run:
            _said(as_json, RETRY, target.name, foreseen.jobs, foreseen=foreseen)
            return
        count = foreseen.jobs
        if count:
            confirm(f"Retry {count} jobs of {target.name}? Each may cost money.", yes)
            if found is not None and where is None:
                count = ops.retry_run(engine, actor(), found.id, found.name)
            else:
                count = act(engine, actor(), RETRY, target)
    _said(as_json, RETRY, target.name, count)


def target_of(engine: Engine, run: str | None, where: str | None) -> tuple[Target, Row[Any] | None]:
    """Which jobs are meant, and the run where one is named. Raises UsageError for neither."""
    if run is None and where is None:
        raise UsageError("Name a run, or choose jobs with --where.", mend="rung retry --help")
    node = parse(where) if where is not None else None
    if run is None:
        return Target(node), None
    found = _run(engine, run)
    return Target(node, found.id, found.name), found


def _foresee(engine: Engine, action: str, target: Target) -> Foreseen:
    with engine.connect() as connection:
        return foresee(connection, action, target)


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
    return queue_named(settings, tier)


def queue_named(settings: Settings, name: str) -> str:
    """The queue of this name, or `everything`. Raises UsageError."""
    if name not in (*settings.tiers, "routing", EVERYTHING):
        raise UsageError(
            f"There is no tier {name!r}.", mend=f"one of: routing, {', '.join(settings.tiers)}"
        )
    return name


def _waiting(engine: Engine, settings: Settings, queue: str) -> int:
    """Messages that wait in the queue, or in all of them."""
    names = ["routing", *settings.tiers] if queue == EVERYTHING else [queue]
    with engine.connect() as connection:
        return sum(line["waiting"] for line in queues(connection, names))


def _open(engine: Engine, run_id: int) -> int:
    with engine.connect() as connection:
        return ops.open_jobs(connection, run_id)


def _would(as_json: bool, action: str, target: str, waiting: int) -> None:
    """What a pause or a resumption is about."""
    if as_json:
        print_json({"action": action, "target": target, "affected": waiting, "dry_run": True})
        return
    effect = "would wait" if action == "pause" else "would go on"
    talk(f"{waiting} messages of {target} {effect}.")


def _run(engine: Engine, name: str | None) -> Row[Any]:
    with engine.connect() as connection:
        return find_run(connection, name or "")


def confirm(question: str, yes: bool) -> None:
    """Asks, unless `yes`. Raises UsageError when nobody is there to ask, Abort on a no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("This changes many jobs, and nobody is here to ask.", mend="add --yes")
    click.confirm(question, abort=True, err=True)


def _said(
    as_json: bool, action: str, target: str, count: int, *, foreseen: Foreseen | None = None
) -> None:
    """What was done; with `foreseen`, what would be."""
    if as_json:
        document: dict[str, Any] = {
            "action": action,
            "target": target,
            "affected": count,
            "dry_run": foreseen is not None,
        }
        if foreseen is not None:
            expected = foreseen.expected
            document["expected"] = expected.as_document() if expected is not None else None
        print_json(document)
        return
    would = "would be" if foreseen is not None else "was" if count == 1 else "were"
    noun = "job" if count == 1 else "jobs"
    what = f"{count} {noun} of {target}" if action in (CANCEL, RETRY) else target
    done = {"cancel": "cancelled", "retry": "retried", "pause": "paused", "resume": "resumed"}
    talk(f"{what} {would} {done[action]}.")
    if foreseen is not None and foreseen.jobs:
        _say_expected(action, foreseen)


def _say_expected(action: str, foreseen: Foreseen) -> None:
    expected = foreseen.expected
    if expected is None:
        talk("Nothing is recorded yet to say what that costs.")
        return
    verb = "would cost about" if action == RETRY else "would save up to about"
    talk(
        f"That {verb} {dollars(expected.usd)}, {dollars(expected.low)} to"
        f" {dollars(expected.high)} ({expected.basis})."
    )
