"""The record on Debian's PostgreSQL: a restore drill, and an upgrade under the old worker."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.support import parts
from tests.support.deployment import deployment
from tests.support.places import ROOT
from tests.support.waiting import eventually
from worker.store.engine import make_engine

pytestmark = pytest.mark.slow


def run(*command: str) -> None:
    """A program of PostgreSQL's that must go well."""
    path = f"{Path(parts.program('pg_dump')).parent}:{os.environ['PATH']}"
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_dump_taken_while_it_works_is_restored_with_every_promise(
    tmp_path: Path, redis_url: str
) -> None:
    with (
        parts.postgres(tmp_path / "one") as first,
        parts.postgres(tmp_path / "two") as second,
        deployment(tmp_path, database=first, redis=redis_url, straight=first) as made,
    ):
        # given a dump in the middle of a run
        with made.worker():
            made.hand_in(200)
            eventually(lambda: made.ended() >= 20)
            run("pg_dump", "--format=custom", f"--file={tmp_path}/rung.dump", first)
        # when it is restored elsewhere, and a worker goes on from there
        run("pg_restore", "--no-owner", f"--dbname={second}", f"{tmp_path}/rung.dump")
        made.engine.dispose()
        made.engine = make_engine(second, pool_size=2)
        made.environ |= {"DATABASE_URL": second, "RUNG_TIMING__REDISPATCH_S": "3"}
        assert made.rung("db", "upgrade").returncode == 0
        before = made.ended()
        assert before < 200
        made.engine.connect().close()
        # leases of workers that are no more
        with psycopg.connect(second, autocommit=True) as connection:
            connection.execute("UPDATE jobs SET lease_until = now() WHERE lease_until IS NOT NULL")
        with made.worker():
            eventually(lambda: made.ended() == 200, within_s=180)
        # then: what was answered after the dump was answered again, and is in both ledgers
        with made.engine.connect() as connection:
            assert made.checker.at_rest(connection) == []
        # and handing in the same file adds nothing twice
        said = made.rung("enqueue", "backlog.jsonl", "--json")
        assert '"accepted": 0' in said.stdout or '"accepted":0' in said.stdout
        made.engine.dispose()


FIRST_OF_THIS_RELEASE = "migrations/versions/0006_*"
"""The code before it is that of the release before."""


def released(root: Path) -> Path:
    """The code of the release before, out of git's history. Skips where there is none."""
    found = ["git", "log", "--diff-filter=A", "--format=%H", "--", FIRST_OF_THIS_RELEASE]
    said = subprocess.run(found, cwd=ROOT, capture_output=True, text=True)
    if said.returncode or not said.stdout.split():
        pytest.skip("git's history is not here, and so no release before this one")
    archive = ["git", "archive", f"{said.stdout.split()[-1]}^"]
    packed = subprocess.run([*archive], cwd=ROOT, check=True, capture_output=True)
    root.mkdir()
    subprocess.run(["tar", "x"], cwd=root, input=packed.stdout, check=True)
    return root


def test_the_schema_of_this_release_is_reached_under_the_worker_of_the_one_before(
    tmp_path: Path, redis_url: str
) -> None:
    # given the release before, its schema, and its worker at work
    old = {"PYTHONPATH": str(released(tmp_path / "old"))}
    with (
        parts.postgres(tmp_path) as url,
        deployment(tmp_path, database=url, redis=redis_url, straight=url, migrate=False) as made,
    ):
        new = dict(made.environ)
        made.environ |= old
        assert "0004" in made.rung("db", "upgrade").stderr
        with made.worker() as log:
            made.hand_in(60)
            eventually(lambda: made.ended() >= 5)
            # when the new version migrates, and hands in more
            made.environ = new
            migrated = made.rung("db", "upgrade")
            assert migrated.returncode == 0, migrated.stderr
            made.hand_in(60)
            # then the old worker goes on with all of it
            made.until_all_ended()
            assert "ProgrammingError" not in log.read_text()
