"""Two runs compared: what is counted, and what is worth an example."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from models.vocabulary import JobState
from worker.domain.run_diff import Pair, Side, compare, examples_of, kind_of, outcome_of
from worker.domain.side_by_side import side_by_side
from worker.store.reading.blind_pairs import PairVerdicts

SIDE = Side(
    job=1, state=JobState.ANSWERED, tier="haiku", rung=0, confidence=Decimal("0.5"), cost=Decimal(1)
)


def side(state: JobState = JobState.ANSWERED, **changes: Any) -> Side:
    return replace(SIDE, state=state, **changes)


def pair(a: Side | None, b: Side | None, same: bool | None = None) -> Pair:
    return Pair(source="mail", external_id="7", a=a, b=b, same_reply=same)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("answered", "answered", "same"),
        ("answered", "review", "worse"),
        ("review", "dead", "worse"),
        ("review", "answered", "better"),
        ("dead", "cancelled", "other"),
    ],
)
def test_an_outcome_is_better_or_worse(before: str, after: str, found: str) -> None:
    assert outcome_of(side(JobState(before)), side(JobState(after))) == found


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        (side(rung=0), side(rung=1), "higher tier"),
        (side(rung=1), side(rung=0), "lower tier"),
        (side(), side(confidence=Decimal("0.6")), "higher confidence"),
        (side(), side(confidence=Decimal("0.4")), "lower confidence"),
        (side(), side(confidence=Decimal("0.59")), None),
        (side(), side(confidence=None), None),
        (side(JobState.DEAD), side(JobState.CANCELLED), "other outcome"),
        (side(JobState.REVIEW, rung=1), side(rung=0), "better"),
    ],
)
def test_the_first_kind_that_fits(a: Side, b: Side, kind: str | None) -> None:
    assert kind_of(a, b) == kind


def test_what_is_in_one_run_or_unfinished_in_either_is_counted_apart() -> None:
    queued = side(JobState.QUEUED)
    pairs = [pair(SIDE, None), pair(None, SIDE), pair(None, SIDE), pair(SIDE, queued)]
    found = compare([*pairs, pair(queued, SIDE), pair(SIDE, SIDE)], 5)
    assert (found.only_a, found.only_b, found.both, found.unfinished) == (1, 2, 3, 2)
    assert dict(found.outcome) == {"same": 1}


def test_sums_and_means_are_those_of_their_side() -> None:
    dearer = side(cost=Decimal(3), confidence=Decimal("0.9"), tier="opus", rung=1)
    found = compare([pair(SIDE, dearer, False), pair(SIDE, SIDE, True), pair(SIDE, SIDE)], 0)
    assert (found.cost_a, found.cost_b) == (3, 5)
    assert dict(found.cost) == {"higher": 1, "same": 2}
    assert found.confidence_a.value == Decimal("0.5")
    assert found.confidence_b.value == Decimal("1.9") / 3
    assert dict(found.reply) == {"changed": 1, "same": 1}
    assert dict(found.tier) == {"higher": 1, "same": 2}
    assert compare([], 1).confidence_a.value is None


def test_examples_are_few_and_the_worst_come_first() -> None:
    worse = pair(SIDE, side(JobState.DEAD))
    found = compare([pair(SIDE, side(rung=1)), *[worse] * 3], 2)
    assert [one.kind for one in examples_of(found)] == ["worse", "worse", "higher tier"]
    assert compare([worse], 0).examples == {"worse": []}


def test_two_runs_stand_beside_each_other_as_their_ladders_have_their_tiers() -> None:
    dear = side(tier="opus", rung=2)
    pairs = [pair(dear, side(tier="sonnet", rung=1)), pair(side(), dear)]
    found = side_by_side(
        pairs, PairVerdicts(pairs=0, only_a=0, only_b=0, both=0), ("x", "y"), simulated=True
    )
    assert found.tiers == ["haiku", "sonnet", "opus"]
    assert list(found.as_document()["a"]["by_tier"]) == ["haiku", "opus"]
    assert found.a.by_tier == {"haiku": 1, "opus": 1}
