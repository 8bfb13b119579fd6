"""`rung status`: one run, or everything that is going on."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from shlex import quote
from typing import Any

import click
from sqlalchemy import Connection, Engine

from models.vocabulary import EVERYTHING
from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, echo, print_json, talk
from worker.cli.views.run_lines import print_run, share_of
from worker.config.addresses import is_simulated
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.domain.hold_words import NO_REDIS, unmanned_words
from worker.domain.wording import count, dollars, span
from worker.errors import UsageError
from worker.store.engine import SCREEN_WITHIN_S, at_one_moment
from worker.store.queue.deliveries import standing
from worker.store.queue.lookup_failures import failing_lookups
from worker.store.queue.presence import noted
from worker.store.queue.rounds import late
from worker.store.reading.batches import BatchesUnderWay, batches_of, batches_under_way
from worker.store.reading.doubts import DoubtfulCertificate, doubtful
from worker.store.reading.outlook import Outlook, read_outlooks
from worker.store.reading.queue_holds import SHORT_HOLD_S, queue_holds
from worker.store.reading.queue_states import ON_TRIAL, QueueNow, queue_states
from worker.store.reading.run_document import run_document
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.screens import workers
from worker.store.reading.standings import LIVE_MOST, live_runs, standing_of
from worker.store.reading.status import (
    DayBudget,
    QueueStanding,
    paused_everything,
    today,
)
from worker.store.reading.surrounding import surrounding_of
from worker.store.rows import as_document
from worker.store.runs import find_run


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@click.option("--watch", is_flag=True, help="Follow the run to its end; or all that goes on.")
@JSON
@click.pass_context
def status(ctx: click.Context, run: str | None, watch: bool, as_json: bool) -> None:
    """How a run stands, or everything that is going on."""
    settings = load_settings()
    with database(settings, SCREEN_WITHIN_S) as engine:
        if run is None:
            if watch:
                _watch_all(settings, as_json)
            _overview(engine, settings, as_json)
            return
        if watch:
            from worker.cli.watch import watch as follow

            code = follow(engine, settings, run)
            if not as_json:
                ctx.exit(code)
        with at_one_moment(engine) as connection:
            found = standing_of(connection, find_run(connection, run).id)
            batches, around = batches_of(connection, found), surrounding_of(connection, settings)
            document = run_document(connection, found, around, batches)
        if as_json:
            print_json(document)
        else:
            print_run(
                found,
                document["outlook"]["words"],
                document["troubles"],
                batches,
                simulated=is_simulated(settings),
            )
        ctx.exit(code if watch else 0)


def _watch_all(settings: Settings, as_json: bool) -> None:
    """What the dashboard's first page shows, until Ctrl-C."""
    from worker.cli.views.live import follow
    from worker.cli.views.now import NowView
    from worker.cli.views.outage import Outliving

    if as_json:
        raise UsageError(
            "--watch --json needs a run to wait for.", mend="rung status RUN --watch --json"
        )
    with closing(NowView(settings)) as view:
        follow(Outliving(view))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that is going on, and what is wrong with it."""

    live: Sequence[RunStanding]
    seen: Sequence[Outlook]
    queues: Sequence[QueueNow]
    batches: BatchesUnderWay
    everything_paused: str | None
    day: DayBudget | None
    doubts: Sequence[DoubtfulCertificate]
    said: Sequence[str]
    """What the JSON of each run has: why queues stand still."""
    alarms: Sequence[str]
    unmanned: str
    """That no worker is there at all; empty while one is."""


def _overview(engine: Engine, settings: Settings, as_json: bool) -> None:
    with at_one_moment(engine) as connection:
        found = _read_overview(connection, settings)
    if as_json:
        print_json(_document(found))
    else:
        _say(found, simulated=is_simulated(settings))


def _read_overview(connection: Connection, settings: Settings) -> Overview:
    live = live_runs(connection, LIVE_MOST)
    around = surrounding_of(connection, settings)
    lines = queue_states(connection, around.queues, live, redis_away=around.redis_away)
    return Overview(
        live=live,
        seen=read_outlooks(connection, live, around),
        queues=lines,
        batches=batches_under_way(connection),
        everything_paused=paused_everything(connection),
        day=today(connection),
        doubts=doubtful(connection),
        said=around.troubles(connection),
        unmanned=_unmanned(connection, lines),
        alarms=[
            *([NO_REDIS] if around.redis_away else []),
            *_holds(connection, lines),
            *(f"Worker {who} ended itself: {words}" for who, words in noted(connection)),
            *(
                f"No worker gets this done, for {span(step.seconds)} now: {step.step}"
                for step in late(connection)
            ),
            *(lookup.words for lookup in failing_lookups(connection)),
        ],
    )


def _unmanned(connection: Connection, lines: Sequence[QueueNow]) -> str:
    left, held = (sum(q.waiting for q in lines), sum(q.in_flight for q in lines))
    if not left + held or any(line.workers for line in lines):
        return ""
    hands = workers(connection)
    since = max((one.seen_at for one in hands), default=None)
    now = hands[0].now if hands else dt.datetime.now(dt.UTC)
    return unmanned_words(left=left, in_flight=held, since=since, now=now)


def _holds(connection: Connection, lines: Sequence[QueueStanding]) -> Iterator[str]:
    """What is paused, held or left alone: by whom or why, since when, and how many wait there."""
    for hold in queue_holds(connection):
        if hold.lasts:
            meant = [line for line in lines if hold.name in (EVERYTHING, line.queue)]
            if not hold.passes or any(line.waiting or line.in_flight for line in meant):
                yield hold.words_with(sum(line.waiting for line in meant))
    for webhook in standing(connection):
        if webhook.paused_at is not None:
            yield f"{webhook.pause_words} (go on with: rung deliver resume {quote(webhook.name)})"


def _document(found: Overview) -> dict[str, Any]:
    """As `--json` gives it."""
    day = found.day
    return {
        "runs": [
            {**run.as_document(), "outlook": one.as_document(), "troubles": found.said}
            for run, one in zip(found.live, found.seen, strict=True)
        ],
        "queues": [line.as_document() for line in found.queues],
        "batches_under_way": found.batches.as_document(),
        "everything_paused": found.everything_paused,
        "day": as_document(day, "overrun") if day is not None else None,
        "certificates": [as_document(doubt) for doubt in found.doubts],
    }


def _say(found: Overview, *, simulated: bool) -> None:
    for words in found.alarms:
        talk(words, fg="red")
    for doubt in found.doubts:
        talk(doubt.words, fg="red" if doubt.state == "void" else "yellow")
    if found.unmanned:
        talk(f"{found.unmanned}. Start one: rung up", fg="red")
    else:
        for line in found.queues:
            _say_unmanned(line)
    _print_queues(found.queues)
    for line in found.queues:
        if line.state == ON_TRIAL:
            echo(f"{line.trial_words}.")
    if found.batches.words:
        echo(f"Batches: {found.batches.words}.")
    for run, one in zip(found.live, found.seen, strict=True):
        print_run(run, one.words, simulated=simulated)
    day = found.day
    if day is not None and day.budget_usd is not None:
        of = f"{dollars(day.spent_usd)} of {dollars(day.budget_usd)}"
        talk(f"Today: {of} spent{share_of(day.spent_usd, day.budget_usd)}")
    if not found.live:
        talk("No run is going on. Submit one with: rung enqueue FILE")


def _say_unmanned(line: QueueStanding) -> None:
    """That a queue has no worker, where others have some."""
    kept = line.stands or line.held_s >= SHORT_HOLD_S or line.breaker != "closed"
    if not kept and not line.workers and line.waiting:
        wait = "waits" if line.waiting == 1 else "wait"
        talk(f"{line.queue}: {line.waiting:,} {wait}, and no worker is there", fg="red")


def _print_queues(lines: Sequence[QueueNow]) -> None:
    from worker.cli.speech.tables import FittingTable

    batched = any(line.in_batches for line in lines)
    headings = ("queue", "waiting", "in flight", *(["in batches"] if batched else []), "workers")
    table = FittingTable(*headings, "state", box=None, pad_edge=False)
    for line in lines:
        figures = [count(line.waiting), count(line.in_flight)]
        figures += [count(line.in_batches or None)] if batched else []
        table.add_row(line.queue, *figures, str(line.workers), line.state.word)
    console().print(table)
