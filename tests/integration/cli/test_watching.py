"""What a terminal shows while things go on: the same figures as SQL, and trouble in words."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest
from rich.console import Console, RenderableType
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import one
from tests.support.works import drain, hand_in, settings_for, working
from worker.cli.views.ladder import LadderView
from worker.cli.views.live import follow
from worker.cli.views.now import NowView
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State
from worker.store.actions import holds
from worker.store.audit import Actor

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(20)]
SPENT = "SELECT round(sum(spent), 4) AS usd FROM budgets WHERE run_id IS NOT NULL"


@pytest.fixture
def settings(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], redis_url=redis_url)


def drawn(picture: RenderableType) -> str:
    """As a terminal of 120 columns shows it."""
    console = Console(width=120, file=None, record=True, quiet=False)
    with console.capture() as captured:
        console.print(picture)
    return captured.get()


@pytest.fixture
def view(settings: Settings) -> Iterator[NowView]:
    with closing(NowView(settings)) as made:
        yield made


def test_everything_that_goes_on_is_one_picture(
    view: NowView, engine: Engine, settings: Settings
) -> None:
    # given
    assert "Nothing has been submitted yet." in drawn(view.draw())
    hand_in(engine, settings, BODIES, name="day")
    # when nobody works
    idle = drawn(view.draw())
    # then
    assert "0 of 20" in idle
    assert "No worker is running, and 20 messages wait." in idle
    # when a tier is paused and the rest has been worked on
    with working(settings) as runtime:
        holds.pause_queue(engine, Actor("ann"), "haiku", "new prompt")
        drain(runtime)
        paused = drawn(view.draw())
    # then
    assert "haiku is paused by ann, since" in paused
    assert ": new prompt;" in paused
    spent: Decimal = one(engine, SPENT).usd
    assert f"spent ${spent:.4f}" in paused
    assert not view.over


def test_a_run_is_followed_to_its_end(
    engine: Engine, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(engine, settings, BODIES, name="day")
    view = LadderView(engine, settings, "day")
    with working(settings) as runtime:
        # given
        holds.pause_queue(engine, Actor("ann"), "haiku", "new prompt")
        picture = drawn(view.draw())
        assert ("! haiku is paused by ann, since" in picture, view.over) == (True, False)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE tiers SET paused = false")
        # when
        follow(view, lambda _seconds: drain(runtime))
    # then
    assert view.over
    assert "20 of 20 messages done" in capsys.readouterr().err


def test_a_run_without_money_is_not_followed_for_ever(engine: Engine, settings: Settings) -> None:
    hand_in(engine, settings, BODIES, name="day", cap=Decimal("0.000001"))
    view = LadderView(engine, settings, "day")
    with working(settings) as runtime:
        follow(view, lambda _seconds: drain(runtime))
    assert "the run is stopped by its budget" in drawn(view.draw())


def test_following_everything_has_no_end_to_give_as_json(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url or "")
    said = say("status", "--watch", "--json")
    assert (said.code, "needs a run" in said.err) == (2, True)
