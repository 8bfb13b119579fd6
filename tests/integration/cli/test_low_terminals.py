"""A live picture on a terminal that is too low for all of it: what goes is what matters least, and
how the queues stand is not cut."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from decimal import Decimal

import pytest
from rich.console import Console
from rich.text import Text
from sqlalchemy import Engine

from models.vocabulary import Lane
from tests.support.promises import do
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.cli.views.ladder import LadderView
from worker.cli.views.now import NowView
from worker.cli.views.outage import Outage
from worker.cli.views.picture import BLANK, NOTHING, SPENT, LivePicture, ViewPart, troubles_part
from worker.config.addresses import SIMULATOR_KEY
from worker.config.settings import Settings
from worker.domain.canary import words as canary_words
from worker.lanes.realtime.runtime import Runtime
from worker.lanes.upkeep.budget_stops import tell_of_stops
from worker.sandbox.simulator.state import State
from worker.store.actions import holds
from worker.store.actions.caps import set_budget
from worker.store.actions.selection import Selection
from worker.store.audit import Actor
from worker.store.queue import halts, rate_holds

SIZES = ((40, 24), (60, 20), (80, 24), (120, 40))
ADA = Actor("ada")
BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(20)]
QUEUES = ["opus", "sonnet", "haiku", "routing"]
FAILED = """
INSERT INTO canaries (tier, prompt_version, schema_version, model, bad, failed_jobs)
VALUES ('haiku', 'p', 's', 'm', 5, '{4711,4712,4713,4714,4715}')
"""
SEEN = "UPDATE workers SET seen_at = now() + interval '1 hour'"
AT_CLAUDE = """
INSERT INTO message_batches (stage, tier, model, requests, state, submitted_at, next_poll_at) VALUES
 ('answer', 'haiku', 'claude-haiku-5-5', 9, 'submitted', now() - interval '7 minutes',
  now() + interval '20 minutes')
"""


def pause(engine: Engine, _runtime: Runtime) -> None:
    for queue in ("haiku", "sonnet", "opus"):
        holds.pause_queue(engine, ADA, queue, "its answers came in English only; asked Anthropic")


def fail_a_canary(engine: Engine, _runtime: Runtime) -> None:
    do(engine, FAILED)
    with engine.begin() as connection:
        halts.halt(connection, "haiku", canary_words("haiku", 0, 5, ["malformed"]))


def ask_for_silence(engine: Engine, _runtime: Runtime) -> None:
    rate_holds.note_hold(engine, ["haiku", "sonnet"], 900, 1_200)


def break_a_tier(engine: Engine, _runtime: Runtime) -> None:
    do(engine, "UPDATE tiers SET breaker = 'open', breaker_until = now() + interval '1 minute',"
       " breaker_reason = 'overloaded' WHERE name = 'haiku'")  # fmt: skip


def spend_the_budget(engine: Engine, runtime: Runtime) -> None:
    set_budget(engine, ADA, Selection(run_id=1, run_name="day"), Decimal("0.000001"))
    for _ in range(2):
        make_due(engine)
        drain(runtime)
    tell_of_stops(engine)


def wait_for_batches(engine: Engine, _runtime: Runtime) -> None:
    do(engine, "UPDATE jobs SET state = 'submitted', tier = 'haiku' WHERE id > 11")
    do(engine, AT_CLAUDE)


TROUBLES: list[Callable[[Engine, Runtime], None]] = [
    wait_for_batches, fail_a_canary, pause, break_a_tier, ask_for_silence, spend_the_budget,
]  # fmt: skip


@pytest.fixture
def settings(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(
        database_url, simulator[1], redis_url=redis_url, anthropic_api_key=SIMULATOR_KEY
    )


@pytest.fixture
def views(engine: Engine, settings: Settings) -> Iterator[list[NowView | LadderView]]:
    hand_in(engine, settings, BODIES, name="day", lane=Lane.BATCH)
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku' WHERE id <= 6")
    do(engine, "UPDATE runs SET deadline = now() + interval '45 minutes'")
    do(engine, "INSERT INTO tiers (name) VALUES ('haiku') ON CONFLICT DO NOTHING")
    with ExitStack() as stack:
        everything = stack.enter_context(closing(NowView(settings)))
        yield [everything, LadderView(engine, settings, "day")]


def on_terminal(picture: LivePicture, columns: int, rows: int) -> list[str]:
    console = Console(width=columns, height=rows, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return captured.get().splitlines()


def test_how_the_queues_stand_is_never_cut(
    views: list[NowView | LadderView],
    engine: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with working(settings) as runtime:
        # given what goes wrong, one after another and all at once in the end
        for happens in TROUBLES:
            happens(engine, runtime)
            do(engine, SEEN)
            for columns, rows in SIZES:
                monkeypatch.setenv("COLUMNS", str(columns))
                for view in views:
                    # when
                    lines = on_terminal(view.draw(), columns, rows)
                    # then
                    where = (happens.__name__, columns, type(view).__name__, lines)
                    assert len(lines) <= rows, where
                    assert max(map(len, lines)) <= columns, where
                    begins = [line.split()[0] for line in lines if line.strip()]
                    assert [one for one in begins if one in QUEUES][-4:] == QUEUES, where
                    assert any("SIMULATED" in line for line in lines), where
                    assert not any("…" in line for line in lines), where


def picture() -> LivePicture:
    told = [(f"the long story of {n}", f"story {n}") for n in range(4)]
    return LivePicture([
        ViewPart(Text("headline")), troubles_part(told, ["red"] * 4), BLANK,
        ViewPart(Text("queues")),
        ViewPart(Text("spent"), [(SPENT, NOTHING)]),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "rows", "shown"),
    [
        (40, 8, ["headline", *(f"! the long story of {n}" for n in range(4)), "", "queues",
                 "spent"]),
        (40, 7, ["headline", *(f"! the long story of {n}" for n in range(4)), "queues", "spent"]),
        (40, 6, ["headline", *(f"! the long story of {n}" for n in range(4)), "queues"]),
        (14, 7, ["headline", *(f"! story {n}" for n in range(4)), "queues", "spent"]),
        (14, 5, ["headline", "! story 0", "! story 1", "! and 2 more", "queues"]),
        (14, 2, ["headline", "! story 0", "! story 1", "! and 2 more", "queues"]),
    ],
)  # fmt: skip
def test_what_goes_first_is_what_matters_least(columns: int, rows: int, shown: list[str]) -> None:
    assert [line.rstrip() for line in on_terminal(picture(), columns, rows)] == shown


def test_a_log_has_room_for_all_of_it() -> None:
    console = Console(width=14, height=2, force_terminal=False)
    with console.capture() as captured:
        console.print(picture())
    assert "spent" in captured.get()


def test_that_postgres_is_away_stands_first() -> None:
    words = Outage().words
    lines = on_terminal(picture().led_by(words), 40, 10)
    assert lines[0].startswith("! Postgres has not answered since")
    assert lines[-1].startswith("queues")
