"""A browser, a dashboard over a fresh database, and runs that have ended in every way."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.chromium import BODIES, launched
from tests.support.promises import do
from tests.support.web import dashboard
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.addresses import SIMULATOR_KEY
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests of a module."""
    with launched() as browser:
        yield browser


@pytest.fixture
def settings(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(
        database_url, simulator[1], redis_url=redis_url, anthropic_api_key=SIMULATOR_KEY
    )


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with dashboard(settings) as address:
        yield address


@pytest.fixture
def worked(engine: Engine, settings: Settings) -> None:
    """A run that has ended in every way, and one that is open."""
    hand_in(engine, settings, BODIES, name="day")
    with working(settings) as runtime:
        drain(runtime)
    do(engine, "UPDATE jobs SET state = 'dead', reason = 'schema' WHERE id IN (2, 3)")
    do(engine, "UPDATE jobs SET state = 'answered' WHERE state = 'review'")
    do(engine, "UPDATE jobs SET state = 'review', reason = 'low_confidence' WHERE id = 4")
    hand_in(engine, settings, BODIES, name="open")
    do(engine, "UPDATE runs SET finished_at = now(), state = 'finished' WHERE name = 'day'")
