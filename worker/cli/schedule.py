"""`rung schedule`: what runs by itself at night, and one night by hand."""

import datetime as dt
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from worker.cli.speech.completion import SCHEDULE
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, print_json, talk
from worker.config.loading import load_settings
from worker.domain.text import terminal_safe
from worker.domain.wording import ago, jobs_words, run_state_word
from worker.runs.nights import Fired, fire_now
from worker.runs.timetables import ScheduleStanding, read_schedules
from worker.store.actions.schedules import LastNight

if TYPE_CHECKING:
    from rich.console import Console

START_ONE = "rung up, or: celery -A worker.app beat"


@click.group(invoke_without_command=True)
@JSON
@click.pass_context
def schedule(ctx: click.Context, as_json: bool) -> None:
    """What runs by itself at night: when it ran last, what came of it, when it is due next."""
    if ctx.invoked_subcommand is None:
        show_list(as_json)


@schedule.command("list", short_help="Every schedule: its last night, and when it is due next.")
@JSON
def list_schedules(as_json: bool) -> None:
    """Every schedule of rung.toml: last night, what came of it, and when it is due next."""
    show_list(as_json)


@schedule.command("run", short_help="Do tonight's run of a schedule now, once.")
@click.argument("name", metavar="NAME", shell_complete=SCHEDULE)
@click.option("--again", is_flag=True, help="Make another run, though tonight's is made.")
@click.option("--watch", "follow", is_flag=True, help="Follow the run until it ends.")
@JSON
@click.pass_context
def run_schedule(ctx: click.Context, name: str, again: bool, follow: bool, as_json: bool) -> None:
    """Do tonight's run of a schedule now, once: for cron, Kubernetes, Airflow or Dagster.

    Repeating it on the same local date makes nothing new. Exit codes: 0 done, or nothing to do;
    1 failed; 4 refused by max_cost. With --watch: 3 when the run has dead jobs, 4 when its budget
    stopped it.
    """
    from worker.cli.speech.person import actor

    settings = load_settings()
    with database(settings) as engine:
        fired = fire_now(engine, settings, name, actor(), again=again)
        if as_json:
            print_json(document_of(fired))
        if fired.error is not None:
            raise fired.error
        if not as_json:
            _say_fired(fired)
        if follow and fired.night.run is not None:
            from worker.cli.watch import watch

            ctx.exit(watch(engine, settings, fired.night.run))


def show_list(as_json: bool) -> None:
    """Lists all schedules."""
    settings = load_settings()
    with database(settings) as engine, engine.connect() as connection:
        rows = read_schedules(connection, settings)
    if as_json:
        print_json([row.as_document() for row in rows])
        return
    if not rows:
        talk("There is no schedule. Add [schedule.nightly] to rung.toml: docs/scheduling.md.")
        return
    for row in rows:
        _print(row)
    _say_nobody_looks(rows)


def document_of(fired: Fired) -> dict[str, Any]:
    """A night as JSON values."""
    night = fired.night
    return {
        "schedule": fired.name,
        "night": night.night,
        "outcome": str(night.state),
        "run": night.run,
        "jobs": night.jobs,
        "words": night.words,
        "repeated": fired.repeated,
    }


def _print(row: ScheduleStanding) -> None:
    out = console()
    out.print(terminal_safe(f"{row.name}  ({row.cron}, {row.timezone}, {row.lane})"))
    _say(out, "where", terminal_safe(row.where))
    _say(out, "next", _when(row.next))
    last = row.last
    if last is None:
        _say(out, "last", "never")
    else:
        _say(out, "last", _outcome(last), "red" if last.state == "failed" else None)
    if row.overdue_since is not None:
        out.print(f"  OVERDUE since {_when(row.overdue_since)}", style="red")


def _say(out: "Console", label: str, words: str, style: str | None = None) -> None:
    """A labelled line; on a terminal, what is too long goes on under its own beginning."""
    line = f"  {label:<6} {words}"
    if out.is_terminal:
        line = textwrap.fill(line, out.width, subsequent_indent=" " * 9, break_on_hyphens=False)
    out.print(line, style=style)


def _outcome(last: LastNight) -> str:
    """`2026-11-24: run nightly-2026-11-24, finished: 30 answered, 1 review`."""
    words = terminal_safe(last.words or "")
    if last.state == "failed":
        return f"{last.night}: FAILED: {words}"
    if last.state == "nothing":
        return f"{last.night}: nothing to do: {words}"
    states = ", ".join(jobs_words(last.by_state or {}))
    run = terminal_safe(last.run or "a run that is purged")
    note = f" ({words})" if words else ""
    state = run_state_word(last.run_state or "gone")
    return f"{last.night}: run {run}, {state}: {states or '–'}{note}"


def _when(moment: dt.datetime | None) -> str:
    return "never" if moment is None else f"{moment:%a %Y-%m-%d %H:%M %Z}"


def _say_nobody_looks(rows: Sequence[ScheduleStanding]) -> None:
    seen = max((row.seen_at for row in rows if row.seen_at is not None), default=None)
    if seen is None:
        talk(f"No scheduler has looked yet. Start one: {START_ONE}", fg="yellow")
    elif all(row.unwatched for row in rows):
        talk(f"No scheduler has looked since {ago(seen)}. Start one: {START_ONE}", fg="yellow")


def _say_fired(fired: Fired) -> None:
    night = fired.night
    if fired.repeated:
        talk(f"Nothing new: {fired.name} made run {night.run} for {night.night} already.")
    elif night.run is None:
        talk(f"{fired.name}, {night.night}: nothing to do, {night.words}.")
    else:
        talk(f"{fired.name}, {night.night}: run {night.run} with {night.jobs:,} jobs.")
