"""What `rung doctor` says of a role that may not do all that work needs."""

import pytest
from sqlalchemy import Engine

from models.names import TABLES
from models.tables import Base
from worker.errors import ConfigurationError
from worker.store.engine import reaching_postgres
from worker.store.rights import missing_rights


def test_all_tables_are_asked_about() -> None:
    assert list(TABLES) == sorted(Base.metadata.tables)


def test_rights_are_missed_before_a_run_needs_them(engine: Engine, poor: Engine) -> None:
    def lacking() -> list[tuple[str, str]]:
        with poor.connect() as connection:
            return list(missing_rights(connection))

    # given neither the right to temporary tables, nor all that work needs of a table and a sequence
    (name, here), public = (poor.url.username, poor.url.database), "ALL TABLES IN SCHEMA public"
    with engine.begin() as connection:
        for statement in (
            f"REVOKE TEMPORARY ON DATABASE {here} FROM PUBLIC",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {public} TO {name}",
            f"REVOKE UPDATE, DELETE ON runs FROM {name}",
        ):
            connection.exec_driver_sql(statement)
    # when
    found = lacking()
    with (
        pytest.raises(ConfigurationError) as raised,
        reaching_postgres(poor),
        poor.begin() as connection,
    ):
        connection.exec_driver_sql("CREATE TEMPORARY TABLE mine (x int)")
    # then each comes with the statement that gives it, here and at work
    (_, temporary), (words, _), (sequence, _) = found
    assert sequence == f"{name} may not use sequence public.messages_id_seq"
    assert words == f"{name} may not DELETE, UPDATE in table runs"
    assert raised.value.mend == f"as the owner, {temporary}"
    with engine.begin() as connection:
        for _, grant in found:
            connection.exec_driver_sql(grant)
    assert lacking() == []
