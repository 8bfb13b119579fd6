"""Strangers hold every connection that Postgres has for us: a sentence, and later it goes on."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url

from tests.support.cli import say
from tests.support.promises import do, one
from tests.support.web import browsing, dashboard
from tests.support.works import settings_for
from worker.errors import Unreachable

FULL = "Postgres has no connection left for us"


@pytest.fixture
def role(
    configured: None, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The name of a role of ours, for which no connection is left."""
    name = f"full_{uuid.uuid4().hex[:10]}"
    do(engine, f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 0")
    for what in ("TABLES", "SEQUENCES"):
        do(engine, f"GRANT ALL ON ALL {what} IN SCHEMA public TO {name}")
    url = make_url(database_url).set(username=name)
    monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
    yield name
    do(engine, f"DROP OWNED BY {name}")
    do(engine, f"DROP ROLE {name}")


def test_commands_and_pages_say_so_and_go_on_when_the_strangers_have_left(
    role: str, engine: Engine
) -> None:
    Path("mails.csv").write_text("id,body\n1,Where is my card?\n2,Where is it?\n")
    with dashboard(settings_for(os.environ["DATABASE_URL"], "")) as url, browsing(url) as client:
        # given no connection
        assert client.get("/").status_code == 503
        for words in (["status"], ["enqueue", "mails.csv", "--run", "night"]):
            said = say(*words)
            assert (said.code, FULL in said.err) == (Unreachable.exit_code, True), said
            assert "max_connections" in said.err
            assert "Traceback" not in said.err
        # when they have left
        do(engine, f"ALTER ROLE {role} CONNECTION LIMIT -1")
        assert client.get("/").status_code == 200
    assert say("enqueue", "mails.csv", "--run", "night").code == 0
    assert say("status").code == 0
    assert one(engine, "SELECT count(*) FROM jobs")[0] == 2
