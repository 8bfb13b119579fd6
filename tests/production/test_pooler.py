"""pgbouncer in transaction mode, as it comes and as people mend it: the whole way through."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from tests.support import parts
from tests.support.deployment import deployment
from tests.support.proxy import Proxy, proxied
from tests.support.waiting import eventually
from worker.store.engine import SCREEN_STATEMENT_S, SCREEN_WITHIN_S, away_since, make_engine
from worker.store.reach import LOOK_S, PATIENCE_S, QUEUE_S

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


@pytest.fixture
def line(postgres: str) -> Iterator[Proxy]:
    """Between the pooler and the server."""
    at = urlsplit(postgres)
    with proxied((at.hostname or "", at.port or 0)) as proxy:
        yield proxy


def behind(postgres: str, line: Proxy) -> str:
    return postgres.replace(f":{urlsplit(postgres).port}/", f":{line.port}/")


def test_a_server_that_hangs_behind_it_is_noticed_as_soon_as_nobody_is_answered(
    tmp_path: Path, postgres: str, line: Proxy
) -> None:
    with parts.pgbouncer(tmp_path, behind(postgres, line), IGNORING) as through:
        engine = make_engine(through, within_s=SCREEN_WITHIN_S, statement_s=SCREEN_STATEMENT_S)
        assert asked(engine) == 1
        # when
        line.set("blackhole")
        began = time.monotonic()
        with pytest.raises(OperationalError, match="nothing has come from it"):
            asked(engine)
        # then long before a statement's own time, though the pooler takes connections
        assert PATIENCE_S < time.monotonic() - began < SCREEN_STATEMENT_S - 8
        # and who comes later waits for no more than a look
        began = time.monotonic()
        with pytest.raises(OperationalError, match="nothing has come from it"):
            asked(engine)
        assert time.monotonic() - began < LOOK_S + PATIENCE_S
        assert away_since(engine) is not None
        # and it goes on by itself
        line.set("pass")
        eventually(lambda: answers(engine), within_s=30)
        assert away_since(engine) is None
        engine.dispose()


def test_a_pool_that_is_full_is_waited_for_while_anybody_is_answered(
    tmp_path: Path, postgres: str, line: Proxy
) -> None:
    few = f"{IGNORING}\nmax_db_connections = 2"
    with parts.pgbouncer(tmp_path, behind(postgres, line), few) as through:
        engine = make_engine(through, pool_size=3, within_s=0.1, statement_s=None)
        slow = SCREEN_WITHIN_S + QUEUE_S + 2 * PATIENCE_S
        with ThreadPoolExecutor(3) as pool:
            # given two that have all of it, of which one is answered now and then
            long = pool.submit(asked, engine, f"SELECT 1 FROM pg_sleep({slow})")
            often = ["SELECT 1 FROM pg_sleep(3)"] * 5
            busy = pool.submit(lambda: [asked(engine, question) for question in often])
            # then
            assert long.result() == 1
            assert busy.result() == [1] * 5
        engine.dispose()


def answers(engine: Engine) -> bool:
    try:
        return asked(engine) == 1
    except OperationalError:
        return False


def asked(engine: Engine, question: str = "SELECT 1") -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(question)).scalar_one())
