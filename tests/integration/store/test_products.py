"""Servers that resemble PostgreSQL: one sentence at the door, whatever comes to it first."""

import pytest
from sqlalchemy import Engine, text

from tests.support.cli import say
from worker.errors import ConfigurationError
from worker.store.engine import make_engine
from worker.store.products import other_product

OTHERS = {
    "CockroachDB": "CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025/06/10, go1.23)",
    "YugabyteDB": "PostgreSQL 15.12-YB-2025.1.0.0-b168 on x86_64-pc-linux-gnu, 64-bit",
    "Amazon Redshift": "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC, Redshift 1.0.12103",
    "Greenplum": "PostgreSQL 12.12 (Greenplum Database 7.0.0 build commit:0a7a3566) on x86_64",
    "openGauss": "(openGauss 6.0.0 build aee4abd5) compiled at 2024-09-29 19:14:27",
    "KingbaseES": "KingbaseES V008R006C007B0024 on x64",
    "Another server": "1.0",
}
PEERS = [
    "PostgreSQL 18.4 on x86_64-pc-linux-gnu, compiled by gcc (GCC) 12.2.0, 64-bit",
    "PostgreSQL 16.4 (Debian 16.4-1.pgdg120+1) on aarch64-unknown-linux-gnu, 64-bit",
    "PostgreSQL 17.2 - Percona Server for PostgreSQL 17.2.1 on x86_64-pc-linux-gnu",
    "PostgreSQL 16.3 (EnterpriseDB Advanced Server 16.3.0) on x86_64-pc-linux-gnu",
]


@pytest.mark.parametrize("name", OTHERS)
def test_another_product_is_named(name: str) -> None:
    assert other_product(OTHERS[name]) == name


@pytest.mark.parametrize("version", PEERS)
def test_whoever_ships_it_postgresql_is_itself(version: str) -> None:
    assert other_product(version) is None


@pytest.mark.parametrize("fails", [False, True], ids=["answers", "knows no such setting"])
@pytest.mark.parametrize("name", ["CockroachDB", "YugabyteDB"])
@pytest.mark.usefixtures("configured")
def test_every_command_says_so_in_a_sentence(
    engine: Engine, database_url: str, name: str, fails: bool
) -> None:
    # given a database whose server says it is another one, and may not know what we ask of settings
    replaced = [_function("version()", f"$$ SELECT '{OTHERS[name]}'::text $$")]
    if fails:
        replaced.append(_function("current_setting(text)", "$$ SELECT (1 / 0)::text $$"))
    with engine.begin() as connection:
        connection.exec_driver_sql("SET allow_system_table_mods = on")
        for statement in replaced:
            connection.exec_driver_sql(statement)
    # then
    sentence = f"{name} answers at DATABASE_URL"
    with pytest.raises(ConfigurationError, match=sentence):
        make_engine(database_url).connect()
    for command in (["status"], ["db", "upgrade"], ["db", "current"]):
        said = say(*command)
        assert (said.code, sentence in said.err) == (6, True), said.err
    doctor = say("doctor", "--json")
    assert doctor.code == 6
    (found,) = [one for one in doctor.document if one["name"] == "postgres"]
    assert found["words"].startswith(sentence)


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION pg_catalog.{name} RETURNS text STABLE LANGUAGE sql AS {body}"
    )


def notes(url: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What doctor notes of durability."""
    monkeypatch.setenv("DATABASE_URL", url)
    document = say("doctor", "--json").document
    return [one["words"].partition(":")[0] for one in document if one["name"] == "durability"]


@pytest.mark.usefixtures("configured")
def test_a_server_that_may_lose_what_it_committed_is_noted(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the server of these tests, where nothing waits for a disk
    unsafe = ["fsync is off", "full_page_writes is off"]
    assert notes(database_url, monkeypatch) == unsafe
    # then what a role or a database sets does not count, for our sessions set it themselves
    with engine.begin() as connection:
        name = engine.url.database
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    assert notes(database_url, monkeypatch) == unsafe
    # and what the address sets does
    own = f"{database_url}&options=-csynchronous_commit%3Doff"
    assert notes(own, monkeypatch) == [*unsafe, "DATABASE_URL sets synchronous_commit off"]
    # and Aurora writes no pages
    with engine.begin() as connection:
        connection.execute(
            text("CREATE FUNCTION aurora_version() RETURNS text LANGUAGE sql AS $$ SELECT '16' $$")
        )
    assert notes(database_url, monkeypatch) == ["fsync is off"]
