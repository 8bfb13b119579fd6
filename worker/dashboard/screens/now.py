"""What the first page shows, read in one transaction."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from worker.config.prices import price_of
from worker.dashboard.context import Dashboard
from worker.dashboard.screens.ladder import picture
from worker.dashboard.screens.ladder_picture import Picture
from worker.dashboard.screens.nights import night_troubles
from worker.dashboard.screens.outlook import headline
from worker.dashboard.screens.plots import Plot, hour
from worker.dashboard.screens.queues import QueueShown, read_queues, redis_away, surrounding
from worker.dashboard.screens.side_troubles import (
    batch_troubles,
    certificate_troubles,
    delivery_troubles,
    late_troubles,
    lookup_troubles,
)
from worker.dashboard.screens.troubles import ScreenTrouble, ended_badly, troubles
from worker.domain.bill import Bill, make_bill
from worker.domain.bill import comparable as enough_ended
from worker.runs.timetables import read_schedules
from worker.store.actions.selection import database_now
from worker.store.queue import deliveries
from worker.store.queue.lookup_failures import failing_lookups
from worker.store.queue.rounds import late
from worker.store.reading import screens
from worker.store.reading.batches import (
    BatchesUnderWay,
    OpenBatch,
    batches_under_way,
    unconfirmed,
)
from worker.store.reading.bill import spend_of
from worker.store.reading.doubts import doubtful
from worker.store.reading.minutes import last_hour
from worker.store.reading.outlook import Outlook, ended_outlook, read_outlooks
from worker.store.reading.queue_states import WITHOUT_REDIS, QueueNow, stops_of
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.screens import WorkerSeen
from worker.store.reading.standings import LIVE_MOST, LIVE_SHOWN, last_runs, live_runs
from worker.store.reading.status import (
    DayBudget,
    QueueStanding,
    paused_everything,
    today,
)

RECENT = 3
"""Runs that the first page shows while none is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What the first page shows. `shown` are the live runs, or the last one where there is none:
    `picture`, `bill`, `cap` and `reserved` are of these together, in dollars; `recent` are the last
    ones while none is live."""

    headline: Outlook
    troubles: Sequence[ScreenTrouble]
    queues: Sequence[QueueShown]
    everything: str | None
    live: Sequence[tuple[RunStanding, Outlook]]
    recent: Sequence[tuple[RunStanding, Outlook]]
    shown: Sequence[RunStanding]
    picture: Picture
    history: Sequence[Plot]
    bill: Bill
    comparable: bool
    cap: Decimal | None
    reserved: Decimal
    day: DayBudget | None
    workers: Sequence[WorkerSeen]
    batches: BatchesUnderWay


def read_now(dashboard: Dashboard, connection: Connection) -> Now:
    """Everything that the first page shows."""
    going = live_runs(connection, LIVE_MOST)
    live = going[:LIVE_SHOWN]
    last = last_runs(connection, 1 if live else RECENT)
    shown = live or last[:1]
    everything = paused_everything(connection)
    stops = stops_of(connection, going)
    lines = read_queues(dashboard, connection, going, stops)
    away = redis_away(dashboard, lines)
    outlooks = outlooks_of(dashboard, connection, live, lines)
    day = today(connection)
    hands = screens.workers(connection)
    return Now(
        headline=_headline(
            live, outlooks, last, lines, halted=everything is not None, redis_away=away
        ),
        troubles=troubles(
            lines,
            live,
            outlooks,
            now=database_now(connection),
            everything=everything,
            day=day,
            redis_away=away,
            stops=stops,
            last_seen=last_seen(hands),
            more=[
                *_late(connection, lines),
                *_aside(dashboard, connection, [] if live else last[:1]),
            ],
        ),
        queues=lines,
        everything=everything,
        live=list(zip(live, outlooks, strict=True)),
        recent=[] if live else [(run, ended_outlook(run)) for run in last],
        shown=shown,
        picture=read_picture(dashboard, connection, shown),
        history=hour(last_hour(connection)),
        bill=read_bill(dashboard, connection, shown),
        comparable=comparable(shown),
        cap=_sum(run.cap for run in shown),
        reserved=sum((run.reserved for run in shown), Decimal(0)),
        day=day,
        workers=[w for w in hands if w.alive],
        batches=batches_under_way(connection),
    )


def _headline(
    live: Sequence[RunStanding],
    outlooks: list[Outlook],
    last: Sequence[RunStanding],
    lines: Sequence[QueueNow],
    *,
    halted: bool,
    redis_away: bool,
) -> Outlook:
    return headline(
        live,
        outlooks,
        last[0] if last else None,
        _stopped(lines),
        halted=halted,
        unmanned=not any(line.workers for line in lines),
        without_redis=redis_away,
    )


def last_seen(workers: Sequence[WorkerSeen]) -> dt.datetime | None:
    """When the last of them was heard of; None while one is alive, or where none is known."""
    if any(worker.alive for worker in workers):
        return None
    return max((worker.seen_at for worker in workers), default=None)


def _late(connection: Connection, lines: Sequence[QueueStanding]) -> list[ScreenTrouble]:
    """Routines that do not come round; where nobody is there to do anything, that is said once."""
    if any(line.waiting for line in lines) and not any(line.workers for line in lines):
        return []
    return late_troubles(late(connection))


def _aside(
    dashboard: Dashboard, connection: Connection, ended: Sequence[RunStanding]
) -> list[ScreenTrouble]:
    """What is wrong beside queues and runs under way."""
    return [
        *lookup_troubles(failing_lookups(connection)),
        *batch_troubles(unconfirmed(connection)),
        *night_troubles(read_schedules(connection, dashboard.settings)),
        *ended_badly(ended),
        *certificate_troubles(doubtful(connection)),
        *delivery_troubles(deliveries.standing(connection)),
    ]


def _stopped(lines: Sequence[QueueNow]) -> list[str]:
    """Queues where messages wait and none is sent, if there is no other where any is, or is in a
    batch."""
    busy = [line for line in lines if line.waiting or line.in_flight or line.in_batches]
    halted = [
        line.queue
        for line in busy
        if not line.workers
        or line.state == WITHOUT_REDIS
        or (not line.in_flight and (line.paused or line.breaker == "open"))
    ]
    return halted if len(halted) == len(busy) else []


def outlooks_of(
    dashboard: Dashboard,
    connection: Connection,
    runs: Sequence[RunStanding],
    lines: Sequence[QueueShown] | None = None,
    batches: Sequence[OpenBatch] | None = None,
) -> list[Outlook]:
    """For each run, will it be done on time? `lines` are the queues, if read already, and `batches`
    those of the one run that is asked for."""
    return read_outlooks(connection, runs, surrounding(dashboard, connection, lines), batches)


def read_picture(
    dashboard: Dashboard, connection: Connection, runs: Sequence[RunStanding]
) -> Picture:
    """The ladder of these runs together."""
    tiers, ids = dashboard.settings.tiers, [run.id for run in runs]
    return picture(
        list(tiers),
        screens.counts_of(connection, ids),
        screens.escalations_of(connection, ids),
        {name: tier.model for name, tier in tiers.items()},
        screens.decided_of(connection, ids),
        [run.name for run in runs],
    )


def comparable(runs: Sequence[RunStanding]) -> bool:
    """Whether enough of these runs has ended for a comparison with one tier alone."""
    return enough_ended(sum(run.ended for run in runs), sum(run.total for run in runs))


def read_bill(dashboard: Dashboard, connection: Connection, runs: Sequence[RunStanding]) -> Bill:
    """What these runs have cost so far, against what has ended on the top tier alone. What was
    paid for rejected answers is left out: nobody keeps that sum."""
    settings = dashboard.settings
    return make_bill(
        ", ".join(run.name for run in runs),
        spend_of(connection, [run.id for run in runs]),
        resolved=sum(run.jobs("answered") for run in runs),
        jobs=sum(run.ended for run in runs),
        rejected_answers=Decimal(0),
        ladder={name: tier.model for name, tier in settings.tiers.items()},
        price_of=lambda model: price_of(model, settings.prices),
    )


def _sum(caps: Iterable[Decimal | None]) -> Decimal | None:
    """Of the caps; None when one of the runs has none."""
    given = list(caps)
    known = [cap for cap in given if cap is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(given) else None
