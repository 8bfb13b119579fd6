"""`[audit] shadow`: a part of each run's messages is asked about everywhere, when it has ended."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.vocabulary import Purpose
from tests.support.cli import say
from tests.support.promises import do, many, one
from tests.support.works import drain, hand_in, settings_for, working
from worker.claude.prompts import prompts_of
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.prompts import prompt
from worker.runs.standing_shadows import ask_standing_shadows
from worker.sandbox.simulator.state import State
from worker.store.prompts import freeze
from worker.store.queue.run_ends import finish_runs

AUDIT = {"shadow": 0.5, "budget_usd": 9, "shadow_budget_usd": 2}
ASKED = "SELECT name, lane, budget_cap FROM runs WHERE kind = 'shadow' ORDER BY id"
OWN = prompt(Purpose.ANSWER, "Judge it by our own rules.")
LEFT_OUT = """
SELECT count(*) FROM shadows AS s WHERE NOT EXISTS (
  SELECT FROM jobs AS j WHERE j.origin_id = s.job_id AND j.tier = 'opus')
"""


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    simulator[0].moods.replace([])
    return settings_for(database_url, simulator[1], audit=AUDIT)


@pytest.fixture
def monday(engine: Engine, settings: Settings) -> Engine:
    """Sixteen messages that haiku answered, in a run whose end nobody has seen yet."""
    bodies = [f"Where is card number {n}? It was due on Monday." for n in range(16)]
    hand_in(engine, settings, bodies, policy="fallback", name="monday")
    do(engine, "UPDATE runs SET shadow_share = 0.5")
    with working(settings) as runtime:
        drain(runtime)
    do(engine, "UPDATE runs SET state = 'active', finished_at = NULL")
    return engine


def test_every_tier_that_was_not_needed_is_asked_once_the_run_has_ended(
    monday: Engine, settings: Settings
) -> None:
    drawn = one(monday, "SELECT count(*) FROM shadows")[0]
    assert 0 < drawn < 16
    assert one(monday, "SELECT DISTINCT probability FROM shadows")[0] == Decimal("0.5")
    # not before its end, and then once
    assert ask_standing_shadows(monday, settings) == []
    finish_runs(monday)
    made = ask_standing_shadows(monday, settings)
    assert made == ["monday-shadow-sonnet", "monday-shadow-opus"]
    assert many(monday, ASKED) == [(name, "batch", Decimal(2)) for name in made]
    assert one(monday, LEFT_OUT)[0] == 0
    assert ask_standing_shadows(monday, settings) == []
    # what they said is never a shadow of its own
    do(monday, "UPDATE runs SET state = 'finished', finished_at = now() WHERE kind = 'shadow'")
    assert ask_standing_shadows(monday, settings) == []


def test_what_came_in_after_its_end_is_asked_about_as_well(
    monday: Engine, settings: Settings
) -> None:
    finish_runs(monday)
    ask_standing_shadows(monday, settings)
    do(monday, "INSERT INTO shadows (job_id, run_id, probability)"
        " SELECT id, run_id, 0.5 FROM jobs WHERE run_id = 1 ON CONFLICT DO NOTHING")  # fmt: skip
    assert ask_standing_shadows(monday, settings) == []
    do(monday, "UPDATE runs SET finished_at = clock_timestamp() WHERE id = 1")
    assert len(ask_standing_shadows(monday, settings)) == 2
    assert one(monday, LEFT_OUT)[0] == 0


def test_no_run_is_asked_about_by_two_at_once(monday: Engine, settings: Settings) -> None:
    finish_runs(monday)
    with monday.begin() as connection:
        connection.exec_driver_sql("SELECT id FROM runs WHERE id = 1 FOR UPDATE")
        assert ask_standing_shadows(monday, settings) == []
    assert len(ask_standing_shadows(monday, settings)) == 2


def test_they_are_asked_as_the_run_was_and_of_tiers_that_there_are(
    monday: Engine, settings: Settings
) -> None:
    # given a run with prompts and pages of its own, on a ladder with a tier that is gone
    with monday.begin() as connection:
        own = {**prompts_of(settings, policy_named(settings, "fallback")), "judge": OWN}
        kept = freeze(connection, own)
    do(
        monday,
        "UPDATE runs SET prompts = CAST(:kept AS jsonb), policy = jsonb_set(jsonb_set(policy,"
        " '{ladder}', policy -> 'ladder' || CAST('\"gone\"' AS jsonb)), '{knowledge}',"
        " CAST('[\"help\"]' AS jsonb))",
        kept=json.dumps(kept),
    )
    finish_runs(monday)
    # when
    made = ask_standing_shadows(monday, settings)
    # then
    assert made == ["monday-shadow-sonnet", "monday-shadow-opus"]
    found = many(monday, "SELECT prompts, policy -> 'knowledge' FROM runs WHERE kind = 'shadow'")
    assert found == [(kept, ["help"])] * 2


def test_a_run_that_cannot_be_asked_about_keeps_no_other_waiting(
    monday: Engine, settings: Settings
) -> None:
    do(monday, "UPDATE runs SET policy = '{}'")
    finish_runs(monday)
    assert ask_standing_shadows(monday, settings) == []
    assert one(monday, "SELECT shadows_asked_at IS NOT NULL FROM runs")[0] is True
    assert one(monday, "SELECT count(*) FROM runs")[0] == 1


def test_without_a_share_nothing_is_drawn_asked_or_scheduled(
    monday: Engine, settings: Settings
) -> None:
    finish_runs(monday)
    without = settings.model_copy(
        update={"audit": settings.audit.model_copy(update={"shadow": Decimal(0)})}
    )
    assert ask_standing_shadows(monday, without) == []
    assert (without.ticks, settings.ticks) == (False, True)


def test_a_new_run_has_the_share_of_the_configuration(engine: Engine, configured: None) -> None:
    Path("rung.toml").write_text("[audit]\nshadow = 0.25\n")
    Path("day.csv").write_text("external_id,body\n1,Where is my card?\n")
    assert say("enqueue", "day.csv").code == 0
    assert one(engine, "SELECT shadow_share FROM runs")[0] == Decimal("0.25")
    do(engine, "UPDATE jobs SET state = 'review', finished_at = now()")
    assert say("reprocess", "--where", "state = review", "--name", "again").code == 0
    assert one(engine, "SELECT shadow_share FROM runs WHERE name = 'again'")[0] == Decimal("0.25")
