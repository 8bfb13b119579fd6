"""Fixtures of the HTTP API's tests."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.support.apis import Api, api_over
from tests.support.works import settings_for
from worker.sandbox.simulator.state import State


@pytest.fixture
def api(
    engine: Engine, database_url: str, redis_url: str, simulator: tuple[State, str]
) -> Iterator[Api]:
    """The API over a database of its own, with nothing in it."""
    with api_over(engine, settings_for(database_url, simulator[1], redis_url=redis_url)) as served:
        yield served
