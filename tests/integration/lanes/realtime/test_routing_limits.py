"""Routing shares the rate limits of the tier that classifies, and needs them only where it asks."""

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.checker import Checker
from tests.support.works import drain, hand_in, settings_for, working
from worker.claude.rate_limits import Limiter, connect, limits_of
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(30)]
TIERS: dict[str, Any] = {
    "haiku": {"model": "claude-haiku-5-5", "rpm": 6_000, "max_in_flight": 8},
    "opus": {"model": "claude-opus-5-5", "max_in_flight": 8},
}


@pytest.fixture
def settings(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], redis_url=redis_url, tiers=TIERS)


def hold_haiku(settings: Settings, redis_url: str, seconds: float) -> None:
    """As after a 429 of Claude's."""
    client = connect(redis_url)
    Limiter(client, limits_of(settings)).hold("haiku", seconds)
    client.close()


def test_what_asks_nothing_is_routed_while_the_classifiers_tier_is_held(
    engine: Engine, settings: Settings, redis_url: str, simulator: tuple[State, str]
) -> None:
    # given
    hold_haiku(settings, redis_url, 3_600)
    hand_in(engine, settings, BODIES, policy="single:opus")
    # when
    with working(settings) as runtime:
        drain(runtime)
    # then
    asked = simulator[0].counts.by_model
    assert (asked["claude-opus-5-5"], asked["claude-haiku-5-5"]) == (len(BODIES), 0)
    Checker(ladder=("haiku", "opus")).require(engine)


def test_what_asks_waits_for_its_limits_and_is_routed_after(
    engine: Engine, settings: Settings, redis_url: str, simulator: tuple[State, str]
) -> None:
    # given: some ask for a label, and some do not
    hold_haiku(settings, redis_url, 1.5)
    hand_in(engine, settings, BODIES[:10], policy="route", name="labels")
    hand_in(engine, settings, BODIES[10:], policy="single:opus", name="fixed")
    # when
    with working(settings) as runtime:
        drain(runtime)
    # then
    asked = simulator[0].counts.by_model
    assert asked["claude-opus-5-5"] >= len(BODIES) - 10
    assert asked["claude-haiku-5-5"] >= 10
    assert simulator[0].counts.by_call.most_common(1)[0][1] == 1
    Checker(ladder=("haiku", "opus")).require(engine)
