"""Advisory locks that are held for longer than one transaction of ours.

Each is held by a transaction of its own that does nothing else: between us and Postgres there may
be a pooler, which gives a session to whoever has a transaction, so a lock of the session's would
soon be somebody else's. Such a transaction holds no snapshot and no row, and so keeps neither
vacuum nor anybody waiting.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, TextClause, text
from sqlalchemy.exc import DBAPIError


@contextmanager
def holding(engine: Engine, attempt: TextClause, values: Mapping[str, Any]) -> Iterator[bool]:
    """Whether `attempt` (a `pg_try_advisory_xact_lock`) got the lock, which is held until the end
    of the block, or of this process."""
    with engine.connect() as connection:
        mine = bool(connection.execute(attempt, values).scalar_one())
        # Second, for it also ends the first one's portal, which would keep its snapshot.
        connection.execute(MAY_IDLE)
        if not mine:
            connection.commit()
        try:
            yield mine
        finally:
            with suppress(DBAPIError):
                connection.commit()


MAY_IDLE = text("SET LOCAL idle_in_transaction_session_timeout = 0")
