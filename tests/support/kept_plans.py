"""How much a worker's statements read with plans that are kept: made once, knowing no values."""

import pkgutil
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

import worker.store.queue
from tests.support.backlog_rows import put_back
from tests.support.plan_values import BEFORE
from tests.support.plan_work import STOPPED
from tests.support.planning import FEW, LIMIT_MS, TIMES, Filled
from tests.support.statements import BIG
from worker.store.queue import intake, trial

KEPT, MADE_ANEW = "force_generic_plan", "force_custom_plan"


def greedy(filled: Filled, moment: str) -> list[str]:
    """Statements that read far more with a kept plan than with one made for their values, under the
    statistics of a moment."""
    found = list[str]()
    queue = {module.name for module in pkgutil.iter_modules(worker.store.queue.__path__)}
    with filled.engine.connect() as connection:
        put_back(connection, filled.moments[moment])
        connection.commit()
        for name, tried in filled.tried.items():
            if name.partition(".")[0] in queue and "%(" not in tried[0]:
                kept, anew = (_read(connection, name, how, *tried) for how in (KEPT, MADE_ANEW))
                if kept > max(FEW, TIMES * anew):
                    found.append(f"{name} at {moment!r} reads {kept:,.0f} instead of {anew:,.0f}")
    return found


def _read(
    connection: Connection, name: str, how: str, statement: str, values: dict[str, Any]
) -> float:
    """Rows of the big tables that were read; infinitely many when it took too long."""
    driver = connection.connection.driver_connection
    assert driver is not None, "it is connected"
    driver.prepare_threshold = 0
    connection.execute(text(f"SET LOCAL plan_cache_mode = {how}"))
    connection.execute(text(f"SET LOCAL statement_timeout = {LIMIT_MS}"))
    if before := BEFORE.get(name):
        for table in (intake.STAGE, trial.TRIED, trial.TRYING):
            connection.execute(table)
        connection.execute(text(before))
    try:
        before_it = connection.execute(ROWS, {"tables": list(BIG)}).scalar_one()
        connection.execute(text(statement), values)
        read = connection.execute(ROWS, {"tables": list(BIG)}).scalar_one() - before_it
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", "") != STOPPED:
            raise
        read = float("inf")
    connection.rollback()
    return float(read)


ROWS = text("""
SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)
FROM pg_stat_xact_user_tables WHERE relname = ANY(:tables)
""")
