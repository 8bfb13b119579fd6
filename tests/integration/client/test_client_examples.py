"""The examples of programs, against a real dashboard; those of a web framework where it is
installed."""

import csv
import importlib
import importlib.util
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import Engine

from rung.webhooks import signature
from tests.support.places import ROOT
from tests.support.promises import many
from tests.support.waiting import eventually
from tests.support.web import dashboard
from tests.support.works import drain, settings_for, working
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_token
from worker.sandbox.simulator.state import State
from worker.store.queue.run_ends import finish_runs

TOKEN = "operator-" + "x" * 32
NAMES = "SELECT name FROM runs ORDER BY id"


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    tokens = {"site": {"sha256": hash_token(TOKEN), "role": "operator"}}
    return settings_for(database_url, simulator[1], dashboard={"tokens": tokens})


@pytest.fixture(autouse=True)
def served(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with dashboard(settings) as url:
        monkeypatch.setenv("RUNG_URL", url)
        monkeypatch.setenv("RUNG_TOKEN", TOKEN)
        monkeypatch.setenv("SITE_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        yield


def example(name: str) -> ModuleType:
    """The example, loaded as a program of its own."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / "client" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_nightly_script_writes_what_may_go_out(
    settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    # given
    export, answers = tmp_path / "export.csv", tmp_path / "answers.csv"
    export.write_text("external_id,body\na,Where is my card?\nb,How do I close my account?\n")
    # when
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(example("nightly").main, str(export), str(answers))
        eventually(lambda: many(engine, "SELECT id FROM runs WHERE NOT accepting"))
        with working(settings) as runtime:
            drain(runtime)
        finish_runs(engine)
        ready = coming.result(60)
    # then
    rows = list(csv.DictReader(answers.read_text("utf-8").splitlines()))
    assert ready == len(rows) == 2
    assert all(row["send"] for row in rows)
    assert len(many(engine, NAMES)) == 1


def test_a_form_in_flask_hands_over_and_takes_answers(engine: Engine) -> None:
    pytest.importorskip("flask")
    site = example("flask_app")
    browser = site.app.test_client()
    form = {"body": "Where is my card?", "email": "a@mail.example"}
    assert [browser.post("/contact", data=form).status_code for _ in range(2)] == [202, 202]
    assert many(engine, NAMES) == [("contact form",)]
    assert len(many(engine, "SELECT id FROM jobs")) == 2
    body = json.dumps({"data": {"customer_id": "a@mail.example", "send": "Soon."}}).encode()
    at = int(time.time())
    headers = {
        "webhook-id": "1.1",
        "webhook-timestamp": str(at),
        "webhook-signature": signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "1.1", at, body),
    }
    assert browser.post("/answers", data=body, headers=headers).status_code == 204
    assert browser.post("/answers", data=body + b" ", headers=headers).status_code == 401
    site.client.close()


def test_a_form_in_django_hands_over(engine: Engine) -> None:
    pytest.importorskip("django")
    conf = importlib.import_module("django.conf")
    if not conf.settings.configured:
        conf.settings.configure(DEBUG=False, ALLOWED_HOSTS=["testserver"])
    views = example("django_views")
    factory = importlib.import_module("django.test").RequestFactory()
    answer = views.contact(factory.post("/contact", {"body": "Where is my card?"}))
    assert answer.status_code == 202
    assert views.contact(factory.get("/contact")).status_code == 405
    assert many(engine, NAMES) == [("contact form",)]
