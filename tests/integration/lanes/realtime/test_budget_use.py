"""A budget is used until less than one worst case is left, and never above its cap."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from models.vocabulary import Lane, Purpose
from tests.support.checker import Checker
from tests.support.deciding import GOOD, answering, moods
from tests.support.nights import night, night_settings, rounds
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.settings import Settings
from worker.domain.prompts import RequestKind
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator.state import State
from worker.store.counted import counted_inputs

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(400)]
WORST = Decimal(100)
POLICY = "single:haiku"


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    """Replies are long for what they may take, so that a hundred worst cases are not a thousand
    calls."""
    reply = "Your card was sent on Monday and arrives within five working days. " * 13
    moods(simulator, answering({"json": {**GOOD, "reply": reply}}))
    settings = settings_for(database_url, simulator[1])
    short = {
        name: tier.model_copy(update={"max_tokens": 300}) for name, tier in settings.tiers.items()
    }
    return settings.model_copy(update={"tiers": short})


def dearest(engine: Engine, run: str) -> Decimal:
    """The largest worst case of a run's calls, in dollars."""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT max(c.worst_cost) FROM calls AS c JOIN jobs AS j ON j.id = c.job_id"
                " JOIN runs AS r ON r.id = j.run_id WHERE r.name = :run"
            ),
            {"run": run},
        )
        return Decimal(found.scalar_one())


def budget(engine: Engine, run_id: int) -> tuple[Decimal, Decimal, Decimal]:
    """Spent, reserved, overrun."""
    statement = "SELECT spent, reserved, overrun FROM budgets WHERE run_id = :id"
    with engine.connect() as connection:
        row = connection.execute(text(statement), {"id": run_id}).one()
    return row.spent, row.reserved, row.overrun


def until_it_stops(engine: Engine, runtime: Runtime, run_id: int) -> Decimal:
    """Works on while anything still fits. Returns what was spent, in dollars."""
    before, spent = Decimal(-1), Decimal(0)
    while spent > before:
        make_due(engine)
        drain(runtime)
        before, (spent, *_) = spent, budget(engine, run_id)
    return spent


def test_a_budget_of_a_hundred_worst_cases_is_used_to_95_percent(
    engine: Engine, settings: Settings
) -> None:
    # given: a prompt that Claude has counted
    with working(settings) as runtime:
        for name in ("by-bytes", "counted"):
            hand_in(engine, settings, BODIES[-1:], policy=POLICY, name=name, cap=Decimal(5))
            drain(runtime)
        worst = dearest(engine, "counted")
        cap = (WORST * worst).quantize(Decimal("0.0001"))
        # when
        run = hand_in(engine, settings, BODIES, policy=POLICY, name="day", cap=cap)
        spent = until_it_stops(engine, runtime, run.id)
    # then
    assert worst < dearest(engine, "by-bytes") / 2
    _, reserved, overrun = budget(engine, run.id)
    assert cap - spent < worst
    assert Decimal("0.95") * cap <= spent <= cap
    assert (reserved, overrun) == (0, 0)
    Checker().require(engine, rest=False)


def test_what_was_counted_is_known_to_the_next_process(engine: Engine, settings: Settings) -> None:
    # given
    with working(settings) as runtime:
        hand_in(engine, settings, BODIES[:1], policy=POLICY, name="first", cap=Decimal(5))
        drain(runtime)
        runtime.keep_counted()
        (kind,) = known = kept(engine)
        assert runtime.planner.counted.tokens(kind) == known[kind]
    # when
    with working(settings) as runtime:
        with engine.begin() as connection:
            connection.execute(text("UPDATE counted_inputs SET simulated = false"))
        runtime.remember_prompts()
        hand_in(engine, settings, BODIES[:1], policy=POLICY, name="second", cap=Decimal(5))
        drain(runtime)
    # then
    assert dearest(engine, "second") < dearest(engine, "first")


def kept(engine: Engine) -> dict[RequestKind, int]:
    with engine.connect() as connection:
        assert counted_inputs(connection, simulated=False) == {}
        return counted_inputs(connection, simulated=True)


def test_a_batch_teaches_too(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES[:1], policy=POLICY, lane=Lane.BATCH, cap=Decimal(5))
        # when
        rounds(runtime, lane)
        # then
        counted, simulated = runtime.planner.counted.unsaved()
    assert ([kind.purpose for kind in counted], simulated) == ([Purpose.ANSWER], True)


def test_a_count_that_claude_no_longer_keeps_to_is_dropped(
    engine: Engine, settings: Settings
) -> None:
    # given: something that makes the prompt look free
    with working(settings) as runtime:
        hand_in(engine, settings, BODIES[:1], policy=POLICY, name="first", cap=Decimal(5))
        drain(runtime)
        (kind,), _ = runtime.planner.counted.unsaved()
        true = runtime.planner.counted.tokens(kind)
        runtime.planner.counted.note(kind, 1, simulated=True)
        # when
        hand_in(engine, settings, BODIES[1:2], policy=POLICY, name="second", cap=Decimal(5))
        drain(runtime)
        learned = runtime.planner.counted.tokens(kind)
        hand_in(engine, settings, BODIES[2:3], policy=POLICY, name="third", cap=Decimal(5))
        drain(runtime)
    # then: one call was allowed too little, and the next is not
    assert true is not None
    assert learned is not None
    assert learned > true / 2
    assert dearest(engine, "second") < dearest(engine, "third") < dearest(engine, "first")
