"""A database for tests that put rows into the tables and roll back."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from tests.support.near_misses import Rows
from tests.support.servers import Servers, cloned
from worker.store.engine import make_engine


@pytest.fixture(scope="session")
def shared_engine(servers: Servers) -> Iterator[Engine]:
    """An engine on a database that such tests share, and leave as it was."""
    with cloned(servers, "t") as url:
        made = make_engine(url, pool_size=2)
        yield made
        made.dispose()


@pytest.fixture
def rows(shared_engine: Engine) -> Iterator[Rows]:
    """Makes rows in a transaction that is rolled back."""
    with shared_engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("SET LOCAL statement_timeout = '10s'"))
        yield Rows(connection)
        transaction.rollback()
