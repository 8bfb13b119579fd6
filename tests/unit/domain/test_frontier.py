"""The frontier: the reference figures, and honesty where the record does not tell."""

import random
from dataclasses import replace

import pytest

from tests.support.graded import made_up, shipped
from worker.domain.proof.frontier import Plan, Step
from worker.domain.proof.frontier_plans import evaluate, parse_plan
from worker.domain.proof.graded import GradedMessage
from worker.domain.proof.off_policy import (
    Estimate,
    Glimpse,
    bounds,
    difference,
    doubly_robust,
    estimate,
)
from worker.domain.proof.outcome_model import guesses

LADDER = ("haiku", "sonnet", "opus")


@pytest.mark.parametrize(
    ("policy", "cost", "right"),
    [
        ("haiku", "1.2694", 0.8633),
        ("sonnet", "25.4732", 0.9368),
        ("opus", "50.8719", 0.9720),
        ("haiku@0.9>sonnet@0.9>opus", "8.3354", 0.9412),
        ("haiku@0.95>opus", "15.2396", 0.9557),
    ],
)
def test_policies_on_all_synthetic_rows(policy: str, cost: str, right: float) -> None:
    found = evaluate(shipped("synthetic"), LADDER, [parse_plan(policy, LADDER)])[0]
    assert (f"{found.cost:.4f}", round(found.quality.point or 0, 4)) == (cost, right)


def test_a_random_mixture_lies_half_way() -> None:
    found = {plan.name: plan for plan in evaluate(shipped("synthetic"), LADDER)}
    cheap, half, dear = (
        found[name] for name in ("always haiku", "random half opus", "always opus")
    )
    assert half.cost == (cheap.cost + dear.cost) / 2
    assert half.quality.point == pytest.approx((cheap.quality.point + dear.quality.point) / 2)  # type: ignore[operator]
    assert (dear.saved, dear.against_top.point) == (0.0, 0.0)


def hidden(
    messages: list[GradedMessage], share: float, seed: int, placeholder: bool = True
) -> list[GradedMessage]:
    """Opus known where haiku was not sure, and elsewhere by a draw with `share`."""
    chance, found = random.Random(seed), []
    for message in messages:
        climbed = (message.answers["haiku"].confidence or 0) < 0.9
        seen = climbed or chance.random() < share
        opus = replace(
            message.answers["opus"],
            right=message.answers["opus"].right if seen else None,
            probability=1.0 if climbed else share,
        )
        found.append(replace(message, answers={"haiku": message.answers["haiku"], "opus": opus}))
    return found


def test_without_a_draw_there_are_bounds_and_no_point() -> None:
    record = hidden(made_up(1_000, 1), 0.0, 1)
    top = evaluate(record, ("haiku", "opus"), [Plan(name="always opus", steps=(Step("opus"),))])[
        0
    ].quality
    assert top.point is None
    assert (top.low, top.high) == (
        pytest.approx(sum(bool(m.answers["opus"].right) for m in record) / 1_000),
        pytest.approx(top.low + (1_000 - top.known) / 1_000),
    )


def test_with_a_draw_the_interval_holds_the_truth() -> None:
    """Those that climbed are the hard ones: their plain mean would be far off."""
    messages = made_up(1_000, 7, top=0.9)
    truth = sum(bool(m.answers["opus"].right) for m in messages) / 1_000
    held, wide = 0, 0.0
    for seed in range(20):
        record = hidden(messages, 0.2, seed)
        found = evaluate(record, ("haiku", "opus"), [Plan(name="", steps=(Step("opus"),))])[
            0
        ].quality
        assert found.point is not None
        held += found.low <= truth <= found.high
        wide += (found.high - found.low) / 20
    assert held >= 17
    assert wide < 0.15


def test_a_guess_is_put_right_by_what_was_seen() -> None:
    assert doubly_robust(Glimpse(1.0, 0.05, 0.9)) == pytest.approx(0.9 + 0.1 / 0.05)
    assert doubly_robust(Glimpse(None, 0.05, 0.9)) == 0.9


def test_a_handful_of_draws_gives_bounds() -> None:
    seen = [Glimpse(1.0, 0.1, 1.0)] * 5 + [Glimpse(None, 0.1, 1.0)] * 45
    assert estimate(seen).point is None
    assert bounds(seen).low == pytest.approx(0.1)


def test_the_difference_pairs_messages() -> None:
    same = [Glimpse(float(n % 2), 1.0) for n in range(100)]
    gap = difference(same, same)
    assert (gap.point, gap.low, gap.high) == (0.0, 0.0, 0.0)


def test_nothing_to_guess_is_not_guessed() -> None:
    assert guesses(shipped("cfpb")[:10], ("haiku", "sonnet", "opus")) == [{}] * 10


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("gpt", "no tier"),
        ("opus@0.9>haiku", "does not climb"),
        ("haiku>opus", "needs a threshold"),
        ("haiku@x>opus", "no threshold"),
        ("haiku@2>opus", "from 0 to 1"),
    ],
)
def test_a_policy_that_means_nothing_is_named(policy: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_plan(policy, LADDER)


def test_a_route_asks_one_tier_by_segment() -> None:
    found = {p.name: p for p in evaluate(shipped("synthetic"), LADDER)}["route 0.90"]
    assert sum(found.ends.values()) == pytest.approx(1)
    assert len(found.ends) == 3


def test_when_an_interval_says_nothing_is_decided_once() -> None:
    """The page and the command each had a line of their own."""
    wide = Estimate(point=None, low=0.0005, high=0.9998, known=0, of=3)
    assert (wide.tells(), wide.between()) == (False, "–")
    assert (wide.tells(2.0), wide.between(signed=True)) == (True, "+0.1 % to +100.0 %")
    told = Estimate(point=None, low=0.25, high=0.98, known=0, of=3)
    assert (told.tells(), told.between()) == (True, "25.0 % to 98.0 %")
    apart = Estimate(point=None, low=-1.0, high=0.999, known=0, of=3)
    assert (apart.tells(2.0), apart.between(signed=True)) == (False, "–")
