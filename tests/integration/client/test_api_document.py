"""docs/api.md is run: its curl commands and its Python, in order, against a real dashboard."""

import contextlib
import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

import rung
from tests.support.places import ROOT
from tests.support.processes import clean_environ
from tests.support.web import dashboard
from tests.support.works import drain, settings_for, working
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_token
from worker.sandbox.simulator.state import State
from worker.store.queue.run_ends import finish_runs

TOKEN = "operator-" + "x" * 32
TEXT = (ROOT / "docs" / "api.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    """The document's code of one kind, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    tokens = {"helpdesk": {"sha256": hash_token(TOKEN), "role": "operator"}}
    return settings_for(database_url, simulator[1], dashboard={"tokens": tokens})


@pytest.fixture
def url(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    with dashboard(settings) as served:
        monkeypatch.setenv("RUNG_URL", served)
        monkeypatch.setenv("RUNG_TOKEN", TOKEN)
        monkeypatch.setenv("DATABASE_URL", settings.database_url or "")
        yield served


def answer_everything(engine: Engine, settings: Settings) -> None:
    with working(settings) as runtime:
        drain(runtime)
    finish_runs(engine)


def test_the_curl_commands_do_what_the_document_says(
    url: str, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("NO CURL, SO THE COMMANDS OF docs/api.md WERE NOT RUN: apt-get install curl")
    environ = clean_environ(RUNG_URL=url, RUNG_TOKEN=TOKEN)
    said = []
    for number, block in enumerate(blocks("sh")):
        if block.startswith("export"):
            continue
        if number == 2:
            answer_everything(engine, settings)
        done = subprocess.run(
            ["bash", "-euc", block],
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(done.stdout)
    handed, state, answers, review, _, dead = said
    assert '"accepted":2' in handed.replace(" ", "")
    assert '"state":"finished"' in state.replace(" ", "")
    assert {line for line in ("T-1", "T-2") if line in answers} == {"T-1", "T-2"}
    assert '"jobs"' in review
    assert '"next":null' in dead


def test_the_python_does_what_the_document_says(
    url: str, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    rows = re.search(r"<<'ROWS'\n(.*?)ROWS", TEXT, re.DOTALL)
    assert rows is not None
    (tmp_path / "day.jsonl").write_text(rows[1], "utf-8")
    hand_over, *rest = blocks("python")
    names: dict[str, object] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(hand_over, names)
        answer_everything(engine, settings)
        for block in rest:
            exec(block, names)
    client = names["client"]
    assert isinstance(client, rung.Client)
    client.close()
    lines = printed.getvalue().splitlines()
    assert lines[0] == "day 2 0"
    assert lines[1].startswith("finished 2 of 2 done for 0.00")
    assert [line.split()[:2] for line in lines[2:4]] == [["T-1", "answered"], ["T-2", "answered"]]
    assert lines[4].startswith("answered already")
    assert lines[5] == "0 dead letters"
