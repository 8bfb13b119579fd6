"""`rung status`: one run, or everything that is going on."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal

import click
from sqlalchemy import Engine

from models.vocabulary import ROUTING
from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.output import SIMULATED, console, echo, print_json, talk
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.domain.text import terminal_safe
from worker.domain.wording import dollars, percent, span
from worker.errors import UsageError
from worker.store.queue.lookup_failures import failing_lookups
from worker.store.queue.presence import noted
from worker.store.queue.rounds import late
from worker.store.reading.doubts import doubtful
from worker.store.reading.outlook import read_outlooks, run_document
from worker.store.reading.queue_holds import queue_holds
from worker.store.reading.queue_states import QueueState, queue_state, starved
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.standings import live_runs, standing_of
from worker.store.reading.status import (
    OpenBatch,
    QueueStanding,
    batches_of,
    paused_everything,
    today,
    troubles,
)
from worker.store.reading.surrounding import read_surrounding
from worker.store.rows import as_document
from worker.store.runs import find_run

LIVE_MOST = 200


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@click.option("--watch", is_flag=True, help="Follow the run to its end; or all that goes on.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.pass_context
def status(ctx: click.Context, run: str | None, watch: bool, as_json: bool) -> None:
    """How a run stands, or everything that is going on."""
    settings = load_settings()
    with database(settings) as engine:
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
        with engine.connect() as connection:
            found = standing_of(connection, find_run(connection, run).id)
            around = read_surrounding(
                connection, [ROUTING, *settings.tiers], settings.batch.turnaround_s
            )
            document = run_document(connection, found, around)
            batches = batches_of(connection, found.id) if found.lane != "realtime" else []
        if as_json:
            more = {"batches": [*map(as_document, batches)]} if found.lane != "realtime" else {}
            print_json(document | more)
        else:
            print_run(found, document["outlook"]["words"], document["troubles"], batches)
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


def _overview(engine: Engine, settings: Settings, as_json: bool) -> None:
    with engine.connect() as connection:
        live = live_runs(connection, LIVE_MOST)
        held = queue_holds(connection)
        said = troubles(connection)
        names, assumed_s = [ROUTING, *settings.tiers], settings.batch.turnaround_s
        around = read_surrounding(connection, names, assumed_s)
        seen = read_outlooks(connection, live, around)
        paused, day = paused_everything(connection), today(connection)
        troubled = noted(connection)
        steps = late(connection)
        lookups = failing_lookups(connection)
        doubts = doubtful(connection)
    states = {
        line.queue: queue_state(line, halted=around.halted, out_of_money=starved(line, live))
        for line in around.queues
    }
    if as_json:
        runs = [
            {**run.as_document(), "outlook": one.as_document(), "troubles": said}
            for run, one in zip(live, seen, strict=True)
        ]
        queues = [
            as_document(line, "breaker_s") | {"state": states[line.queue].word}
            for line in around.queues
        ]
        spent = as_document(day, "overrun") if day is not None else None
        named = {"certificates": [as_document(doubt) for doubt in doubts]}
        all_of_it = {"runs": runs, "queues": queues, "everything_paused": paused, "day": spent}
        print_json(all_of_it | named)
        return
    for hold in held:
        if hold.paused:
            talk(hold.words_now, fg="red")
    for worker, words in troubled:
        talk(f"Worker {worker} ended itself: {words}", fg="red")
    for step in steps:
        talk(f"No worker gets this done, for {span(step.seconds)} now: {step.step}", fg="red")
    for lookup in lookups:
        talk(terminal_safe(lookup.words), fg="red")
    for doubt in doubts:
        talk(terminal_safe(doubt.words), fg="red" if doubt.state == "void" else "yellow")
    for line in around.queues:
        _say_trouble(line)
    _print_queues(around.queues, states)
    for found, one in zip(live, seen, strict=True):
        print_run(found, one.words)
    if day is not None and day.budget_usd is not None:
        of = f"{dollars(day.spent_usd)} of {dollars(day.budget_usd)}"
        talk(f"Today: {of} spent{_share(day.spent_usd, day.budget_usd)}")
    if not live:
        talk("No run is going on. Submit one with: rung enqueue FILE")


def _say_trouble(line: QueueStanding) -> None:
    """What keeps a queue that is not paused."""
    name = line.queue
    if line.paused:
        return
    if line.held_s:
        left = span(line.held_s)
        talk(f"{name} is held for {left}: {line.held_reason}. At once: rung resume {name}")
    elif line.breaker != "closed":
        words = "is open" if line.breaker == "open" else "lets one call through at a time"
        talk(f"The breaker of {name} {words}: {line.breaker_reason}.", fg="red")
        talk(f"It closes by itself when calls go well; at once with: rung resume {name}")
    elif not line.workers and line.waiting:
        talk(f"{name}: {line.waiting} wait, and no worker is there", fg="red")


def _print_queues(lines: Sequence[QueueStanding], states: Mapping[str, QueueState]) -> None:
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(
        "queue", "waiting", "in flight", "workers", "state", box=None, pad_edge=False
    )
    for line in lines:
        cells = (line.queue, line.waiting, line.in_flight, line.workers, states[line.queue].word)
        table.add_row(*map(str, cells))
    console().print(table)


def print_run(
    found: RunStanding,
    outlook: str,
    troubles: Sequence[str] = (),
    batches: Sequence[OpenBatch] = (),
) -> None:
    """A run for a person; `outlook` says whether it will be done in time."""
    echo(f"{found.name}: {found.state_word}, {found.ended:,} of {found.total:,} done")
    echo(f"  outlook     {outlook}")
    echo(f"  jobs        {', '.join(found.state_words) or 'none'}")
    tiers = [f"{jobs} {tier}" for tier, jobs in found.by_tier.items()]
    echo(f"  tiers       {', '.join(tiers) or 'none yet'}")
    echo(f"  escalations {found.escalations}, calls {found.calls}")
    cap = f" of {dollars(found.cap)}" if found.cap is not None else ""
    held = f", {dollars(found.reserved)} reserved" if found.reserved else ""
    echo(f"  spent       {dollars(found.spent)}{cap}{held}{_share(found.spent, found.cap)}")
    for line in _batch_lines(batches):
        echo(line)
    for trouble in troubles:
        echo(f"  trouble     {trouble}")
    if found.state_reason:
        echo(f"  note        {found.state_reason}")
    if found.simulated:
        echo(f"  {SIMULATED}")


def _batch_lines(batches: Sequence[OpenBatch]) -> Iterator[str]:
    """How many are at Claude and for how long, and what is wrong with any."""
    held = [batch for batch in batches if batch.state != "intended"]
    if held:
        requests = sum(batch.requests for batch in held)
        oldest = max(batch.age_s for batch in held) / 60
        yield f"  batches     {len(held)} at Claude, {requests:,} requests, oldest {oldest:.0f} min"
    for batch in batches:
        if batch.error:
            yield terminal_safe(f"  trouble     batch {batch.batch}: {batch.error}")


def _share(spent: Decimal, cap: Decimal | None) -> str:
    """`, 83 % of the budget`, where there is one and something is spent."""
    return f", {percent(spent / cap)} of the budget" if cap and spent else ""
