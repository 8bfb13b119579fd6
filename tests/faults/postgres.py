"""Rows 6 and 7: what Postgres and its line can do."""

import contextlib
from collections.abc import Callable, Iterator

import psycopg

from tests.faults.broker import JOBS, at_work, during, pause, toxic
from tests.faults.scenario import Scenario, Story
from tests.support.house import House
from tests.support.household import CAPACITY

OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'rung worker'
"""


def terminate(home: House) -> None:
    """Every connection of every worker."""
    home.sql(OTHERS)


def cancel_statements(home: House) -> None:
    home.sql(OTHERS.replace("pg_terminate_backend", "pg_cancel_backend"))


def database(home: House) -> str:
    return home.database_url.rsplit("/", 1)[0] and str(home.one("SELECT current_database()"))


def altered(what: str, back: str, seconds: float) -> Story:
    """The database is changed for new connections, the old ones are ended, then changed back."""

    def story(home: House) -> None:
        at_work(home)
        name = database(home)
        home.sql(f"ALTER DATABASE {name} {what}")
        terminate(home)
        pause(home, seconds)
        home.sql(f"ALTER DATABASE {name} {back}")
        home.sql(OTHERS)
        home.fault()
        home.settle()

    return story


def read_only_at_once(home: House) -> None:
    """From before the first claim: nothing is claimed, so nothing is spent."""
    home.at_work(home.start())
    name = database(home)
    home.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    terminate(home)
    # Connections of the test are older than the setting, and write.
    home.hand_in(JOBS)
    pause(home, 1.5)
    assert home.one("SELECT count(*) FROM attempts") == 0
    assert home.state.counts.by_path["/v1/messages"] == 0
    home.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    terminate(home)
    home.fault()
    home.settle()
    assert len(home.workers) == 1


@contextlib.contextmanager
def writing(home: House) -> Iterator[psycopg.Connection]:
    """A connection of its own, outside the pool."""
    with psycopg.connect(home.database_url) as connection:
        yield connection


def refuses(table: str, when: str, error: str) -> Story:
    """Writes to a table fail with an SQLSTATE for a while: disk full, out of memory, and so on."""

    def story(home: House) -> None:
        home.sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION 'no' USING ERRCODE = '{error}'; END $$"
        )
        at_work(home)
        home.sql(
            f"CREATE TRIGGER refuse BEFORE {when} ON {table} FOR EACH STATEMENT"
            " EXECUTE FUNCTION refuse()"
        )
        pause(home, 1.5)
        home.sql(f"DROP TRIGGER refuse ON {table}")
        home.fault()
        home.settle()

    return story


def locked(tables: str, seconds: float) -> Story:
    """Somebody holds a lock that everybody needs."""

    def story(home: House) -> None:
        at_work(home)
        with writing(home) as connection:
            connection.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
            with contextlib.suppress(AssertionError):
                wait_without_tables(connection, seconds)
        home.fault()
        home.settle()

    return story


def wait_without_tables(connection: psycopg.Connection, seconds: float) -> None:
    connection.execute("SELECT pg_sleep(%s)", [seconds])


def a_row_locked(statement: str) -> Story:
    """Somebody holds a few rows with `FOR UPDATE` and idles."""

    def story(home: House) -> None:
        at_work(home)
        with writing(home) as connection:
            connection.execute(f"{statement} FOR UPDATE")
            pause(home, 2)
        home.fault()
        home.settle()

    return story


def crowded(home: House) -> None:
    """No connection is left for the workers."""
    at_work(home)
    name = database(home)
    outside_url = home.database_url.replace(f"/{name}?", "/postgres?")
    with psycopg.connect(outside_url, autocommit=True) as outside:
        outside.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        terminate(home)
        pause(home, 2)
        outside.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    home.fault()
    home.settle()


def no_transaction_across_a_call(home: House) -> None:
    """While slow calls are under way, no worker's connection is inside a transaction."""
    home.moods({"match": {"purpose": "answer"}, "do": {"slow": 1.5}})
    at_work(home)
    home.fault()
    for _ in range(3):
        home.until("EXISTS (SELECT FROM calls WHERE state = 'sent' AND purpose = 'answer')")
        pause(home, 0.4)
        oldest = home.one(
            "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)"
            " FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'rung worker' AND state LIKE 'idle in transaction%'"
        )
        assert oldest < 0.5
    home.moods()
    home.settle()


def somebody_idles_in_a_transaction(home: House) -> None:
    """A person's open transaction, with a snapshot and no locks, keeps nobody waiting."""
    with writing(home) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT count(*) FROM jobs")
        at_work(home)
        home.fault()
        home.settle()


def reset(home: House) -> None:
    home.lines["postgres"].reset()


def fault_at_record(fault: Callable[[House], None]) -> Story:
    """A fault while many outcomes wait to be recorded."""

    def story(home: House) -> None:
        home.moods({"match": {"purpose": "answer"}, "do": {"slow": 0.4}})
        at_work(home)
        for _ in range(5):
            home.until(
                "EXISTS (SELECT FROM calls WHERE state = 'sent')"
                " OR NOT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL)"
            )
            pause(home, 0.35)
            fault(home)
            home.fault()
        home.settle()

    return story


READ_ONLY = "SET default_transaction_read_only = "

SCENARIOS = (
    # Whatever ends a connection may swallow the reply to a claim's COMMIT: leases that nobody knows
    # of, counted as calls until rescue. So these waste as "the reply to COMMIT lost" does.
    Scenario("connections terminated", 6, during(terminate, 3), wasted=CAPACITY, quick=True),
    Scenario("connections terminated at recording", 6, fault_at_record(terminate), wasted=CAPACITY),
    Scenario("statements cancelled", 6, during(cancel_statements, 5)),
    Scenario("postgres line reset", 6, during(reset, 3), wasted=CAPACITY),
    Scenario("postgres line reset at recording", 6, fault_at_record(reset), wasted=CAPACITY),
    Scenario("postgres line a black hole", 6, toxic("postgres", "blackhole", 2), wasted=CAPACITY),
    Scenario("the reply to COMMIT lost", 6, toxic("postgres", "mute", 1), wasted=CAPACITY),
    Scenario("postgres refuses connections", 6, toxic("postgres", "reset", 2), quick=True),
    Scenario("postgres slow", 6, toxic("postgres", "delay", 2, delay_s=0.1), wasted=CAPACITY),
    Scenario(
        "postgres replies cut", 6, toxic("postgres", "cut", 1.5, cut_after=20), wasted=CAPACITY
    ),
    Scenario("postgres read-only", 6, altered(f"{READ_ONLY}on", f"{READ_ONLY}off", 1.5)),
    Scenario("postgres read-only before the first claim", 6, read_only_at_once),
    Scenario("no connections left", 6, altered("CONNECTION LIMIT 0", "CONNECTION LIMIT -1", 1.5)),
    Scenario("connections not allowed", 6, crowded),
    Scenario("disk full at recording", 6, refuses("results", "INSERT", "53100"), quick=True),
    Scenario("disk full at claiming", 6, refuses("attempts", "INSERT", "53100")),
    Scenario("disk full everywhere", 6, refuses("jobs", "UPDATE", "53100")),
    Scenario("out of memory at the ledger", 6, refuses("calls", "UPDATE", "53200")),
    Scenario("serialisation failures", 6, refuses("budgets", "UPDATE", "40001")),
    Scenario("deadlocks", 6, refuses("budgets", "UPDATE", "40P01")),
    Scenario("jobs locked", 6, locked("jobs", 1.5), wasted=CAPACITY),
    Scenario("budgets locked", 6, locked("budgets", 1.5), wasted=CAPACITY),
    Scenario("some jobs locked", 6, a_row_locked("SELECT FROM jobs WHERE id % 2 = 0")),
    Scenario("the run's budget locked", 6, a_row_locked("SELECT FROM budgets"), wasted=CAPACITY),
    Scenario("no transaction across a call", 7, no_transaction_across_a_call),
    Scenario("somebody idles in a transaction", 7, somebody_idles_in_a_transaction),
)
