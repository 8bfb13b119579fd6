"""A role that may not do what a run needs: nothing is left half made, and what is printed helps."""

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import do, one
from tests.support.web import calling, dashboard
from tests.support.works import settings_for
from worker.errors import ConfigurationError
from worker.store.engine import acting_through

RUNS, OWNERS = "SELECT count(*) FROM runs", "Fix: as the owner, "
BACKLOG = "id,body\n1,Where is my card?\n2,Where is it?\n"


@pytest.fixture
def lean(configured: None, engine: Engine, poor: Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """A role as it is configured, which may do everything but take a sequence and a run back."""
    name = str(poor.url.username)
    do(engine, f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {name}")
    monkeypatch.setenv("DATABASE_URL", poor.url.render_as_string(hide_password=False))
    Path("mails.csv").write_text(BACKLOG)
    return name


def test_a_run_is_refused_before_it_is_made_and_what_is_printed_lets_it_go_on(
    lean: str, engine: Engine
) -> None:
    said = say("enqueue", "mails.csv")
    assert (said.code, one(engine, RUNS)[0]) == (ConfigurationError.exit_code, 0), said
    assert f"{lean} may not DELETE in table" in said.err
    (_, grants) = said.err.split(OWNERS)
    for grant in grants.split(";"):
        do(engine, grant)
    assert say("enqueue", "mails.csv").code == 0


@pytest.mark.parametrize(
    "revoked", ["ALL ON SEQUENCE messages_id_seq", "INSERT ON messages", "INSERT ON jobs"]
)
def test_what_a_run_that_is_there_lacks_is_a_sentence_too(
    lean: str, engine: Engine, revoked: str
) -> None:
    for what in ("TABLES", "SEQUENCES"):
        do(engine, f"GRANT ALL ON ALL {what} IN SCHEMA public TO {lean}")
    assert say("enqueue", "mails.csv", "--key", "monday").code == 0
    do(engine, f"REVOKE {revoked} FROM {lean}")
    Path("more.csv").write_text(BACKLOG.replace("1,", "3,"))
    # when
    said = say("enqueue", "more.csv", "--key", "monday")
    settings = settings_for(os.environ["DATABASE_URL"], "")
    with dashboard(settings) as url, calling(url) as client:
        row = [{"external_id": "4", "body": "Where is it?"}]
        answer = client.post("/api/runs", json=row, headers={"Idempotency-Key": "monday"})
        page = client.get("/").status_code
    # then
    assert said.code == ConfigurationError.exit_code, said
    assert f"{OWNERS}GRANT" in said.err
    assert f"TO {lean}" in said.err
    assert (answer.status_code, "may not do this" in answer.text, page) == (503, True, 200)


def test_a_role_is_named_as_the_server_has_it(poor: Engine) -> None:
    acting = acting_through(poor)
    assert acting is not None
    assert (acting.role, acting.schema) == (poor.url.username, "public")
