"""`rung deliver`: what waits for webhooks, as a person at a terminal meets it."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import do, many
from tests.support.works import hand_in, settings_for
from worker.store.queue import deliveries


@pytest.fixture(autouse=True)
def targets(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook for which one answer waits and one was given up."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    deliveries.announce(engine, {"help[/b]desk": False})
    hand_in(engine, settings_for("", ""), ["one", "two"], name="day")
    do(engine, "INSERT INTO deliveries (target, job_id, state, ended_at, error) VALUES"
       " ('help[/b]desk', 1, 'waiting', NULL, NULL),"
       " ('help[/b]desk', 2, 'dead', now(), 'HTTP 500')")  # fmt: skip


def test_status_says_what_waits_and_what_was_given_up() -> None:
    shown = say("deliver", "status")
    assert shown.code == 0
    assert "help[/b]desk" in shown.out
    (line,) = json.loads(say("deliver", "status", "--json").out)
    assert (line["waiting"], line["dead"], line["paused_at"]) == (1, 1, None)


def test_pause_resume_and_replay(engine: Engine) -> None:
    assert say("deliver", "pause", "help[/b]desk", "--reason", "moving").code == 0
    assert "moving" in say("deliver", "status").out
    twice = say("deliver", "pause", "help[/b]desk")
    assert (twice.code, "help[/b]desk are paused already." in twice.err) == (1, True)
    nowhere = say("deliver", "pause", "nowhere")
    assert (nowhere.code, "'nowhere' is no webhook." in nowhere.err) == (2, True)
    assert say("deliver", "resume", "help[/b]desk").code == 0
    going = say("deliver", "resume", "help[/b]desk")
    assert (going.code, "are not paused: they go on already." in going.err) == (1, True)
    replayed = say("deliver", "replay", "help[/b]desk", "--run", "day", "--dead")
    assert "1 answer will be delivered" in replayed.err
    nowhere = say("deliver", "replay", "nowhere", "--run", "day")
    assert (nowhere.code, "'nowhere' is no webhook" in nowhere.err) == (2, True)
    states = many(engine, "SELECT state FROM deliveries ORDER BY job_id")
    assert [row.state for row in states] == ["waiting", "waiting"]


def test_without_webhooks_it_says_where_they_are_configured(engine: Engine) -> None:
    do(engine, "DELETE FROM deliveries")
    do(engine, "DELETE FROM delivery_targets")
    assert "[deliver.NAME]" in say("deliver", "status").err
