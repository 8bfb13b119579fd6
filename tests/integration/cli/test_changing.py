"""`rung drain`, `rung priority` and `rung budget`, as a person at a terminal meets them."""

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import do, one
from tests.support.works import hand_in, settings_for

BODIES = [f"Where is my card number {n}?" for n in range(6)]


@pytest.fixture(autouse=True)
def two_runs(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs `one` and `two`, open, with a budget of a dollar each."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        hand_in(engine, settings_for("", ""), BODIES, name=name, cap=Decimal(1))


def test_a_drain_waits_until_nothing_is_in_flight(engine: Engine) -> None:
    # given
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    do(engine, "UPDATE jobs SET lease_until = now() + interval '1 minute' WHERE id = 1")
    do(engine, "INSERT INTO dispatches (job_id, queue) SELECT id, queue FROM jobs WHERE id > 1")
    # when
    would = say("drain", "haiku", "--dry-run")
    assert one(engine, "SELECT count(*) FROM tiers WHERE paused")[0] == 0
    busy = say("drain", "haiku", "--timeout", "0")
    do(engine, "UPDATE jobs SET lease_until = NULL")
    empty = say("drain", "haiku", "--json")
    # then
    assert "haiku would be paused, with 1 in flight." in would.err
    assert (busy.code, "1 still in flight" in busy.err) == (1, True)
    assert (empty.code, empty.document["in_flight"]) == (0, 0)
    assert one(engine, "SELECT count(*) FROM dispatches")[0] == 0
    assert one(engine, "SELECT paused_reason FROM tiers")[0] == "drained by hand"
    assert say("drain", "nope").code == 2


def test_a_priority_of_a_run_and_of_chosen_jobs(engine: Engine) -> None:
    run = say("priority", "two", "--to", "5", "--json")
    assert run.document == {
        "action": "priority", "target": "two", "affected": 1, "dry_run": False, "from": 0, "to": 5
    }  # fmt: skip
    where = "external_id in (one-1, one-2)"
    would = say("priority", "--where", where, "--to", "9", "--dry-run", "--json").document
    assert one(engine, "SELECT max(priority) FROM jobs")[0] == 0
    did = say("priority", "--where", where, "--to", "9", "--json").document
    assert would["affected"] == did["affected"] == 2
    assert one(engine, "SELECT count(*) FROM jobs WHERE priority = 9")[0] == 2
    assert one(engine, "SELECT array_agg(priority ORDER BY id) FROM runs")[0] == [0, 5]
    assert say("priority", "two", "--to", "101").code == 2
    assert say("priority", "--to", "1").code == 2


def test_a_budget_of_a_run_and_of_chosen_runs(engine: Engine) -> None:
    one_run = say("budget", "two", "--to", "5.5", "--json").document
    assert (one_run["from"], one_run["to"], one_run["affected"]) == ([1.0], 5.5, 1)
    would = say("budget", "--where", "state = queued", "--to", "none", "--dry-run", "--json")
    assert (would.document["affected"], would.document["from"]) == (2, [1.0, 5.5])
    did = say("budget", "--where", "state = queued", "--to", "none", "--json")
    assert (did.code, did.document["affected"]) == (0, 2)
    assert one(engine, "SELECT count(cap) FROM budgets WHERE run_id > 0")[0] == 0
    do(engine, "UPDATE budgets SET spent = 3 WHERE run_id = 1")
    refused = say("budget", "one", "--to", "2")
    assert (refused.code, "has spent or reserved $3.00 already" in refused.err) == (2, True)
    assert say("budget", "one", "--to", "lots").code == 2
    assert one(engine, "SELECT count(*) FROM audit_events")[0] == 2


def test_a_pause_and_a_resumption_can_be_looked_at_first(engine: Engine) -> None:
    for command, target, words in (
        ("pause", "routing", "12 messages of routing would wait."),
        ("pause", "everything", "12 messages of everything would wait."),
        ("pause", "one", "6 messages of one would wait."),
        ("resume", "one", "6 messages of one would go on."),
        ("resume", "haiku", "0 messages of haiku would go on."),
    ):
        assert words in say(command, target, "--dry-run").err
        assert say(command, target, "--dry-run", "--json").document["dry_run"] is True
    paused = "SELECT count(*) FROM tiers WHERE paused"
    assert (one(engine, paused)[0], one(engine, "SELECT count(*) FROM audit_events")[0]) == (0, 0)


def test_a_run_that_has_the_name_of_a_tier_is_asked_about(engine: Engine) -> None:
    # given
    hand_in(engine, settings_for("", ""), BODIES, name="haiku")
    # when
    both = say("pause", "haiku")
    tier, run = say("pause", "--tier", "haiku"), say("pause", "3")
    # then
    assert (both.code, "haiku is a queue, and a run is called so too." in both.err) == (2, True)
    assert "rung pause --tier haiku, or the run by its number: 3" in both.err
    assert (tier.code, run.code) == (0, 0)
    assert one(engine, "SELECT array_agg(state ORDER BY id) FROM runs")[0] == [
        "active", "active", "paused"
    ]  # fmt: skip


@pytest.mark.parametrize("words", ["2w", "1.5h", "90s"])
def test_a_purge_takes_every_span(words: str) -> None:
    assert say("purge", "--older-than", words, "--dry-run").code == 0


def test_a_name_that_nobody_has_is_taken_for_the_nearest_tier_or_run(engine: Engine) -> None:
    """`pause sonet` proposed the run that is called `one`."""
    for command, typed, meant in (
        ("pause", "sonet", "There is no run or tier called 'sonet'. Did you mean sonnet?"),
        ("resume", "everythin", "Did you mean everything?"),
        ("pause", "oen", "There is no run called 'oen'. Did you mean one?"),
        ("pause", "zzz", "There is no run called 'zzz'.\n"),
    ):
        said = say(command, typed)
        assert (said.code, meant in said.err) == (2, True), said.err
    assert "rung pause sonnet" in say("pause", "sonet").err
    assert one(engine, "SELECT count(*) FROM audit_events")[0] == 0
