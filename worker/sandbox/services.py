"""Starts what is not configured, and says plainly where everything is."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from worker.config.addresses import FILE_NAME, SIMULATOR_KEY, Services, write_services
from worker.config.settings import Settings
from worker.sandbox.children import end_leftovers, remember
from worker.sandbox.claude import simulator_in
from worker.sandbox.embedded import EmbeddedServer, Server
from worker.sandbox.home import only_one, prepare, socket_directory
from worker.sandbox.postgres import start_postgres
from worker.sandbox.redis import Redis, free_port, start_redis


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The environment for worker processes, and what is embedded."""

    environ: dict[str, str]
    services: Services
    home: Path
    embedded: Sequence[EmbeddedServer] = ()
    left_over: Sequence[int] = ()
    """Pids of an earlier `rung up` that was killed, ended now."""

    @property
    def simulated(self) -> bool:
        """Whether the simulator answers in Claude's place."""
        return self.services.anthropic_base_url is not None


@contextmanager
def sandbox(
    settings: Settings,
    *,
    say: Callable[[str], None],
    latency_scale: float = 1.0,
    seed: int = 7,
) -> Iterator[Running]:
    """Everything that a worker needs, running; embedded services end with the block. Postgres
    keeps its data for the next time. `say` hears what is not as it should be."""
    home = prepare(settings.home)
    embedded = list[EmbeddedServer]()
    with ExitStack() as stack:
        stack.enter_context(only_one(home))
        left_over = end_leftovers(home)
        database, redis = settings.database_url, settings.redis_url

        def start(name: str, how: Callable[[], Server]) -> str:
            embedded.append(EmbeddedServer(name, how))
            stack.callback(embedded[-1].stop)
            return embedded[-1].server.url

        if database is None:
            data = socket_directory(home) / "postgres"
            database = start("Postgres", partial(start_postgres, data))
        if redis is None:
            redis = start("Redis", partial(_redis, home, free_port()))
            if redis.startswith("redis://"):
                say("No Redis was found, so fakeredis stands in for it: slowly.")
        base_url = settings.anthropic_base_url
        simulated = settings.anthropic_api_key is None
        if simulated:
            base_url = start("The simulated Claude", simulator_in(home, latency_scale, seed))
        services = Services(
            pid=os.getpid(),
            database_url=database if settings.database_url is None else None,
            redis_url=redis if settings.redis_url is None else None,
            anthropic_base_url=base_url if simulated else None,
        )
        write_services(home, services)
        stack.callback((home / FILE_NAME).unlink, missing_ok=True)
        environ = {"DATABASE_URL": database, "REDIS_URL": redis, "RUNG_HOME": str(home)}
        if simulated:
            environ |= {"ANTHROPIC_API_KEY": SIMULATOR_KEY, "ANTHROPIC_BASE_URL": str(base_url)}
        yield Running(
            environ=environ,
            services=services,
            home=home,
            embedded=embedded,
            left_over=left_over,
        )


def _redis(home: Path, fake_port: int) -> Redis:
    server = start_redis(socket_directory(home) / "redis", fake_port=fake_port)
    remember(home, server.pid)
    return server
