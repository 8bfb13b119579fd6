"""Every scenario, told in a house of its own by real worker processes, then every promise checked.

`make faults` runs all of them; the quick ones are part of `make test`.
"""

import time
from pathlib import Path

import pytest

from tests.faults import (
    broker,
    claude,
    hosts,
    intake,
    nights,
    postgres,
    signals,
    surroundings,
    workers,
)
from tests.faults.report import RECOVERS_WITHIN_S, ROWS, remember
from tests.faults.scenario import GOOD, Scenario
from tests.support.house import SETTLE_S, House
from tests.support.household import house
from tests.support.servers import Servers
from tests.support.zygote import Zygote

TABLE = (
    *broker.SCENARIOS,
    *workers.SCENARIOS,
    *signals.SCENARIOS,
    *surroundings.SCENARIOS,
    *postgres.SCENARIOS,
    *claude.SCENARIOS,
    *intake.SCENARIOS,
    *nights.SCENARIOS,
    *hosts.SCENARIOS,
)


def cases(table: tuple[Scenario, ...]) -> list[object]:
    return [
        pytest.param(
            scenario, id=scenario.name, marks=[] if scenario.quick else [pytest.mark.fault]
        )
        for scenario in table
    ]


@pytest.mark.parametrize("scenario", cases(TABLE))
def test_the_promises_hold(
    scenario: Scenario, servers: Servers, zygote: Zygote, seed: int, tmp_path: Path
) -> None:
    with house(
        servers,
        tmp_path / "house",
        zygote,
        seed=seed,
        latency_scale=scenario.latency,
        settings=scenario.settings,
    ) as home:
        tell(scenario, home, seed)


def tell(scenario: Scenario, home: House, seed: int) -> None:
    """Tells the story, checks every promise, and remembers what it cost."""
    started = time.monotonic()
    scenario.story(home)
    home.check()
    home.tally.seconds = time.monotonic() - started
    ended = set(home.states())
    assert ended <= set(scenario.ends), home.story()
    assert scenario.ends == GOOD or ended >= set(scenario.ends) - set(GOOD), home.story()
    assert home.tally.wasted <= scenario.wasted, home.story()
    assert home.tally.recover_s <= RECOVERS_WITHIN_S.get(scenario.row, SETTLE_S), home.story()
    remember(scenario.name, scenario.row, seed, home.tally)


def test_every_scenario_has_a_name_of_its_own_and_every_row_has_scenarios() -> None:
    names = [scenario.name for scenario in TABLE]
    assert len(set(names)) == len(names) >= 100
    assert {scenario.row for scenario in TABLE} == set(ROWS)
