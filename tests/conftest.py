"""Real servers, a fresh database for each test, and no way out to the internet."""

import gc
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_client
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from tests.support import servers as serving
from worker.sandbox.simulator.server import running
from worker.sandbox.simulator.state import State
from worker.store.engine import make_engine

RUN_ID = "RUNG_TEST_RUN"
"""Hexadecimal; of a run that is named already, the servers are used and left running."""
NAMED_HERE = pytest.StashKey[bool]()
settings.register_profile(
    "rung", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("long", settings.get_profile("rung"), max_examples=20_000)
"""For an hour to spare: `--hypothesis-profile=long`."""
settings.load_profile("rung")


def pytest_configure(config: pytest.Config) -> None:
    """Names the run, for xdist's workers to share its servers, and forgets real credentials."""
    gc.disable()  # until everything is collected
    if RUN_ID not in os.environ:
        os.environ[RUN_ID] = uuid.uuid4().hex[:10]
        config.stash[NAMED_HERE] = True
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_") or name in ("DATABASE_URL", "REDIS_URL", "RUNG_CONFIG"):
            del os.environ[name]
    # Nobody speaks TLS here, and each client would load some hundred authorities.
    os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "data" / "authority.pem")
    guard_sockets()


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end, so the garbage collector never walks it:
    that was a fifth of the suite's own CPU."""
    gc.enable()
    gc.set_threshold(20_000, 20, 20)
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Whoever named the run ends its servers: xdist's controller, mostly."""
    if config.stash.get(NAMED_HERE, False):
        serving.end(os.environ.pop(RUN_ID))


def guard_sockets() -> None:
    """Connections leave for loopback and unix sockets only: a live call is impossible."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX:
            host = address[0] if isinstance(address, tuple) else ""
            if host not in ("127.0.0.1", "::1", "localhost"):
                raise RuntimeError(f"a test tried to reach {host}")
        real(self, address)  # type: ignore[arg-type]

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]


@pytest.fixture(scope="session")
def servers() -> serving.Servers:
    """The run's Postgres and Redis."""
    return serving.shared(os.environ[RUN_ID])


@pytest.fixture(scope="session")
def databases(servers: serving.Servers) -> Iterator[serving.Stock]:
    """Fresh databases, made ahead."""
    stock = serving.Stock(servers)
    yield stock
    stock.close()


@pytest.fixture
def database_url(databases: serving.Stock) -> Iterator[str]:
    """A fresh, migrated database."""
    with databases.database() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the fresh database."""
    made = make_engine(database_url, pool_size=5)
    yield made
    made.dispose()


@pytest.fixture
def redis_url(servers: serving.Servers) -> Iterator[str]:
    """An empty logical database of the run's Redis, this worker's own."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
    url = servers.redis_url.removesuffix("/0") + f"/{number}"
    client = redis_client.Redis.from_url(url)
    client.flushdb()
    yield url
    client.flushdb()
    client.close()


@pytest.fixture
def simulator() -> Iterator[tuple[State, str]]:
    """A simulated Claude that answers at once, with its state at hand."""
    state = State(latency_scale=0)
    with running(state) as url:
        yield state, url


@pytest.fixture
def configured(
    database_url: str,
    redis_url: str,
    simulator: tuple[State, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everything by environment, as a command finds it, and an empty working directory."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", simulator[1])
    monkeypatch.chdir(tmp_path)
