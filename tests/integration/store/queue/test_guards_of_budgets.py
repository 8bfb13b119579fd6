"""Each condition of budgets, breakers and gates, by rows of which each misses one."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.queue import breakers, budgets, gates

DAY = dt.date(2026, 1, 1)


def test_what_is_left_of_a_budget(rows: Rows) -> None:
    rows.insert("budgets", None, scope="a", cap=10, spent=3, reserved=2, overrun=1)
    rows.insert("budgets", None, scope="b", cap=10)
    assert rows.all(budgets.LOCK, scopes=["a"]) == [("a", 6)]


def test_settling_moves_what_was_reserved_into_what_is_spent(rows: Rows) -> None:
    rows.insert("budgets", None, scope="a", cap=10, spent=3, reserved=2)
    rows.insert("budgets", None, scope="b", cap=10, spent=1, reserved=1)
    change = [{"scope": "a", "released": "2", "spent": "1.5"}]
    ((_, spent, _, warned, reached),) = rows.all(budgets.SETTLE, rows=change)
    assert (spent, warned, reached) == (Decimal("4.5"), 0, 0)
    assert rows.all("SELECT spent, reserved, overrun FROM budgets ORDER BY scope") == [
        (Decimal("4.5"), 0, 0),
        (1, 1, 0),
    ]


@pytest.mark.parametrize(
    ("spent", "reached"), [("1.9", 0), ("2", 50), ("4.9", 50), ("5", 80), ("6.9", 80), ("7", 100)]
)
def test_a_budget_warns_at_half_four_fifths_and_all(rows: Rows, spent: str, reached: int) -> None:
    rows.insert("budgets", None, scope="a", cap=10, spent=3, reserved=1, warned_percent=50)
    change = [{"scope": "a", "released": "1", "spent": spent}]
    ((*_, warned, told),) = rows.all(budgets.SETTLE, rows=change)
    assert (warned, told) == (50, reached)
    assert rows.one("SELECT warned_percent FROM budgets") == (max(50, reached),)


def test_an_overrun_is_what_both_spent_and_reserved_exceed(rows: Rows) -> None:
    rows.insert("budgets", None, scope="a", cap=10, spent=5, reserved=5)
    change = [{"scope": "a", "released": "1", "spent": "3"}]
    rows.all(budgets.SETTLE, rows=change)
    assert rows.one("SELECT spent, reserved, overrun FROM budgets") == (8, 4, 2)
    rows.all(budgets.SETTLE, rows=[{"scope": "a", "released": "4", "spent": "0"}])
    assert rows.one("SELECT overrun FROM budgets") == (2,)


@pytest.mark.parametrize(("cap", "stands"), [(3, 6), (9, 9), (None, None)])
def test_a_days_cap_follows_the_configuration_down_to_what_is_used(
    rows: Rows, cap: int | None, stands: int | None
) -> None:
    rows.insert("budgets", None, scope="day:2026-01-01", day=DAY, cap=7, spent=4, reserved=2,
                warned_percent=50)  # fmt: skip
    rows.insert("budgets", None, scope="day:2026-01-02", day=dt.date(2026, 1, 2), cap=7)
    rows.all(budgets.ENSURE_DAY, scope="day:2026-01-01", day=DAY, cap=cap)
    found = rows.all("SELECT cap, warned_percent FROM budgets ORDER BY scope")
    assert found == [(stands, 0), (7, 0)]


def test_a_day_that_another_worker_has_just_begun_breaks_no_key(rows: Rows) -> None:
    rows.insert("budgets", None, scope="b", day=DAY, cap=7)
    rows.all(budgets.BEGIN_DAY, scope="a", day=DAY, cap=9)
    assert rows.all("SELECT scope, cap FROM budgets") == [("b", 7)]
    rows.all(budgets.BEGIN_DAY, scope="c", day=dt.date(2026, 1, 2), cap=9)
    assert rows.one("SELECT count(*) FROM budgets") == (2,)


def test_a_days_cap_that_stands_is_not_touched(rows: Rows) -> None:
    rows.insert("budgets", None, scope="a", day=DAY, cap=6, spent=4, reserved=2, warned_percent=50)
    for cap, stands in ((6, (6, 50)), (3, (6, 50)), (9, (9, 0))):
        rows.all(budgets.ENSURE_DAY, scope="a", day=DAY, cap=cap)
        assert rows.one("SELECT cap, warned_percent FROM budgets") == stands


def test_a_breaker_is_half_open_when_its_time_is_over(rows: Rows) -> None:
    rows.tier("a", breaker="open", breaker_until=PAST, window_at="now() - interval '60 s'")
    rows.tier("b", breaker="open", breaker_until=FUTURE)
    rows.tier("c", breaker="closed", breaker_until=PAST)
    rows.tier("d")
    found = rows.all(breakers.LOCK, names=["a", "b", "c"])
    assert [(row[0], row[-2]) for row in found] == [
        ("a", "half_open"), ("b", "open"), ("c", "closed"),
    ]  # fmt: skip
    assert 59 < found[0][-1] < 90
    rows.all(breakers.HALF_OPEN)
    told = rows.all("SELECT name, breaker FROM tiers ORDER BY name")
    assert told == [("a", "half_open"), ("b", "open"), ("c", "closed"), ("d", "closed")]


@pytest.mark.parametrize(("state", "reason"), [("half_open", "before"), ("open", "now")])
def test_a_breakers_new_standing(rows: Rows, state: str, reason: str) -> None:
    rows.tier("a", breaker_reason="before")
    rows.tier("b", breaker_reason="before")
    rows.all(breakers.WRITE, name="a", state=state, in_row=1, good=2, troubled=3, trips=4,
             age_s=60, open_s=30, reason="now")  # fmt: skip
    told = rows.all(
        "SELECT name, breaker, breaker_reason, window_at BETWEEN now() - interval '61 s' AND now()"
        " - interval '50 s', breaker_until BETWEEN now() + interval '29 s' AND now() + interval"
        " '40 s' FROM tiers ORDER BY name"
    )
    assert told == [("a", state, reason, True, True), ("b", "closed", "before", None, None)]


@pytest.mark.parametrize(
    ("tier", "found"),
    [
        ({"name": "opus", "paused": True, "breaker": "open"}, (False, False)),
        ({"name": "haiku", "paused": True}, (True, False)),
        ({"name": "everything", "paused": True}, (True, False)),
        ({"name": "haiku", "breaker": "open", "breaker_until": FUTURE}, (True, True)),
        ({"name": "haiku", "breaker": "open", "breaker_until": PAST}, (False, True)),
        ({"name": "haiku", "breaker": "half_open", "breaker_until": FUTURE}, (False, True)),
        ({"name": "haiku", "breaker_until": FUTURE}, (False, False)),
        ({"name": "everything", "breaker": "half_open"}, (False, False)),
    ],
)
def test_how_a_gate_stands(rows: Rows, tier: dict[str, object], found: tuple[bool, bool]) -> None:
    rows.insert("tiers", None, **tier)
    assert rows.all(gates.LOOK, queue="haiku") == [found]


def test_a_probe_is_alone_in_its_queue(rows: Rows) -> None:
    run = rows.run()
    rows.tier("haiku")
    rows.tier("opus")
    assert rows.all(gates.TRY_PROBE, queue="haiku") == [("haiku",)]
    rows.routed(run, tier="opus", lease_until=FUTURE)
    rows.routed(run)
    assert rows.all(gates.IN_FLIGHT, queue="haiku") == [(False,)]
    rows.routed(run, lease_until=FUTURE)
    assert rows.all(gates.IN_FLIGHT, queue="haiku") == [(True,)]


def test_what_met_a_shut_gate_is_dispatched_again(rows: Rows) -> None:
    run = rows.run()
    met = rows.routed(run, dispatched_at=PAST)
    others = [
        rows.routed(run, tier="opus", dispatched_at=PAST),
        rows.routed(run, dispatched_at=PAST),
    ]
    rows.all(gates.UNMARK, queue="haiku", ids=[met, others[0]])
    assert rows.firsts("SELECT job_id FROM dispatches") == others


def test_a_claim_may_take_a_budgets_last_cent() -> None:
    purse = budgets.Purse("a", left=Decimal("0.03"), taken=Decimal("0.02"))
    assert [purse.fits(Decimal(amount)) for amount in ("0.01", "0.0101")] == [True, False]
