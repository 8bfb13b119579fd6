"""What the outlooks of runs have in common: how the queues stand just now."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from worker.config import redis_reach
from worker.config.addresses import assumed_turnaround_s
from worker.config.settings import Settings
from worker.domain.hold_words import NO_REDIS
from worker.store.reading.status import QueueStanding, queues, troubles


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrounding:
    """What the outlooks of runs have in common: queues as `queues` gives them, and what a batch is
    taken to need (seconds) while too few have ended."""

    queues: Sequence[QueueStanding]
    assumed_turnaround_s: float
    redis_away: bool = False
    """Whether Redis is known not to answer."""

    @property
    def halted(self) -> bool:
        """Whether everything is paused."""
        return any(line.halted for line in self.queues)

    def troubles(self, connection: Connection) -> list[str]:
        """Why queues do not go on, in sentences."""
        return [*([NO_REDIS] if self.redis_away else []), *troubles(connection)]


def surrounding_of(
    connection: Connection,
    settings: Settings,
    *,
    lines: Sequence[QueueStanding] | None = None,
    redis_away: bool | None = None,
) -> Surrounding:
    """As things are just now, of the queues that are configured; `lines` and `redis_away` where
    they are known already. Redis is asked for where messages wait and none is in flight: it may be
    out of reach from here, and work well for the workers."""
    if lines is None:
        lines = queues(connection, settings.queues)
    if redis_away is None:
        idle = any(line.waiting for line in lines) and not any(line.in_flight for line in lines)
        redis_away = idle and redis_reach.is_away(settings)
    return Surrounding(
        queues=lines,
        assumed_turnaround_s=assumed_turnaround_s(settings),
        redis_away=redis_away,
    )
