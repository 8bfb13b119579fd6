"""Budgets say when they run out, once each, and are set right when a worker starts."""

import logging
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from tests.support.cli import say
from tests.support.promises import BODY, ME, checked, crashed_claim, do, one
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.settings import Settings
from worker.lanes.upkeep.budget_stops import tell_of_stops
from worker.sandbox.simulator.state import State
from worker.store.actions import holds
from worker.store.actions.selection import whole
from worker.store.queue import budgets, reservations
from worker.store.queue.reservations import reconcile
from worker.store.reading.standings import standing_of

SAID = """
SELECT array_agg(target || ' ' || (detail->>'percent') ORDER BY id) FROM audit_events
WHERE action = 'budget warning'
"""


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], policy={"preset": "single:haiku"})


def spend(engine: Engine, scope: str, dollars: str) -> None:
    with engine.begin() as connection:
        budgets.settle(connection, {scope: (Decimal(0), Decimal(dollars))})


def test_each_level_is_said_once_and_again_under_a_new_cap(
    engine: Engine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a run that may cost ten dollars
    run = hand_in(engine, settings, BODY, cap=Decimal(10))
    scope = budgets.run_scope(run.id)
    # When it spends them bit by bit
    with caplog.at_level(logging.WARNING):
        for dollars in ("4.99", "0.01", "1", "2", "1", "1"):
            spend(engine, scope, dollars)
    # Then each level is said once: in the audit, as a notice, in the log, in the status
    assert one(engine, SAID)[0] == ["run run 50", "run run 80", "run run 100"]
    assert one(engine, "SELECT count(*) FROM notices WHERE kind = 'budget'")[0] == 3
    assert [r.msg for r in caplog.records] == ["budget"] * 3
    # When the budget is raised, and half of it is spent again
    holds.resume_run(engine, ME, whole(run), Decimal(40))
    spend(engine, scope, "9")
    assert len(one(engine, SAID)[0]) == 3
    spend(engine, scope, "1")
    # Then it is said anew
    assert one(engine, SAID)[0][3:] == ["run run 50"]


def test_a_jump_over_two_levels_says_the_higher_one(engine: Engine, settings: Settings) -> None:
    run = hand_in(engine, settings, BODY, cap=Decimal(10))
    spend(engine, budgets.run_scope(run.id), "9")
    assert one(engine, SAID)[0] == ["run run 80"]


def test_a_run_that_its_budget_stops_is_told_once_with_the_sum_that_is_enough(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given a budget that covers no call
    run = hand_in(engine, settings, BODY, cap=Decimal("0.000001"))
    # When a claim is refused, and housekeeping looks twice
    with working(settings) as runtime:
        drain(runtime)
        make_due(engine)
        drain(runtime)
    tell_of_stops(engine)
    tell_of_stops(engine)
    # Then it is said once, and nothing says that anything was spent
    words, detail = one(engine, "SELECT words, detail FROM notices WHERE kind = 'budget_stop'")
    assert "of its budget is left and the next call may cost up to" in words
    assert one(engine, SAID)[0] is None
    assert one(engine, "SELECT warned_percent FROM budgets WHERE run_id = 1")[0] == 0
    # And with the sum that it names, it goes on to its end
    holds.resume_run(engine, ME, whole(run), Decimal(detail["enough_usd"]))
    make_due(engine)
    with working(settings) as runtime:
        drain(runtime)
        make_due(engine)
        drain(runtime)
    assert one(engine, "SELECT count(*) FROM jobs WHERE finished_at IS NULL")[0] == 0
    checked(engine, simulator)


def test_what_one_queue_is_refused_is_not_said_for_the_whole_run(
    engine: Engine, settings: Settings
) -> None:
    """Each queue's claim wrote its own worst case for the run: the sum that was to be enough went
    from one queue's to the other's and back, every few seconds."""
    # Given a run whose budget covers no call, with jobs that wait for two tiers
    run = hand_in(engine, settings, BODY * 4, cap=Decimal("0.000001"))
    do(engine, "UPDATE jobs SET tier = 'haiku', state = 'routed'")
    do(engine, "UPDATE jobs SET tier = 'opus' WHERE id % 2 = 0")
    said = set()
    with working(settings) as runtime:
        for queue in ("haiku", "opus", "haiku", "opus"):
            # When their claims are refused in turn
            other = "opus" if queue == "haiku" else "haiku"
            make_due(engine)
            later = "UPDATE jobs SET available_at = now() + interval '1 h' WHERE queue = :other"
            do(engine, later, other=other)
            drain(runtime)
            with engine.connect() as connection:
                found = standing_of(connection, run.id)
            said.add((found.waiting_usd, found.enough, found.money_words))
    # Then, once both were looked at, one sum is said: that of the dearest for all of it
    last = found.tier_waits or {}
    assert (len(said), sorted(last)) == (2, ["haiku", "opus"])
    assert found.waiting_usd == Decimal(last["haiku"]["least"]) < Decimal(last["opus"]["most"])
    # And a new budget begins anew
    holds.resume_run(engine, ME, whole(run), Decimal(4))
    assert one(engine, "SELECT waiting_for, tier_waits FROM runs") == (None, None)


@pytest.mark.parametrize(
    ("waits_for", "needs", "spent", "still"),
    [
        ("run budget", "4", "6", None),
        ("run budget", "4", "6.01", "run budget"),
        ("run budget", None, "0", "run budget"),
        ("day budget", "4", "0", "day budget"),
    ],
)
def test_what_fits_once_calls_are_settled_waits_for_no_budget(
    engine: Engine,
    settings: Settings,
    waits_for: str,
    needs: str | None,
    spent: str,
    still: str | None,
) -> None:
    """Also where nothing of the run is claimed any more, because its tier was paused meanwhile."""
    run = hand_in(engine, settings, BODY, cap=Decimal(10))
    waits = "UPDATE runs SET waiting_for = :w, waiting_usd = CAST(:n AS numeric)"
    do(engine, waits, w=waits_for, n=needs)
    other = hand_in(engine, settings, BODY, name="other", cap=Decimal(10))
    do(
        engine,
        "UPDATE runs SET waiting_for = 'run budget', waiting_usd = 1 WHERE id = :o",
        o=other.id,
    )
    spend(engine, budgets.run_scope(run.id), spent)
    told = "SELECT array_agg(waiting_for ORDER BY id) FROM runs"
    assert one(engine, told)[0] == [still, "run budget"]
    with engine.connect() as connection:
        # Nobody says it of the other one either, where nothing is settled that would set it right.
        assert standing_of(connection, other.id).waiting_for is None


@pytest.mark.parametrize(
    ("reserved", "needs", "told"),
    [("0", "2", 1), ("0", "0.5", 0), ("0.5", "2", 0), ("0", None, 1)],
)
def test_a_run_whose_calls_are_still_to_be_settled_is_not_stopped(
    engine: Engine, settings: Settings, reserved: str, needs: str | None, told: int
) -> None:
    run = hand_in(engine, settings, BODY, cap=Decimal(1))
    do(
        engine,
        "UPDATE runs SET waiting_for = 'run budget', waiting_usd = CAST(:n AS numeric)",
        n=needs,
    )
    do(engine, "UPDATE budgets SET reserved = CAST(:r AS numeric)", r=reserved)
    tell_of_stops(engine)
    assert one(engine, "SELECT count(*) FROM notices WHERE kind = 'budget_stop'")[0] == told
    with engine.connect() as connection:
        assert standing_of(connection, run.id).out_of_money is bool(told)
    # and of a larger one anew
    do(engine, "UPDATE budgets SET cap = 1.5")
    tell_of_stops(engine)
    assert one(engine, "SELECT count(*) FROM notices WHERE kind = 'budget_stop'")[0] == 2 * told


def test_the_day_is_warned_of_and_shown(
    engine: Engine,
    database_url: str,
    simulator: tuple[State, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a day's budget that one call uses up for the most part
    settings = settings_for(
        database_url,
        simulator[1],
        policy={"preset": "single:haiku"},
        budget={"per_day_usd": Decimal("0.05")},
    )
    hand_in(engine, settings, BODY * 2)
    with working(settings) as runtime:
        drain(runtime)
    day = one(engine, "SELECT scope, spent FROM budgets WHERE day IS NOT NULL")
    spend(engine, day.scope, str(Decimal("0.041") - day.spent))
    # Then the status says so
    monkeypatch.setenv("DATABASE_URL", database_url)
    found = say("status", "--json").document["day"]
    assert found["budget_warned_percent"] == 80
    assert "spent, 82 % of the budget" in say("status").err
    assert one(engine, SAID)[0][-1].endswith(" 80")


def test_reservations_are_set_right_at_start_up(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given a claim in flight, and budgets that have lost their count
    hand_in(engine, settings, BODY * 3, cap=Decimal(5))
    with working(settings) as runtime:
        drain(runtime, rounds=1)
        crashed_claim(runtime)
    right = one(engine, "SELECT array_agg(reserved ORDER BY scope) FROM budgets")[0]
    assert reconcile(engine) == 0
    do(engine, "UPDATE budgets SET reserved = CASE WHEN day IS NULL THEN 0 ELSE reserved + 1 END")
    # When a worker starts
    assert reconcile(engine) == 2
    # Then they hold what the open attempts hold, and the audit says that they were wrong
    assert one(engine, "SELECT array_agg(reserved ORDER BY scope) FROM budgets")[0] == right
    assert one(engine, "SELECT count(*) FROM audit_events WHERE action = 'reconcile'")[0] == 2


def test_a_start_waits_for_no_budget_that_another_process_keeps(
    engine: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hand_in(engine, settings, BODY, cap=Decimal(5))
    do(engine, "UPDATE budgets SET reserved = 1")
    monkeypatch.setattr(reservations, "PATIENCE", text("SET LOCAL lock_timeout = '50ms'"))
    # Given a process that stands still in the middle of a claim
    with engine.begin() as held:
        held.execute(text("SELECT FROM budgets FOR UPDATE"))
        # When a worker starts, then it goes on without
        with caplog.at_level(logging.WARNING):
            assert reconcile(engine) == 0
    assert "another process keeps one locked" in caplog.text
    # And the next one sets them right
    assert reconcile(engine) == 1


def test_a_run_that_the_day_stops_is_told_for_each_budget_of_it(
    engine: Engine, settings: Settings
) -> None:
    hand_in(engine, settings, BODY)
    do(engine, "UPDATE runs SET waiting_for = 'day budget'")
    do(engine, "INSERT INTO budgets (scope, day, cap) SELECT 'day:' || d, d, 0"
               " FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS d) AS today")  # fmt: skip
    for cap in (1, 2, 2):
        do(engine, "UPDATE budgets SET cap = :cap, spent = :cap WHERE day IS NOT NULL", cap=cap)
        tell_of_stops(engine)
    keys = "SELECT count(*) FROM notices WHERE kind = 'budget_stop'"
    assert one(engine, keys)[0] == 2
