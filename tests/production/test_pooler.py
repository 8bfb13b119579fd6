"""pgbouncer in transaction mode, as it comes and as people mend it: the whole way through."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import parts
from tests.support.deployment import deployment

pytestmark = pytest.mark.slow
IGNORING = "ignore_startup_parameters = extra_float_digits,options"


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL of the system's."""
    with parts.postgres(tmp_path) as url:
        yield url


@pytest.mark.parametrize("line", ["", IGNORING], ids=["refuses options", "drops options"])
def test_messages_go_through_a_pooler_in_transaction_mode(
    tmp_path: Path, postgres: str, redis_url: str, line: str
) -> None:
    with (
        parts.pgbouncer(tmp_path, postgres, line) as through,
        deployment(tmp_path, database=through, redis=redis_url, straight=postgres) as made,
    ):
        # when two workers share it
        with made.worker() as one, made.worker() as two:
            made.hand_in(150)
            made.until_all_ended()
            said = made.rung("doctor")
        # then
        assert "through a pooler" in said.stdout
        assert said.returncode == 0, said.stdout
        logs = one.read_text() + two.read_text()
        assert "prepared statement" not in logs
        assert "housekeeping failed" not in logs
        assert "Traceback" not in logs


def test_search_path_of_the_address_reaches_through_it(
    tmp_path: Path, postgres: str, redis_url: str
) -> None:
    # given a schema of its own
    with parts.pgbouncer(tmp_path, postgres, IGNORING) as through:
        import psycopg

        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA mine")
        url = f"{through}?options=-csearch_path%3Dmine"
        # when
        with deployment(tmp_path, database=url, redis=redis_url, straight=postgres) as made:
            # then
            places = "SELECT string_agg(DISTINCT table_schema, ',') FROM information_schema.tables"
            assert made.one(f"{places} WHERE table_name IN ('jobs', 'alembic_version')") == "mine"
