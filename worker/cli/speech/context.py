"""What most commands begin with: settings, a database that is reachable and migrated."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from worker.config.addresses import database_url
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.errors import RungError
from worker.store.complaints import Acting
from worker.store.engine import COMMAND_WITHIN_S, acting_through, make_engine, reaching_postgres
from worker.store.schema_check import require_current


@contextmanager
def database(
    settings: Settings | None = None, within_s: float = COMMAND_WITHIN_S
) -> Iterator[Engine]:
    """An engine; a server that answers nothing for `within_s` seconds is given up. Raises
    Unreachable or SchemaBehind, each with the command that mends it."""
    settings = settings or load_settings()
    engine = make_engine(
        database_url(settings),
        pool_size=2,
        connect_s=settings.timing.connect_s,
        name="rung cli",
        within_s=within_s,
    )
    try:
        with reaching_postgres(engine):
            require_current(engine)
        yield engine
    finally:
        engine.dispose()


def acting_here() -> Acting | None:
    """As whom commands work in the database that is configured; None where none can be asked."""
    try:
        engine = make_engine(database_url(load_settings()), pool_size=1, name="rung cli")
    except RungError:
        return None
    try:
        return acting_through(engine)
    finally:
        engine.dispose()
