"""A run whose budget will not do for all of it: one sentence, whatever is in flight."""

from dataclasses import replace
from decimal import Decimal

from tests.unit.dashboard.test_outlook import run
from worker.dashboard.screens.outlook import short
from worker.dashboard.screens.troubles import of_run
from worker.store.reading.outlook import outlook


def test_a_run_near_its_budget_says_the_same_until_it_stops() -> None:
    """Between two claims what is left comes and goes with what is in flight."""
    waits = {"opus": {"stop": None, "least": None, "most": "0.5"}}
    rest = {"open": {"opus": 60}, "ended": {"opus": 40}, "paid": {"opus": "1"}}
    near = run(cap=Decimal(2), reserved=Decimal("0.9"), tier_waits=waits, rest=rest)
    refused = replace(near, waiting_for="run budget", waiting_usd=Decimal("0.5"))
    settled = replace(near, reserved=Decimal("0.1"))
    said = {(seen.words, seen.level) for one in (near, refused, settled)
            for seen in [outlook(one, 41.0)]}  # fmt: skip
    assert len(said) == 1
    assert {one.state_word for one in (near, refused)} == {"under way (held back by its budget)"}
    assert {one.as_document()["enough_usd"] for one in (near, refused)} == {near.enough}
    assert all(one.raises for one in (near, refused, settled))
    seen = outlook(near, 41.0)
    assert short(near, seen) == "held back by its budget"
    (trouble,) = of_run(near, seen)
    assert (trouble.level, trouble.help, trouble.command) == (
        "warn", "Raise the budget", near.go_on_with
    )  # fmt: skip
    assert f"{near.enough:.2f}" in trouble.words
    # Nor of one that was raised to what was enough a moment ago.
    raised = replace(refused, cap=near.enough / Decimal("1.05"))
    assert not raised.raises
    assert replace(raised, cap=near.enough / Decimal("1.15")).raises
    # Nor is it said of one whose budget will do.
    rich = replace(refused, cap=Decimal(9))
    assert outlook(rich, 41.0).words == "done in about 41 s, at 14:00"
    assert not rich.raises


def test_the_budget_of_the_day_is_not_one_runs_to_raise() -> None:
    held = run(waiting_for="day budget", reserved=Decimal(1))
    (trouble,) = of_run(held, outlook(held, 41.0))
    assert (trouble.level, trouble.help, trouble.command, held.raises) == (
        "warn",
        None,
        None,
        False,
    )


def test_what_is_likely_goes_by_what_its_tiers_write_at() -> None:
    known = {"stop": None, "least": None}
    waits = {
        "haiku": {**known, "most": "1", "rate": "2"},
        "opus": {**known, "most": "100", "rate": "8"},
    }
    rest = {"open": {"opus": 10}, "ended": {"haiku": 100}, "paid": {"haiku": "20"}}
    assert run(spent=Decimal(20), tier_waits=waits, rest=rest).likely == 20 + 10 * Decimal("0.8")


def test_what_is_left_may_be_enough_for_another_tier() -> None:
    """Seen in a run that was said to be stopped by its budget, and went on for half a minute."""
    waits = {
        "": {"stop": None, "least": None, "most": "0.0007"},
        "haiku": {"stop": None, "least": None, "most": "0.0019"},
        "sonnet": {"stop": "run budget", "least": "0.0297", "most": "0.0347"},
    }
    rest = {"open": {"haiku": 18, "sonnet": 55}, "ended": {"haiku": 200}, "paid": {"haiku": "0.03"}}
    left = run(
        cap=Decimal("0.05"), spent=Decimal("0.0382"), reserved=Decimal(0), rest=rest,
        waiting_for="run budget", waiting_usd=Decimal("0.0297"), tier_waits=waits,
        ladder=["haiku", "sonnet"],
    )  # fmt: skip
    assert (left.out_of_money, left.short) == (False, True)
    start = "held back by its budget: $0.0118 of it is left, enough for haiku alone; about $"
    assert left.money_words.startswith(start)
    # Nothing waits there any more, or it is not enough there either, or nothing is known of it.
    over = replace(left, rest=rest | {"open": {"sonnet": 55}})
    dear = replace(left, tier_waits=waits | {"haiku": {**waits["sonnet"], "most": "0.0118001"}})
    unknown = replace(left, tier_waits={"sonnet": waits["sonnet"]})
    refused = {"stop": "run budget", "least": "0.0119", "most": "0.0119"}
    assert all(one.out_of_money for one in (over, dear, unknown))
    assert replace(left, tier_waits=waits | {"haiku": refused}).out_of_money
    # While calls are in flight, it is they that are waited for.
    flying = replace(left, reserved=Decimal("0.001"))
    assert "new calls wait until those in flight are paid" in flying.money_words
    routing = replace(left, rest=rest | {"open": {"": 3, "haiku": 1, "sonnet": 55}})
    assert "enough for routing and haiku alone" in routing.money_words


def test_the_days_budget_may_be_enough_for_another_tier_too() -> None:
    waits = {
        "haiku": {"stop": None, "least": None, "most": "0.2"},
        "opus": {"stop": "day budget", "least": "1", "most": "1"},
    }
    left = run(
        waiting_for="day budget", waiting_usd=Decimal(1), tier_waits=waits, cap=None,
        rest={"open": {"haiku": 1, "opus": 1}}, day_left=Decimal("0.5"), ladder=["haiku", "opus"],
        reserved=Decimal(0),
    )  # fmt: skip
    assert not left.out_of_money
    assert left.money_words == (
        "held back by the day budget: $0.5000 of it is left, enough for haiku alone"
    )
    assert replace(left, rest={"open": {"opus": 1}}).out_of_money
