"""A budget that is used up: the run says so, `--watch` ends with exit code 4, and the run goes on
where it stood once somebody raises the cap."""

import csv
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.support.checker import Checker
from tests.support.cli import say
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.prices import price_of
from worker.config.settings import Settings
from worker.domain.budget_waits import read_waits
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator.state import State

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(6)]


pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


@contextmanager
def at_work(runtime: Runtime) -> Iterator[None]:
    """The runtime works in a thread of its own, as a worker would."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.05):
            drain(runtime, rounds=1)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(30)


def test_a_watched_run_ends_with_4_and_goes_on_with_a_larger_budget(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    # given
    with (tmp_path / "day.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["external_id", "body"])
        rows.writerows([f"m{n}", body] for n, body in enumerate(BODIES))
    with working(settings) as runtime:
        # when
        with at_work(runtime):
            stopped = say("enqueue", "day.csv", "--run", "day", "--budget", "0.0001", "--watch")
        status = say("status", "day", "--json").document
        with engine.connect() as connection:
            waits = connection.execute(text("SELECT tier_waits FROM runs")).scalar_one()
        resumed = say("resume", "day", "--budget", "5")
        make_due(engine)
        with at_work(runtime):
            watched = say("status", "day", "--watch")
    # then
    rates = {tier: wait.rate for tier, wait in read_waits(waits).items()}
    assert [rates[tier] for tier in settings.tiers] == [
        price.base.output
        for tier in settings.tiers.values()
        if (price := price_of(tier.model, settings.prices))
    ]
    assert (stopped.code, "rung resume day --budget" in stopped.err) == (4, True), stopped.err
    assert (status["waiting_for"], status["by_state"].get("answered")) == ("run budget", None)
    assert Decimal(status["spent_usd"]) <= Decimal("0.0001")
    # The sum that is enough has room for an answer of the top tier, where nothing is routed yet.
    assert Decimal(status["enough_usd"]) > Decimal(waits["opus"]["most"]) > Decimal("0.01")
    assert (resumed.code, watched.code) == (0, 0), watched.err
    assert say("status", "day", "--json").document["ended"] == len(BODIES)
    Checker().require(engine)


def test_a_day_budget_is_named_with_what_mends_it(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given
    settings = settings_for(database_url, simulator[1], budget={"per_day_usd": 0})
    hand_in(engine, settings, BODIES, name="day", policy="single:haiku", cap=Decimal(5))
    # when
    with working(settings) as runtime:
        drain(runtime)
    said = say("status", "day", "--watch")
    # then
    assert said.code == 4
    assert "Stopped by the day budget: $0.00 of the day's budget is left and the next" in said.err
    assert "per_day_usd = 0.0" in said.err
    assert "per_day_usd" in said.err
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM calls")).scalar_one() == 0
