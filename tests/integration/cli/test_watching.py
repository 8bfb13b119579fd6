"""What a terminal shows while things go on: the same figures as SQL, and trouble in words."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from rich.console import Console, RenderableType
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from tests.support.cli import say
from tests.support.household import postgres_socket
from tests.support.promises import do, one
from tests.support.proxy import Proxy, proxied
from tests.support.works import drain, hand_in, settings_for, working
from worker.cli.speech.invocation import as_typed_here
from worker.cli.views.ladder import LadderView
from worker.cli.views.live import follow
from worker.cli.views.now import NowView
from worker.cli.views.outage import Outliving
from worker.cli.watch import follow_in_lines
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State
from worker.store.actions import holds
from worker.store.audit import Actor
from worker.store.engine import make_engine

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(20)]
SPENT = "SELECT round(sum(spent), 4) AS usd FROM budgets WHERE run_id IS NOT NULL"


@pytest.fixture
def settings(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], redis_url=redis_url)


def drawn(picture: RenderableType, width: int = 120) -> str:
    """As a terminal of so many columns shows it."""
    console = Console(width=width, file=None, record=True, quiet=False)
    with console.capture() as captured:
        console.print(picture)
    return captured.get()


@pytest.fixture
def view(settings: Settings) -> Iterator[NowView]:
    with closing(NowView(settings)) as made:
        yield made


def test_everything_that_goes_on_is_one_picture(
    view: NowView, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
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
        monkeypatch.setenv("COLUMNS", "40")
        narrow = drawn(view.draw(), 40)
    # then on a narrow terminal, that nothing is real and how queues stand is not cut
    assert max(map(len, narrow.splitlines())) <= 40
    assert narrow.index("SIMULATED") < narrow.index("haiku is paused") < narrow.index("routing")
    (row,) = (line.split() for line in narrow.splitlines() if line.startswith("haiku  "))
    assert (row[-1], len(row)) == ("paused", 4)
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


def test_who_watches_one_run_sees_the_figures_of_that_run(
    engine: Engine, settings: Settings
) -> None:
    # given two runs in the same queues, and some of the one in flight
    hand_in(engine, settings, BODIES, name="day")
    hand_in(engine, settings, BODIES[:7], name="night")
    do(engine, "UPDATE jobs SET lease_until = now() + interval '1 min' WHERE id IN (1, 2, 21)")
    # when
    lines = drawn(LadderView(engine, settings, "day").draw()).splitlines()
    # then
    (routing,) = (line.split() for line in lines if line.startswith("routing"))
    assert routing == ["routing", "18", "2", "–", "0"]


def test_a_run_without_money_is_not_followed_for_ever(engine: Engine, settings: Settings) -> None:
    hand_in(engine, settings, BODIES, name="day", cap=Decimal("0.000001"))
    view = LadderView(engine, settings, "day")
    with working(settings) as runtime:
        follow(view, lambda _seconds: drain(runtime))
    said = drawn(view.draw())
    assert "Stopped by its budget" in said
    assert f"raise its budget: {as_typed_here(view.status.go_on_with)}"[:40] in said


@pytest.fixture
def line(database_url: str) -> Iterator[Proxy]:
    """To Postgres, and may be cut."""
    with proxied(postgres_socket(database_url)) as made:
        yield made


@pytest.fixture
def over_the_line(database_url: str, line: Proxy) -> Iterator[Engine]:
    parts = urlsplit(database_url)
    made = make_engine(f"postgresql://{parts.username}@127.0.0.1:{line.port}{parts.path}")
    yield made
    made.dispose()


def test_who_watches_outlives_an_outage_of_postgres(
    engine: Engine, over_the_line: Engine, line: Proxy, settings: Settings
) -> None:
    hand_in(engine, settings, BODIES, name="day")
    picture = Outliving(LadderView(over_the_line, settings, "day"))
    assert "0 of 20" in drawn(picture.draw())
    line.set("reset")
    away = drawn(picture.draw())
    assert "0 of 20" in away
    assert "Postgres has not answered since" in away
    line.set("pass")
    with working(settings) as runtime:
        drain(runtime)
    assert not picture.over, "what was seen last had not ended"
    back = drawn(picture.draw())
    assert "20 of 20" in back
    assert "has not answered" not in back
    assert picture.over


def test_lines_say_once_that_postgres_is_away_and_go_on_to_the_end(
    engine: Engine,
    over_the_line: Engine,
    line: Proxy,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hand_in(engine, settings, BODIES, name="day")
    looks: list[float] = []
    with working(settings) as runtime:

        def wait(seconds: float) -> None:
            looks.append(seconds)
            line.set("reset" if len(looks) < 4 else "pass")
            if len(looks) == 4:
                drain(runtime)

        ended = follow_in_lines(over_the_line, settings, "day", wait)
    assert (ended.state, ended.ended) == ("finished", 20)
    said = capsys.readouterr().err
    assert said.count("Postgres has not answered since") == 1
    assert said.startswith("0 of 20 done, $0.00; the pace is being measured\n")


def test_a_watch_that_never_saw_postgres_says_so_at_once(
    engine: Engine, over_the_line: Engine, line: Proxy, settings: Settings
) -> None:
    hand_in(engine, settings, BODIES, name="day")
    view = Outliving(LadderView(over_the_line, settings, "day"))
    line.set("reset")
    with pytest.raises(OperationalError):
        view.draw()


def test_following_everything_has_no_end_to_give_as_json(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url or "")
    said = say("status", "--watch", "--json")
    assert (said.code, "needs a run" in said.err) == (2, True)
