"""What the outlooks of runs have in common: how the queues stand just now."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from models.vocabulary import ROUTING
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


def surrounding_of(connection: Connection, settings: Settings) -> Surrounding:
    """As things are just now, of the queues that are configured. Redis is asked for where messages
    wait and none is in flight: it may be out of reach from here, and work well for the workers."""
    found = queues(connection, [ROUTING, *settings.tiers])
    idle = any(line.waiting for line in found) and not any(line.in_flight for line in found)
    return Surrounding(
        queues=found,
        assumed_turnaround_s=assumed_turnaround_s(settings),
        redis_away=idle and redis_reach.is_away(settings),
    )


def read_surrounding(
    connection: Connection,
    names: Sequence[str],
    assumed_turnaround_s: float,
    *,
    redis_away: bool = False,
) -> Surrounding:
    """As things are just now; `names` are `routing` and the tiers."""
    return Surrounding(
        queues=queues(connection, names),
        assumed_turnaround_s=assumed_turnaround_s,
        redis_away=redis_away,
    )
