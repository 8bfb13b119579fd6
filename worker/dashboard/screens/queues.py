"""Queues as people see them: how they stand, how fast they go, and what limits them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from models.vocabulary import ROUTING
from worker.dashboard.context import Dashboard
from worker.domain.limits import Used
from worker.store.reading import screens
from worker.store.reading.queue_holds import failed_canaries
from worker.store.reading.queue_states import WELL, QueueState, queue_state, starved
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.status import QueueStanding, queues
from worker.store.rows import as_document


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueShown(QueueStanding):
    """A queue with its oldest wait, in seconds, and what was done a minute (None: not known yet);
    `used` of its rate limits, which are those of `limit_of`; jobs that its canary failed on."""

    a_minute: float | None
    oldest_s: float | None
    limit_of: str
    used: Used | None
    failed_jobs: Sequence[int]
    waited_s: float | None = None
    """Since when the oldest waits, for a budget too."""
    state: QueueState = WELL

    @property
    def share(self) -> float | None:
        """Of the nearest limit, 0 to 1; None without one."""
        return self.used.share if self.used is not None else None

    @property
    def nearest(self) -> str:
        """The limit that it is nearest to."""
        return self.used.nearest if self.used is not None else ""


def read_queues(dashboard: Dashboard, connection: Connection) -> list[QueueShown]:
    """The queues with what was done a minute, the oldest wait, limits and troubles."""
    waits = screens.oldest_waits(connection, dashboard.queues)
    failed = failed_canaries(connection)
    return [
        QueueShown(
            **as_document(line),
            a_minute=dashboard.rates.a_minute(line.queue),
            oldest_s=waits.get(line.queue),
            limit_of=dashboard.settings.routing_tier if line.queue == ROUTING else line.queue,
            used=dashboard.used(line.queue),
            failed_jobs=[
                job for one in failed if one.tier == line.queue for job in one.failed_jobs
            ],
        )
        for line in queues(connection, dashboard.queues)
    ]


def as_they_stand(
    lines: Sequence[QueueShown],
    runs: Sequence[RunStanding],
    stops: Mapping[int, dt.datetime],
    *,
    halted: bool,
) -> list[QueueShown]:
    """The queues with their state, and with how long the oldest has waited: for its turn, or for a
    budget."""
    found = []
    for line in lines:
        tier = "" if line.queue == ROUTING else line.queue
        ages = [
            (run.now - stops[run.id]).total_seconds()
            for run in runs
            if run.id in stops and (run.rest or {}).get("open", {}).get(tier)
        ]
        waited = [age for age in (line.oldest_s, *ages) if age is not None]
        state = queue_state(line, halted=halted, out_of_money=starved(line, runs))
        found.append(replace(line, waited_s=max(waited, default=None), state=state))
    return found
