"""A role of Postgres without rights."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from worker.store.address import read_database
from worker.store.engine import make_engine


@pytest.fixture
def poor(engine: Engine, database_url: str) -> Iterator[Engine]:
    """A role that may connect and nothing more, and its engine."""
    with engine.begin() as connection:
        name = f"poor_{connection.engine.url.database}"
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'x'"))
    made = make_engine(
        str(
            read_database(database_url)
            .set(username=name, password="x")
            .render_as_string(hide_password=False)
        )
    )
    yield made
    made.dispose()
    with engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {name}"))
        connection.execute(text(f"DROP ROLE {name}"))
