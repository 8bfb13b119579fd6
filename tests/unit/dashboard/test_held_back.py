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
