"""What every page needs: settings, an engine, the limiter, and what is simulated."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import redis
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from models.vocabulary import ROUTING
from worker.claude.rate_limits import Limiter, buckets_of, connect, limits_of
from worker.config.addresses import database_url, is_simulated, redis_url
from worker.config.current import CurrentSettings
from worker.config.settings import Settings
from worker.dashboard.live import Live
from worker.domain.limits import Used
from worker.errors import RungError
from worker.store.engine import SCREEN_STATEMENT_S, SCREEN_WITHIN_S, make_engine
from worker.store.reading.rates import Throughput

REDIS_S = 0.5
"""A screen waits no longer than this for Redis; it then says that Redis is away."""
UPLOADS_AT_ONCE = 3
"""Files that are read at a time; further ones wait, so that threads, connections and most of a
processor stay for pages, whatever the files hold."""
Brought = TypeVar("Brought")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One for each process that serves the dashboard; on `app.state.dashboard`."""

    config: CurrentSettings
    engine: Engine
    limiter: Limiter | None
    simulated: bool
    rates: Throughput
    live: Live
    uploads: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, UPLOADS_AT_ONCE))

    async def reading(self, read: Callable[..., Brought], *given: object) -> Brought:
        """What `read` makes of a file that was uploaded, when its turn has come."""
        async with self.uploads:
            return await run_in_threadpool(read, *given)

    @property
    def settings(self) -> Settings:
        """As they are now: a policy that was added a moment ago can be chosen."""
        return self.config.now()

    def used(self, queue: str) -> Used | None:
        """What the queue's tier used of its limits in the last minute; None if Redis is away."""
        if self.limiter is None:
            return None
        tier = self.settings.routing_tier if queue == ROUTING else queue
        return self.limiter.usage(buckets_of(self.settings)[tier])


def dashboard_of(request: Request) -> Dashboard:
    """The dashboard that serves this request."""
    found: Dashboard = request.app.state.dashboard
    return found


def make_dashboard(settings: Settings) -> Dashboard:
    """Raises Unreachable when no database is named. Redis and Claude may be missing: the screens
    that need them say so."""
    engine = make_engine(
        database_url(settings),
        pool_size=5,
        connect_s=settings.timing.connect_s,
        name="rung dashboard",
        statement_s=SCREEN_STATEMENT_S,
        within_s=SCREEN_WITHIN_S,
    )
    return Dashboard(
        config=CurrentSettings(settings),
        engine=engine,
        limiter=_limiter(settings),
        simulated=is_simulated(settings),
        rates=Throughput(engine),
        live=Live(),
    )


def _limiter(settings: Settings) -> Limiter | None:
    try:
        client: redis.Redis = connect(redis_url(settings), REDIS_S)
    except RungError:
        return None
    return Limiter(client, limits_of(settings))
