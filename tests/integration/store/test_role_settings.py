"""What a team sets of a role or a database for its other programs, and where Rung cannot work."""

import datetime as dt

import pytest
from sqlalchemy import Engine, text

from tests.integration.store.test_engine import ran, setting
from worker.errors import ConfigurationError, RungError
from worker.store.address import read_database
from worker.store.engine import make_engine
from worker.store.schema_check import current

ODD = {
    "intervalstyle": "iso_8601",
    "datestyle": "german, dmy",
    "timezone": "America/New_York",
    "standard_conforming_strings": "off",
    "extra_float_digits": "-10",
    "array_nulls": "off",
    "default_transaction_isolation": "serializable",
    "client_encoding": "LATIN1",
    "statement_timeout": "1ms",
    "idle_session_timeout": "1ms",
    "transaction_timeout": "1h",
    "synchronous_commit": "off",
}
"""As a team's other programs may want them."""
BOUNDS = ("statement", "idle_session", "transaction")
VALUES = """SELECT interval '1 day 3 s', timestamptz '2026-11-01 05:30+00', '\\n€',
    0.1::float8 + 0.2::float8, CAST(:words AS text[]), current_setting('transaction_isolation')"""


def test_what_a_role_sets_for_other_programs_alters_nothing(engine: Engine, poor: Engine) -> None:
    # given
    with engine.begin() as connection:
        for name, value in ODD.items():
            connection.exec_driver_sql(f"ALTER ROLE {poor.url.username} SET {name} = '{value}'")
    words = [None, "NULL", "a"]
    # when
    with poor.connect() as connection:
        found = connection.execute(text(VALUES), {"words": words}).one()
        unbounded = [setting(connection, f"{one}_timeout") for one in BOUNDS]
        durable = setting(connection, "synchronous_commit")
    # then
    assert found[0] == dt.timedelta(days=1, seconds=3)
    assert found[1] == dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC)
    assert found[1].utcoffset() == dt.timedelta(0)
    assert tuple(found[2:]) == ("\\n€", 0.1 + 0.2, words, "read committed")
    assert unbounded == ["0"] * len(BOUNDS)
    assert durable == "on", "what is promised is on the disk"


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_without_room_for_every_script_is_refused(
    engine: Engine, database_url: str, encoding: str
) -> None:
    # given
    name = f"{read_database(database_url).database}_{encoding.lower()}"
    straight = engine.execution_options(isolation_level="AUTOCOMMIT")
    made = f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'"
    with straight.connect() as connection:
        connection.exec_driver_sql(made)
    # when
    url = read_database(database_url).set(database=name).render_as_string(hide_password=False)
    other = make_engine(url, pool_size=1)
    with pytest.raises(ConfigurationError) as raised:
        current(other)
    other.dispose()
    with straight.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
    # then
    assert encoding in str(raised.value)
    assert "ENCODING 'UTF8'" in str(raised.value.mend)


@pytest.mark.parametrize(
    ("setting", "statement", "words"),
    [
        ("search_path = nowhere", "CREATE TABLE mine (x int)", "search_path names no schema"),
        ("temp_file_limit = 0", "CREATE TEMP TABLE t AS SELECT repeat('x', 99) FROM"
         " generate_series(1, 99999) n ORDER BY random()", "no room for this: temporary file size"),
        ("default_transaction_read_only = on", "UPDATE tiers SET paused = false", "psql shows"),
    ],
)  # fmt: skip
def test_what_a_role_is_set_to_and_that_nobody_can_work_with_is_named(
    engine: Engine, poor: Engine, setting: str, statement: str, words: str
) -> None:
    ran(engine, f"ALTER ROLE {poor.url.username} SET {setting}",
        f"GRANT ALL ON tiers TO {poor.url.username}")  # fmt: skip
    with pytest.raises(RungError) as raised:
        ran(poor, statement)
    assert words in f"{raised.value} {raised.value.mend}"
