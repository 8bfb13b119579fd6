"""A dashboard of one's own, and a browser's view of it."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.support.web import browsing, dashboard
from tests.support.works import settings_for
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State


@pytest.fixture
def settings(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], redis_url=redis_url)


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx2.Client]:
    with dashboard(settings) as url, browsing(url) as found:
        yield found
