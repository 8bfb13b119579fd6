"""Connections as teams have them: addresses, settings and refusals."""

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from worker.errors import ConfigurationError, Unreachable
from worker.store.address import read_database, spoken
from worker.store.complaints import Acting, complaint_of
from worker.store.engine import at_one_moment, make_engine, reaching_postgres
from worker.store.locks import holding
from worker.store.schema_check import LEAST, require_release

TRY = text("SELECT pg_try_advisory_xact_lock(:key)")


def setting(connection: Connection, name: str) -> str:
    return str(connection.execute(text(f"SHOW {name}")).scalar_one())


def shown(url: str, *names: str) -> list[str]:
    """Settings in force in a transaction of an engine on this address."""
    engine = make_engine(url, pool_size=1)
    with engine.connect() as connection:
        found = [setting(connection, name) for name in names]
    engine.dispose()
    return found


def test_settings_of_the_address_are_kept_beside_ours(database_url: str) -> None:
    url = f"{database_url}&options=-csearch_path%3Dmine%20-c%20work_mem%3D12MB"
    assert shown(url, "search_path", "work_mem", "lock_timeout") == ["mine", "12MB", "35s"]


def test_an_address_overrules_ours(database_url: str) -> None:
    url = f"{database_url}&options=-clock_timeout%3D7s&application_name=mine"
    assert shown(url, "lock_timeout", "application_name") == ["7s", "mine"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_hosts_as_libpq_writes_them(scheme: str) -> None:
    # given
    url = read_database(f"{scheme}://u:p%40w@h1:5433,h2/db?target_session_attrs=read-write")
    # then
    assert (url.query["host"], url.query["port"]) == ("h1,h2", "5433,5432")
    assert url.query["target_session_attrs"] == "read-write"
    assert (url.username, url.password, url.database) == ("u", "p@w", "db")
    assert spoken(url) == "h1:5433,h2:5432/db"


@pytest.mark.parametrize(
    ("url", "host", "port", "words"),
    [
        ("postgresql://u@[::1]:1,[fe80::2]/d", "::1,fe80::2", "1,5432", "[::1]:1,[fe80::2]:5432/d"),
        ("postgresql://u@%2Frun%2Fpg:5433/d", "/run/pg", "5433", "/run/pg:5433/d"),
    ],
)
def test_addresses_of_six_and_sockets_are_hosts_as_well(
    url: str, host: str, port: str, words: str
) -> None:
    found = read_database(url)
    _, connected = make_engine(url).dialect.create_connect_args(found)
    assert (connected["host"], str(connected["port"])) == (host, port)
    assert spoken(found) == words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("pgbouncer=true", "noticed by itself"),
        ("schema=mine", "search_path"),
        ("pool_timeout=9", "connections of its own"),
        ("ssl=true", "sslmode=require"),
        ("password=s3c&ret=1", "an option that Postgres's library does not know"),
        ("connect_timeout=soon", "connect_timeout must be a number"),
    ],
)
def test_an_option_that_nobody_knows_is_refused_with_what_does_the_same(
    query: str, words: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        make_engine(f"postgresql://u@h/db?{query}")
    said = f"{raised.value} {raised.value.mend}"
    assert words in said
    assert "ret" not in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://odd:s3c@ret/w:1#%?@127.0.0.1:1/u2", "percent-encode"),
        ("mysql://u@h/d", "is for mysql"),
        ("h:5432/db", "not a database URL"),
        ("postgresql://u@h:port/db", "not a database URL"),
        ("postgresql://u@h1:port,h2/db", "not a database URL"),
        ("'postgresql://u:s3cret@h/db'", "leave the quotation marks out"),
        ("://u@h/db", "not a database URL"),
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        make_engine(url)
    said = f"{raised.value} {raised.value.mend}"
    assert words in said
    assert "s3c" not in said
    assert "ret" not in said


def test_where_it_does_not_answer_is_said_without_who() -> None:
    engine = make_engine("postgresql://user:s3cret%2F@127.0.0.1:1/db?password=s3cret")
    with pytest.raises(Unreachable) as raised, reaching_postgres(engine), engine.connect():
        pass
    assert "127.0.0.1:1/db" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_statement_that_fails_does_not_say_with_what(engine: Engine) -> None:
    """Its parameters may be what a customer wrote, and its words go into the log."""
    with engine.connect() as connection, pytest.raises(DBAPIError) as raised:
        connection.execute(text("SELECT :body, no_such_column"), {"body": "my secret question"})
    assert "secret" not in str(raised.value)


def test_a_lock_is_held_by_a_transaction_and_not_by_a_session(engine: Engine) -> None:
    """A pooler may give the session away; what it holds in a transaction stays ours."""
    # when
    with holding(engine, TRY, {"key": 77}) as mine, engine.connect() as other:
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77"
        held = other.execute(text(locks)).scalar()
        with holding(engine, TRY, {"key": 77}) as theirs:
            pass
        states = "SELECT backend_xmin FROM pg_stat_activity "
        states += "WHERE state = 'idle in transaction' AND datname = current_database()"
        held_back = [row for row in other.execute(text(states)) if row[0] is not None]
    # then
    assert (mine, theirs, held) == (True, False, 1)
    assert held_back == []
    with holding(engine, TRY, {"key": 77}) as again:
        assert again


def ran(engine: Engine, *statements: str) -> None:
    """Runs them in a transaction, as people's commands do."""
    with reaching_postgres(engine), engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "grant"),
    [
        ("CREATE TABLE mine (x int)", "GRANT USAGE, CREATE ON SCHEMA public TO poor_"),
        ("SELECT * FROM jobs", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA"),
    ],
)
def test_a_right_that_is_missing_comes_with_the_grant(
    poor: Engine, statement: str, grant: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        ran(poor, statement)
    assert "permission denied" in str(raised.value)
    assert grant in str(raised.value.mend)


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        ("permission denied for schema My Schema", 'SCHEMA "My Schema" TO "My Role"'),
        ("permission denied for table jobs", 'ALL TABLES IN SCHEMA rung TO "My Role"'),
        ("must be owner of table jobs", "run this as the role that owns it"),
        ("permission denied for view there", "docs/deploying.md"),
    ],
)
def test_what_helps_against_a_missing_right_can_be_pasted(words: str, mend: str) -> None:
    denied = DBAPIError("", {}, psycopg.errors.InsufficientPrivilege(words))
    complaint = complaint_of(denied, acting=lambda: Acting(role="My Role", schema="rung"))
    assert complaint is not None
    assert mend in str(complaint.mend)
    assert str(complaint).startswith("My Role may not")
    # and where nobody can be asked, no statement that cannot
    unknown = complaint_of(denied)
    assert unknown is not None
    assert "GRANT" not in str(unknown.mend)


def test_a_server_that_takes_no_writes_is_named_as_that(engine: Engine) -> None:
    with pytest.raises(Unreachable, match="takes no writes"):
        ran(engine, "SET TRANSACTION READ ONLY", "UPDATE tiers SET paused = false")


def test_too_many_connections_are_named_as_that() -> None:
    error = DBAPIError("", {}, psycopg.OperationalError("FATAL: too many connections for role"))
    complaint = complaint_of(error)
    assert complaint is not None
    assert "database.connections" in str(complaint.mend)


def test_who_waited_in_vain_is_not_told_that_postgres_is_away(engine: Engine) -> None:
    with engine.connect() as holder:
        holder.execute(text("LOCK TABLE tiers"))
        with pytest.raises(
            Unreachable, match=r"did not get to it in time: .*lock timeout"
        ) as raised:
            ran(engine, "SET LOCAL lock_timeout = '10ms'", "UPDATE tiers SET paused = false")
    assert "pg_stat_activity" in str(raised.value.mend)


def test_what_a_frozen_process_holds_is_free_before_others_give_up(database_url: str) -> None:
    idle, lock = shown(database_url, "idle_in_transaction_session_timeout", "lock_timeout")
    assert int(idle.removesuffix("s")) < int(lock.removesuffix("s"))


def test_a_server_that_is_too_old_is_refused_in_a_sentence() -> None:
    for fine in (None, (LEAST,), (LEAST, 18), (18, 4)):
        require_release(fine)
    with pytest.raises(ConfigurationError) as raised:
        require_release((LEAST - 1, 23))
    assert str(raised.value) == "Postgres is version 14.23 there, and Rung needs 15 or newer."
    assert raised.value.mend is not None


def test_what_is_read_at_one_moment_does_not_move_on(engine: Engine) -> None:
    count = text("SELECT count(*) FROM tiers")
    with at_one_moment(engine) as connection:
        before = connection.execute(count).scalar_one()
        with engine.begin() as other:
            other.execute(text("INSERT INTO tiers (name) VALUES ('haiku')"))
        # then: neither seen, nor anything written
        assert connection.execute(count).scalar_one() == before
        with pytest.raises(DBAPIError, match="read-only"):
            connection.execute(text("DELETE FROM tiers"))
    with engine.connect() as connection:
        assert connection.execute(count).scalar_one() == before + 1
        assert connection.execute(text("SHOW transaction_isolation")).scalar() == "read committed"
