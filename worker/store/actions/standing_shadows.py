"""Finished runs whose shadows nobody has asked about yet."""

from sqlalchemy import Connection, text

from worker.store.rows import columns, values_of
from worker.store.runs import StoredRun


def owing(connection: Connection) -> StoredRun | None:
    """One of them, locked until the end of the transaction; those that another holds are passed
    over."""
    return next(iter(values_of(StoredRun, connection.execute(OWING))), None)


def asked(connection: Connection, run: StoredRun) -> None:
    """Everything has been asked about its shadows."""
    connection.execute(ASKED, {"run": run.id})


# A run that took in more after its end is asked about again when that is done.
OWING = text(f"""
SELECT {columns(StoredRun)} FROM runs WHERE shadow_share > 0 AND state = 'finished'
  AND kind IN ('backlog', 'reprocess')
  AND (shadows_asked_at IS NULL OR shadows_asked_at < finished_at)
ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
""")  # noqa: S608
ASKED = text("UPDATE runs SET shadows_asked_at = clock_timestamp() WHERE id = :run")
