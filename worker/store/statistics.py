"""Statistics after a great change, so that plans are made for what is there now.

No statement depends on them (`tests/integration/store/test_any_statistics.py`); they keep ordinary
plans good until autovacuum comes round. A role that does not own the tables is passed over by
Postgres, with a warning in its log.
"""

from sqlalchemy import Connection, text

MANY = 1_000
"""Rows that came or changed; fewer change no plan."""


def after_intake(connection: Connection, rows: int) -> None:
    """Analyses what an intake has filled, a sample of 3,000 rows a table; by rows submitted. Who
    waits for the command would wait for ten times as many half a second longer."""
    if rows >= MANY:
        connection.execute(FEWER)
        connection.execute(ANALYZE_INTAKE)


def after_submission(connection: Connection, rows: int) -> None:
    """Analyses what a round of submissions has written; by requests sent."""
    if rows >= MANY:
        connection.execute(ANALYZE_SUBMISSION)


FEWER = text("SET LOCAL default_statistics_target = 10")
ANALYZE_INTAKE = text("ANALYZE jobs, messages")
ANALYZE_SUBMISSION = text("ANALYZE attempts, calls, message_batches")
