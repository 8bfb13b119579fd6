"""Alembic's environment: one migration at a time, short waits, a transaction for each revision.

Migrations must not break the previous version of the code: expand first, contract in a later
release (`docs/decisions/`). Two hosts that start together wait for one another by an advisory
lock; a migration that cannot get its table locks within `LOCK_TIMEOUT` gives up instead of
queueing in front of the workers.
"""

import os
from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.pool import NullPool

from models.tables import Base

LOCK_TIMEOUT = "10s"
STATEMENT_TIMEOUT = "15min"
MIGRATION_LOCK = 0x52554E47
"""Advisory lock key: "RUNG" in ASCII."""


def run(connection: Connection) -> None:
    """Migrate over an open connection, while another holds the lock: by a transaction and not by
    its session, which behind a pooler is nobody's."""
    with connection.engine.connect() as keeper:
        keeper.execute(text("SET LOCAL lock_timeout = 0"))
        keeper.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        keeper.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        event.listen(connection, "begin", _short_waits)
        connection.rollback()
        _migrate(connection)
        event.remove(connection, "begin", _short_waits)


def _short_waits(connection: Connection) -> None:
    """Before each transaction."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


def run_offline() -> None:
    """Print the SQL: `alembic upgrade head --sql`."""
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Migrate the connection that the caller handed over, or `DATABASE_URL`."""
    given: Any = context.config.attributes.get("connection")
    if given is not None:
        run(given)
        return
    engine = create_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
    with engine.connect() as connection:
        run(connection)


if context.is_offline_mode():
    run_offline()
else:
    run_online()
