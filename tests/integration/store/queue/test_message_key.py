"""The key from a job to its message, asked once for each statement: what a foreign key promises."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from models import message_keys
from tests.support.promises import one
from worker.domain.ladder import Ladder
from worker.domain.presets import preset
from worker.store.new_runs import NewRun, create_run

KEY = "fk_jobs_message_id_messages"
ONE_MORE = "INSERT INTO messages (source, external_id, body, digest) VALUES ('s', '{}', 'b', '')"
A_JOB = "INSERT INTO jobs (run_id, message_id) SELECT 1, id FROM messages WHERE external_id = '{}'"
DELETE = "DELETE FROM messages WHERE external_id = '{}'"


@pytest.fixture
def held(engine: Engine) -> Engine:
    """A run with a job of the message "a"; the message "b" has none. The key is made anew, as the
    models have it."""
    with engine.begin() as connection:
        for function in (message_keys.REFER_JOBS, message_keys.KEEP_MESSAGES):
            anew = function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
            connection.exec_driver_sql(anew)
        for trigger in message_keys.TRIGGERS:
            anew = trigger.replace("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER", 1)
            connection.exec_driver_sql(anew)
        create_run(connection, NewRun(name="r", policy=preset("ladder", Ladder(("haiku", "opus")))))
        for statement in (ONE_MORE.format("a"), ONE_MORE.format("b"), A_JOB.format("a")):
            connection.exec_driver_sql(statement)
    return engine


def orphans(engine: Engine) -> int:
    asked = "SELECT count(*) FROM jobs WHERE message_id NOT IN (SELECT id FROM messages)"
    return int(one(engine, asked)[0])


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO jobs (run_id, message_id) VALUES (1, 999)",
        "INSERT INTO jobs (run_id, message_id) SELECT 1, id + 1 FROM messages",
        "UPDATE jobs SET message_id = 999",
        "UPDATE jobs SET message_id = message_id + 1",
        "DELETE FROM messages",
        "UPDATE messages SET id = DEFAULT",
        "TRUNCATE messages",
        f"WITH gone AS ({DELETE.format('b')}) {A_JOB.format('b')}",
    ],
)
def test_no_job_is_without_its_message(held: Engine, statement: str) -> None:
    with held.connect() as connection, pytest.raises(IntegrityError, match=KEY) as caught:
        connection.exec_driver_sql(statement)
    assert caught.value.orig is not None
    assert getattr(caught.value.orig, "sqlstate", None) == "23503"
    assert one(held, "SELECT count(*) FROM jobs") == (1,)
    assert orphans(held) == 0


def test_a_message_keeps_its_id_though_no_job_is_there(held: Engine) -> None:
    with held.connect() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")
        with pytest.raises(IntegrityError, match="keeps its id"):
            connection.exec_driver_sql("UPDATE messages SET id = DEFAULT")


def test_what_the_key_does_not_forbid_is_done(held: Engine) -> None:
    with held.begin() as connection:
        for statement in (
            DELETE.format("b"),
            "UPDATE jobs SET message_id = message_id, priority = 3",
            "UPDATE messages SET body = 'c'",
        ):
            assert connection.exec_driver_sql(statement).rowcount == 1
        connection.exec_driver_sql("TRUNCATE messages, jobs CASCADE")
    assert one(held, "SELECT count(*) FROM messages") == (0,)


def test_a_job_of_a_message_that_its_own_transaction_deleted_is_refused(held: Engine) -> None:
    with held.connect() as connection:
        connection.exec_driver_sql(ONE_MORE.format("c"))
        (new,) = connection.execute(text("SELECT max(id) FROM messages")).one()
        connection.exec_driver_sql(DELETE.format("c"))
        with pytest.raises(IntegrityError, match=KEY):
            connection.exec_driver_sql(f"INSERT INTO jobs (run_id, message_id) VALUES (1, {new})")


def test_a_range_of_new_messages_is_looked_at_as_a_whole(held: Engine) -> None:
    """By their ids, though the table is so small that reading all of it would be cheaper; and one
    that is not there is missed."""
    insert = "INSERT INTO jobs (run_id, message_id) VALUES (1, {}), (1, {})"
    scans = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'messages'"
    with held.connect() as connection:
        for name in "cde":
            connection.exec_driver_sql(ONE_MORE.format(name))
        connection.exec_driver_sql("ANALYZE messages")
        connection.exec_driver_sql(insert.format(3, 4))
        assert connection.execute(text(scans)).scalar_one() == 0
        with pytest.raises(IntegrityError, match="no message 6 is there"):
            connection.exec_driver_sql(insert.format(5, 6))


def test_messages_of_a_transaction_that_sees_an_old_state_are_not_deleted(held: Engine) -> None:
    """It would not see a job that was added since."""
    with held.connect().execution_options(isolation_level="REPEATABLE READ") as old:
        old.execute(text("SELECT count(*) FROM jobs")).one()
        with held.begin() as connection:
            connection.exec_driver_sql(A_JOB.format("b"))
        with pytest.raises(DBAPIError, match="READ COMMITTED"):
            old.exec_driver_sql(DELETE.format("b"))
    assert orphans(held) == 0


def _jobs_first(connection: Connection) -> None:
    connection.exec_driver_sql(A_JOB.format("b"))


def _deleted_first(connection: Connection) -> None:
    connection.exec_driver_sql(DELETE.format("b"))


@pytest.mark.parametrize(("first", "second"), [(_jobs_first, _deleted_first)])
@pytest.mark.parametrize("turned", [False, True])
def test_whoever_is_second_waits_and_learns_of_the_first(
    held: Engine,
    first: Callable[[Connection], None],
    second: Callable[[Connection], None],
    turned: bool,
) -> None:
    """A job and the end of its message at once: one of the two is refused."""
    if turned:
        first, second = _deleted_first, _insert_by_number
    with held.connect() as one_of, held.connect() as other, ThreadPoolExecutor(1) as behind:
        first(one_of)
        later = behind.submit(second, other)
        _wait_until_blocked(held)
        one_of.commit()
        with pytest.raises(IntegrityError, match=KEY):
            later.result(30)
    assert orphans(held) == 0


def _insert_by_number(connection: Connection) -> None:
    """By its number: the statement itself does not look for the message."""
    connection.exec_driver_sql("INSERT INTO jobs (run_id, message_id) VALUES (1, 2)")


def _wait_until_blocked(engine: Engine) -> None:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(url, autocommit=True)) as watching:
        for _ in range(100_000):
            asked = (
                "SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)"
                " WHERE NOT l.granted AND a.datname = current_database()"
            )
            if watching.execute(asked).fetchone() != (0,):
                return
    raise AssertionError("nobody waits")
