"""Queues as people see them: how they stand, how fast they go, and what limits them."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from models.vocabulary import ROUTING
from worker.dashboard.context import Dashboard
from worker.domain.limits import Used
from worker.store.reading.queue_holds import SHORT_HOLD_S, failed_canaries
from worker.store.reading.queue_states import QueueNow, queue_states
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.status import queues
from worker.store.reading.surrounding import Surrounding, surrounding_of
from worker.store.rows import as_document


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueShown(QueueNow):
    """A queue with what was done a minute (None: not known yet); `used` of its rate limits, which
    are those of `limit_of`; jobs that its canary failed on."""

    a_minute: float | None
    limit_of: str
    used: Used | None
    failed_jobs: Sequence[int]

    @property
    def share(self) -> float | None:
        """Of the nearest limit, 0 to 1; None without one."""
        return self.used.share if self.used is not None else None

    @property
    def nearest(self) -> str:
        """The limit that it is nearest to."""
        return self.used.nearest if self.used is not None else ""

    @property
    def again(self) -> str | None:
        """What a button says that lets it go on by hand; None where it goes on."""
        if self.paused:
            return f"Resume {self.queue}"
        kept = self.breaker != "closed" or self.held_s >= SHORT_HOLD_S
        return f"Try {self.queue} at once" if kept else None


def read_queues(
    dashboard: Dashboard,
    connection: Connection,
    runs: Sequence[RunStanding],
    stops: Mapping[int, dt.datetime] | None = None,
) -> list[QueueShown]:
    """The queues with what was done a minute, the oldest wait, limits and troubles; `runs` are
    those that are under way, `stops` since when budgets have stopped them, if known already."""
    failed = failed_canaries(connection)
    lines = queues(connection, dashboard.settings.queues)
    used = {line.queue: dashboard.used(line.queue) for line in lines}
    away = _says_nothing(dashboard, used.values())
    return [
        QueueShown(
            **as_document(line),
            a_minute=dashboard.rates.a_minute(line.queue),
            limit_of=dashboard.settings.routing_tier if line.queue == ROUTING else line.queue,
            used=used[line.queue],
            # One may have failed twice.
            failed_jobs=sorted(
                {job for one in failed if one.tier == line.queue for job in one.failed_jobs}
            ),
        )
        for line in queue_states(connection, lines, runs, stops, redis_away=away)
    ]


def redis_away(dashboard: Dashboard, lines: Sequence[QueueShown] | None) -> bool:
    """Whether it does not say how much of the limits is used: as it was when the queues were read,
    or else asked once, for one that hangs is waited for each time."""
    return _says_nothing(
        dashboard, [line.used for line in lines] if lines else [dashboard.used(ROUTING)]
    )


def surrounding(
    dashboard: Dashboard, connection: Connection, lines: Sequence[QueueShown] | None = None
) -> Surrounding:
    """What the outlooks of runs rest on; `lines` are the queues, if read already."""
    away = redis_away(dashboard, lines)
    return surrounding_of(connection, dashboard.settings, lines=lines, redis_away=away)


def _says_nothing(dashboard: Dashboard, used: Iterable[Used | None]) -> bool:
    return dashboard.limiter is not None and all(one is None for one in used)
