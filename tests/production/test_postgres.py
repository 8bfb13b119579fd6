"""PostgreSQL as teams have it, on Debian's own: connections counted, a standby, and a failover."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support import parts
from tests.support.deployment import Deployment, deployment
from tests.support.waiting import eventually
from worker.config.settings import Settings
from worker.store.complaints import PRIMARY

pytestmark = pytest.mark.slow
OF_ROLE = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'rung_worker'"


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL of the system's."""
    with parts.postgres(tmp_path) as url:
        yield url


@contextmanager
def watched(url: str) -> Iterator[list[int]]:
    """How many connections the workers' role has, looked at again and again."""
    seen, over = [0], threading.Event()

    def look() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.wait(0.02):
                seen.append(connection.execute(OF_ROLE).fetchone()[0])  # type: ignore[index]

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("most", [None, 3], ids=["by default", "three"])
def test_a_worker_opens_no_more_connections_than_are_documented(
    tmp_path: Path, postgres: str, redis_url: str, most: int | None
) -> None:
    # given a role of the workers' own, with the documented grants, and no more than its connections
    with deployment(tmp_path, database=postgres, redis=redis_url, straight=postgres) as made:
        allowed = most or Settings().database.connections
        with psycopg.connect(postgres, autocommit=True) as connection:
            for statement in (
                f"CREATE ROLE rung_worker LOGIN CONNECTION LIMIT {allowed}",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"
                " TO rung_worker",
                "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO rung_worker",
                "GRANT TEMPORARY ON DATABASE rung TO rung_worker",
            ):
                connection.execute(statement)
        environ = {"DATABASE_URL": postgres.replace("postgres@", "rung_worker@")}
        if most is not None:
            environ["RUNG_DATABASE__CONNECTIONS"] = str(most)
        # when
        with watched(postgres) as seen, made.worker(**environ) as log:
            made.hand_in(200)
            made.until_all_ended()
        # then one refused by the role's limit would stand in the log
        assert 0 < max(seen) <= allowed
        assert "too many connections" not in log.read_text()
        assert "Traceback" not in log.read_text()


def test_a_standby_takes_nothing_and_every_command_says_where_to_go(
    tmp_path: Path, postgres: str, redis_url: str
) -> None:
    with (
        deployment(tmp_path, database=postgres, redis=redis_url, straight=postgres) as made,
        parts.standby(tmp_path, postgres) as standby,
    ):
        eventually(lambda: _is_migrated(standby))
        primary, made.environ["DATABASE_URL"] = made.environ["DATABASE_URL"], standby
        (made.root / "day.csv").write_text("external_id,body\n1,Where is my card?\n")
        # when
        said = [made.rung(*words) for words in (("doctor",), ("enqueue", "day.csv"), ("worker",))]
        # then
        for one in said:
            words = one.stdout + one.stderr
            assert one.returncode != 0, one.args
            assert PRIMARY in words, words
            assert "Traceback" not in words
            assert "went away" not in words
        # but what only reads goes on
        assert made.rung("status").returncode == 0
        made.environ["DATABASE_URL"] = primary


def _is_migrated(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        return row is not None and row[0] is not None


def test_work_goes_on_when_the_standby_is_promoted(
    tmp_path: Path, postgres: str, redis_url: str
) -> None:
    # given both hosts in the address, as libpq writes them
    with parts.standby(tmp_path, postgres) as standby:
        hosts = ",".join(url.partition("@")[2].partition("/")[0] for url in (postgres, standby))
        both = f"postgresql://postgres@{hosts}/rung?target_session_attrs=read-write"
        with deployment(tmp_path, database=both, redis=redis_url, straight=both) as made:
            with made.worker() as log:
                made.hand_in(60)
                made.until_all_ended()
                eventually(lambda: _has_all(standby, 60))
                # when the primary dies
                _kill(postgres)
                parts.promote(standby)
                made.engine.dispose()
                made.hand_in(60)
                # then
                made.until_all_ended(within_s=180)
            assert made.ended() == 120
            _is_calm(made, log)


def _is_calm(made: Deployment, log: Path) -> None:
    with made.engine.connect() as connection:
        assert made.checker.at_rest(connection) == []
    assert "Traceback" not in log.read_text()


def _has_all(url: str, jobs: int) -> bool:
    asked = "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL"
    with psycopg.connect(url) as connection:
        row = connection.execute(asked).fetchone()
        return row is not None and row[0] == jobs


def _kill(url: str) -> None:
    """Ends a server by its own pid, as a power cut would."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    pid = (Path(row[0]) / "postmaster.pid").read_text().split()[0]
    subprocess.run(["kill", "-QUIT", pid], check=True)
