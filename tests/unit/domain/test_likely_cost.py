"""What a run is likely to cost, beside the sum that is enough for it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from worker.domain.budget_words import USUAL, RestOfRun, enough, enough_words
from worker.domain.likely_cost import likely

WORST = {"haiku": Decimal(1), "opus": Decimal(40)}
PAUSED = RestOfRun(
    open={"": 271, "haiku": 473, "sonnet": 439, "opus": 79},
    ended={"haiku": 1715, "opus": 23},
    paid={"": Decimal("0.1383"), "haiku": Decimal("0.2425"), "opus": Decimal("0.2187")},
    climbs=[("haiku", "sonnet", 89)],
    tiers=["haiku", "sonnet", "opus"],
)
"""A run of 3,000 real messages that stands still after $0.5996, sonnet being paused."""
ITS_WORST = {"haiku": Decimal("0.00216"), "sonnet": Decimal("0.0658"), "opus": Decimal("0.1227")}
RATES = {"haiku": Decimal("0.5"), "sonnet": Decimal(10), "opus": Decimal(20)}


def test_answers_cost_what_they_have_cost_so_far_without_room_for_more() -> None:
    rest = RestOfRun(
        open={"haiku": 10, "opus": 2},
        ended={"haiku": 90, "opus": 8},
        paid={"haiku": Decimal(9), "opus": Decimal(16)},
    )
    told = likely(spent=Decimal(25), rest=rest, worst=WORST)
    assert told == Decimal(25) + 10 * Decimal("0.1") + 2 * Decimal(2)
    assert enough(spent=Decimal(25), needs=Decimal(1), rest=rest, worst=WORST) > told + 40


def test_a_tier_that_has_given_no_answer_is_taken_to_write_as_much_as_the_others() -> None:
    found = likely(spent=Decimal("0.5996"), rest=PAUSED, worst=ITS_WORST, rates=RATES)
    # What it came to once all was lifted; by the part of a worst case, $5.12 was said.
    assert found is not None
    assert abs(found - Decimal("2.97")) < Decimal("0.3")
    by_parts = likely(spent=Decimal("0.5996"), rest=PAUSED, worst=ITS_WORST)
    assert by_parts is not None
    assert by_parts > found + 1


def test_its_answers_climb_as_those_of_the_others_have() -> None:
    rest = replace(PAUSED, open={"sonnet": 1_000}, climbs=[("haiku", "sonnet", 0)])
    many = replace(rest, climbs=[("haiku", "sonnet", 1_715)])
    assert rest.climbs_so_far() == Decimal(4) / 1_735
    assert many.climbs_so_far() == Decimal(1_719) / 3_450
    assert rest.work()["opus"] == 200
    assert round(rest.work(rest.climbs_so_far())["opus"], 1) == Decimal("2.3")


def test_answers_of_the_top_say_nothing_of_climbing() -> None:
    top = replace(PAUSED, ended={"opus": 500}, climbs=[("opus", "person", 400)])
    assert top.climbs_so_far() == Decimal("0.2")


@pytest.mark.parametrize("rates", [{}, {"haiku": Decimal(5)}, {"opus": Decimal(5)}])
def test_without_rates_it_is_as_large_a_part_of_its_worst_case(rates: dict[str, Decimal]) -> None:
    first = RestOfRun(open={"opus": 1}, ended={"haiku": 9}, paid={"haiku": Decimal("0.9")})
    found = likely(spent=Decimal(0), rest=first, worst=WORST, rates=rates)
    assert found == 40 * Decimal("0.1")


def test_where_nothing_was_answered_it_is_what_is_usual_or_not_known() -> None:
    none = RestOfRun(open={"opus": 1})
    assert likely(spent=Decimal(0), rest=none, worst=WORST, rates=RATES) == 40 * USUAL
    assert likely(spent=Decimal(0), rest=none) is None


def test_it_is_said_where_it_is_much_less_than_what_is_enough() -> None:
    assert enough_words(Decimal(2), whole=True, likely=Decimal(1)) == (
        "about $2.00 would be enough for all of it, which is likely to cost about $1.00"
    )
    for near in (Decimal("1.9"), None):
        said = enough_words(Decimal(2), whole=True, likely=near)
        assert said == "about $2.00 would be enough for all of it"
