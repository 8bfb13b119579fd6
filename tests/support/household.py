"""Builds a house to break things in: see `house.House` for what can be done in it."""

import contextlib
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support import servers as serving
from tests.support.house import House
from tests.support.proxy import proxied
from tests.support.zygote import Zygote
from worker.sandbox.redis import free_port, start_redis
from worker.sandbox.simulator.server import running
from worker.sandbox.simulator.state import State
from worker.store.engine import make_engine

IN_FLIGHT = 4
"""Calls that each worker holds at each tier; routing shares haiku's."""
TIERS = ("haiku", "sonnet", "opus")
CAPACITY = IN_FLIGHT * len(TIERS)
"""Calls in flight in one worker: the most that its death may waste."""
TIMING = {
    "connect_s": 1,
    "call_deadline_s": 2,
    "lease_s": 4,
    "stop_timeout_s": 6,
    "visibility_timeout_s": 12,
    "redispatch_s": 2,
    "housekeeping_s": 0.2,
    "rescue_s": 0.5,
}
"""Seconds: the default's chain, thirty to sixty times faster."""


def rung_toml(latency: str = "") -> str:
    """A worker's configuration: small, fast, without rate limits and canaries."""
    tiers = "".join(
        f'[tiers.{tier}]\nmodel = "claude-{tier}-5-5"\nmax_in_flight = {IN_FLIGHT}\n'
        for tier in TIERS
    )
    timing = "".join(f"{name} = {value}\n" for name, value in TIMING.items())
    return f"{tiers}[timing]\n{timing}[worker]\nchunk = 5\n[canary]\nenabled = false\n{latency}"


def postgres_socket(url: str) -> str:
    """The path of the unix socket behind an embedded server's URL."""
    return parse_qs(urlsplit(url).query)["host"][0] + "/.s.PGSQL.5432"


@contextlib.contextmanager
def house(
    servers: serving.Servers,
    root: Path,
    zygote: Zygote,
    *,
    seed: int,
    latency_scale: float = 0.0,
    settings: Mapping[str, Any] | None = None,
    toml: str = "",
) -> Iterator[House]:
    """A house with nobody in it. Whatever was started in it is killed at the end, by pid."""
    for name in ("logs", "tmp", ".rung"):
        (root / name).mkdir(parents=True)
    (root / "rung.toml").write_text(rung_toml(toml))
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(serving.cloned(servers, "t"))
        state = State(seed=seed, latency_scale=latency_scale)
        claude_url = stack.enter_context(running(state))
        # Redis's own files lie beside the house: they are no place that Rung writes to.
        server = start_redis(root.parent / f"{root.name}-redis", free_port())
        stack.callback(lambda: made.redis_server.stop())
        lines = {
            "claude": stack.enter_context(proxied(("127.0.0.1", urlsplit(claude_url).port or 0))),
            "redis": stack.enter_context(proxied(("127.0.0.1", urlsplit(server.url).port or 0))),
            "postgres": stack.enter_context(proxied(postgres_socket(url))),
        }
        engine = make_engine(url)
        stack.callback(engine.dispose)
        made = House(
            root, url, engine, server, state, claude_url, lines, zygote, random.Random(seed)
        )
        made.settings = settings or {}
        made.moods()
        try:
            yield made
        finally:
            for worker in made.workers:
                worker.kill()
