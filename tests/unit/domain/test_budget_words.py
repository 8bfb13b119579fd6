"""What a stopped budget says, and what counts as a sum of money."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from worker.domain.amounts import MOST, read_amount
from worker.domain.budget_words import USUAL, RestOfRun, enough, enough_words, stop_words

STOPPED = RestOfRun(
    open={"sonnet": 119, "opus": 34},
    ended={"haiku": 799, "sonnet": 41, "opus": 6},
    paid={"haiku": Decimal("0.18"), "sonnet": Decimal("0.0495"), "opus": Decimal("0.042")},
    climbs=[("haiku", "sonnet", 30), ("sonnet", "opus", 4)],
)
"""A run whose cheap answers are given, and whose dear ones are not."""


def test_what_is_left_is_priced_at_its_own_tier() -> None:
    """What the cheap ones have cost says nothing of it: with as much for each job, a third of what
    was needed was said to be enough."""
    found = enough(spent=Decimal("0.2715"), needs=Decimal("0.03"), rest=STOPPED)
    # What it came to in the end, of 1,000 real messages.
    assert Decimal("0.85") < found < Decimal("1.15")


def test_one_dear_answer_does_not_make_the_sum_absurd() -> None:
    """The first answer of a tier pays for its cache: seen in a run that came to $0.95."""
    early = RestOfRun(
        open={"haiku": 151, "sonnet": 149, "opus": 37},
        ended={"haiku": 653, "sonnet": 8, "opus": 1},
        paid={"haiku": Decimal("0.1"), "sonnet": Decimal("0.013"), "opus": Decimal("0.0356")},
        climbs=[("haiku", "sonnet", 25), ("sonnet", "opus", 1)],
    )
    found = enough(spent=Decimal("0.1484"), needs=Decimal("0.0297"), rest=early)
    assert Decimal("0.95") < found < Decimal(4)


def test_what_climbs_later_is_paid_for_above() -> None:
    climbing = RestOfRun(
        open={"haiku": 100},
        ended={"haiku": 60, "opus": 40},
        paid={"haiku": Decimal(1), "opus": Decimal(4)},
        climbs=[("haiku", "opus", 40)],
    )
    assert climbing.work() == {"haiku": 100, "opus": 40}
    assert enough(spent=Decimal(5), needs=Decimal(0), rest=climbing) > 5 + 1 + 4


def test_what_is_not_routed_goes_where_the_others_went() -> None:
    rest = RestOfRun(
        open={"": 50, "opus": 10},
        ended={"haiku": 30, "opus": 10},
        paid={"": Decimal("0.5"), "haiku": Decimal("0.3"), "opus": Decimal(1)},
    )
    assert rest.work() == {"": 50, "haiku": 30, "opus": 30}
    assert rest.price("") == Decimal("0.01")


@pytest.mark.parametrize(
    ("spent", "needs", "ended", "paid", "wanted"),
    [
        ("0", "0.1", 0, "0", "0.7"),  # nothing known: the worst case of each, and one more
        ("0", "0.1", 3, "0", "0.7"),  # what has ended cost nothing: it says nothing
        ("1", None, 7, "1", "2.1812"),  # a seventh each and a third more, rounded up
        ("400", None, 400, "400", "406.6"),  # a dollar each, and a tenth more
        ("4", "2", 4, "4", "15"),  # as much again as half: four answers say little
    ],
)
def test_what_would_be_enough(
    spent: str, needs: str | None, ended: int, paid: str, wanted: str
) -> None:
    rest = RestOfRun(open={"haiku": 6}, ended={"haiku": ended}, paid={"haiku": Decimal(paid)})
    worst = Decimal(needs) if needs else None
    assert enough(spent=Decimal(spent), needs=worst, rest=rest) == Decimal(wanted)


BY_TIER = {"haiku": Decimal("0.01"), "sonnet": Decimal("0.03"), "opus": Decimal("0.08")}


def test_the_room_is_that_of_the_dearest_call_which_was_refused() -> None:
    """The sum is the same whichever tier's call waits with the least, or was looked at last."""
    found = {
        enough(spent=Decimal(1), needs=needs, rest=STOPPED, worst=BY_TIER)
        for needs in BY_TIER.values()
    }
    assert len(found) == 1
    without = enough(spent=Decimal(1), needs=Decimal(0), rest=STOPPED)
    assert found == {without + BY_TIER["opus"]}


def test_what_was_never_answered_costs_a_part_of_its_worst_case() -> None:
    rest = RestOfRun(open={"haiku": 10, "opus": 2})
    found = enough(spent=Decimal(0), needs=Decimal("0.01"), rest=rest, worst=BY_TIER)
    assert found == USUAL * (10 * BY_TIER["haiku"] + 2 * BY_TIER["opus"]) + BY_TIER["opus"]
    # A tier with nothing to do leaves no room.
    rest = RestOfRun(open={"haiku": 10})
    assert (
        enough(spent=Decimal(0), needs=Decimal("0.01"), rest=rest, worst=BY_TIER)
        == (10 * USUAL + 1) * BY_TIER["haiku"]
    )
    # As large a part as at a tier that has answered: half of its worst case, and half more.
    rest = RestOfRun(open={"opus": 2}, ended={"haiku": 4}, paid={"haiku": Decimal("0.02")})
    found = enough(spent=Decimal(0), needs=None, rest=rest, worst=BY_TIER)
    assert found == Decimal("0.75") * 2 * BY_TIER["opus"] + BY_TIER["opus"]
    # Never more than that; and what routing cost says nothing of answers.
    dear = replace(rest, paid={"haiku": Decimal("0.04")})
    assert enough(spent=Decimal(0), needs=None, rest=dear, worst=BY_TIER) == 3 * BY_TIER["opus"]
    routed = RestOfRun(open={"opus": 2}, paid={"": Decimal("0.02")})
    found = enough(spent=Decimal(0), needs=None, rest=routed, worst=BY_TIER | {"": Decimal("0.01")})
    assert found == (2 * USUAL + 1) * BY_TIER["opus"]


def test_where_messages_go_is_known_bit_by_bit() -> None:
    """Before any is routed most are taken to start at the bottom; every job that is says more."""
    tiers = ("haiku", "sonnet", "opus")
    none = RestOfRun(open={"": 100}, tiers=tiers).work()
    assert none == {"": 100, "haiku": 75, "sonnet": Decimal("33.75"), "opus": Decimal("13")}
    few = RestOfRun(open={"": 100, "opus": 20}, tiers=tiers).work()
    assert none["opus"] < few["opus"] - 20 < 100
    many = RestOfRun(open={"": 100, "opus": 9_980}, tiers=tiers).work()
    assert many["opus"] - 9_980 > 99
    # Answers of the bottom that never climb end the same way.
    climbing = RestOfRun(open={"haiku": 100}, tiers=tiers[:2]).work()["sonnet"]
    settled = RestOfRun(open={"haiku": 100}, ended={"haiku": 9_980}, tiers=tiers[:2]).work()
    assert climbing == 20 > 1 > settled["sonnet"]


@pytest.mark.parametrize("shares", [(80, 15, 5), (60, 30, 10), (90, 8, 2)])
def test_the_sum_is_enough_from_the_first_look_and_does_not_grow(shares: tuple[int, ...]) -> None:
    """A run of 1,000 messages, looked at again and again; answers cost a twentieth of their worst
    case, and routing a tenth. The middle tier is paused until the others are done."""
    tiers, each = ("haiku", "sonnet", "opus"), Decimal("0.05")
    worst = {"": Decimal("0.0004"), "haiku": Decimal("0.003"), "sonnet": Decimal("0.05"),
             "opus": Decimal("0.15")}  # fmt: skip
    to = {tier: 10 * share for tier, share in zip(tiers, shares, strict=True)}

    def look(routed: int, answered: dict[str, int]) -> Decimal:
        came = {tier: jobs * routed // 1000 for tier, jobs in to.items()}
        left = {"": 1000 - routed} | {t: came[t] - answered.get(t, 0) for t in tiers}
        paid = {"": routed * worst[""] / 10} | {
            t: n * each * worst[t] for t, n in answered.items() if n
        }
        rest = RestOfRun(open=left, ended=answered, paid=paid, tiers=tiers)
        spent = sum(paid.values(), Decimal(0))
        return enough(spent=spent, needs=worst[""], rest=rest, worst=worst)

    haiku, opus = to["haiku"], to["opus"]
    found = [
        *(look(routed, {}) for routed in (0, 20, 100, 500, 1000)),
        *(look(1000, {"haiku": haiku * n // 10, "opus": opus * n // 10}) for n in (1, 5, 10)),
        look(1000, to),
    ]
    assert min(found) >= found[-1] - worst["opus"]
    if shares[0] > 75:  # As is usual, or better.
        assert all(later <= earlier * Decimal("1.1") for earlier, later in pairwise(found))
    assert found[0] < 8 * found[-1]


def test_before_anything_is_routed_its_forecast_is_what_is_known() -> None:
    worst, routing = {"": Decimal("0.001")}, Decimal("0.001")
    blind = RestOfRun(open={"": 100})
    told = RestOfRun(open={"": 100}, forecast=Decimal(2))
    assert (blind.blind(worst), told.blind(worst)) == (True, True)
    few = enough(spent=Decimal(0), needs=routing, rest=blind, worst=worst)
    assert few == (100 * USUAL + 1) * routing
    assert enough(spent=Decimal(0), needs=routing, rest=told, worst=worst) == 2 + routing
    assert "to route all of it" in enough_words(few, whole=False)
    assert "for all of it" in enough_words(few, whole=True)
    # What a call at the top of the ladder may cost has its room before anything gets there.
    tops = worst | {"opus": Decimal("0.1")}
    assert enough(spent=Decimal(0), needs=routing, rest=told, worst=tops) == Decimal("2.1")
    # Where worst cases are known at every tier, a forecast that is lower holds until all have
    # answered; then what these cost is what counts.
    tiers, known = ("haiku", "opus"), tops | {"haiku": Decimal("0.01")}
    assert not RestOfRun(open={"": 100}, tiers=tiers).blind(known)
    low = RestOfRun(open={"": 100}, tiers=tiers, forecast=Decimal("0.2"))
    assert enough(spent=Decimal(0), needs=routing, rest=low, worst=known) == Decimal("0.3")
    paid = {"": Decimal("0.001"), "haiku": Decimal("0.01"), "opus": Decimal("0.1")}
    seen = replace(low, ended={"haiku": 10, "opus": 10}, paid=paid)
    assert enough(spent=Decimal(0), needs=routing, rest=seen, worst=known) > Decimal("0.3")


def test_less_than_nothing_is_left_as_nothing() -> None:
    words = stop_words("its budget", Decimal(-1), Decimal("0.05"), "")
    assert words == "$0.00 of its budget is left and the next call may cost up to $0.0500"
    near = stop_words("the day's budget", Decimal("0.000284"), Decimal("0.000323"), "so much")
    assert near == (
        "$0.0003 of the day's budget is left and the next call may cost a little more; so much"
    )


@pytest.mark.parametrize("given", ["nan", "inf", "-inf", "-0.01", str(MOST + 1), "much", ""])
def test_what_is_no_sum_is_refused_in_words(given: str) -> None:
    with pytest.raises(ValueError, match="dollars"):
        read_amount(given)


def test_a_sum_has_a_sign_or_none() -> None:
    assert (read_amount(" $20 "), read_amount("0.50"), read_amount("0")) == (20, Decimal("0.5"), 0)
    assert read_amount(str(MOST)) == MOST
