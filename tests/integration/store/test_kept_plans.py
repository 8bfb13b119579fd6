"""Plans that Postgres keeps for a connection: made once, and never for long."""

import re
import time

import psycopg
import pytest
from sqlalchemy import Engine, text

from tests.support.places import ROOT
from worker.store.locks import holding
from worker.store.sessions import PLANNED, PLANS_KEPT_S

LOOK = text("SELECT count(*) FROM jobs WHERE id = CAST(:id AS bigint)")
OFTEN = 12
"""psycopg prepares after five times; Postgres keeps a plan after five more."""
UNCOMMITTED = {"chunks.py", "trial.py"}
"""What gives its connection on with an open transaction, and what never keeps anything."""


@pytest.fixture
def one_connection(engine: Engine) -> Engine:
    """Its pool hands the same connection out while it is used by one at a time."""
    engine.dispose()
    return engine


def looked(engine: Engine, number: int = OFTEN) -> int:
    """Looks so often; in how many of them a kept plan served."""
    for _ in range(number):
        with engine.begin() as connection:
            connection.execute(LOOK, {"id": 1})
    with engine.begin() as connection:
        return int(connection.execute(KEPT).scalar_one())


def plan(engine: Engine) -> str:
    """The plan that serves now."""
    with engine.begin() as connection:
        name = connection.execute(NAME).scalar_one()
        return str(connection.exec_driver_sql(f"EXPLAIN EXECUTE {name}(1)").all())


def test_a_worker_keeps_plans_until_a_transaction_is_rolled_back(one_connection: Engine) -> None:
    # when
    before = looked(one_connection)
    with holding(one_connection, text("SELECT pg_try_advisory_xact_lock(1)"), {}):
        pass
    between = looked(one_connection, 1)
    with one_connection.connect() as connection:
        connection.execute(LOOK, {"id": 1})
    # then
    assert 0 < before < between
    assert looked(one_connection, 1) == 0


def test_a_plan_of_an_empty_table_does_not_serve_for_long(
    one_connection: Engine, database_url: str
) -> None:
    # given
    with one_connection.begin() as connection:
        connection.execute(text("ALTER TABLE jobs SET (autovacuum_enabled = off)"))
    with one_connection.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE jobs"))
    looked(one_connection)
    with psycopg.connect(database_url) as another:  # To change its role makes a session forget.
        another.execute("SET LOCAL session_replication_role = replica")
        another.execute(FILL)
    while_kept = plan(one_connection)
    # when
    with one_connection.begin() as connection:
        connection.info[PLANNED] -= PLANS_KEPT_S + 1
    # then
    assert "Seq Scan" in while_kept
    assert "Index" in plan(one_connection)


def test_plans_are_forgotten_before_rows_that_are_read_through_a_cursor(
    one_connection: Engine,
) -> None:
    with one_connection.connect() as connection:
        looked(one_connection)
        connection.info[PLANNED] = time.monotonic() - PLANS_KEPT_S - 1
        reading = connection.execution_options(yield_per=10)
        assert reading.execute(text("SELECT generate_series(1, 25)")).scalars().all()[-1] == 25
        assert time.monotonic() - connection.info[PLANNED] < PLANS_KEPT_S, "they were forgotten"


@pytest.mark.parametrize("part", ["lanes", "store/queue"])
def test_what_a_worker_reads_is_read_in_transactions_that_are_committed(part: str) -> None:
    files = [
        path for path in (ROOT / "worker" / part).rglob("*.py") if path.name not in UNCOMMITTED
    ]
    reading = [path.name for path in files if re.search(r"engine\.connect\(", path.read_text())]
    assert files
    assert reading == []


KEPT = text("""
SELECT coalesce(sum(generic_plans), 0) FROM pg_prepared_statements
WHERE statement LIKE '%FROM jobs WHERE id%'
""")
NAME = text("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%FROM jobs WHERE id%'")
FILL = "INSERT INTO jobs (run_id, message_id) SELECT 1, n FROM generate_series(1, 5000) AS n"
