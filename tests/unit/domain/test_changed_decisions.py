"""Counterfactuals: calls are made where a decision changes, and nowhere else."""

import random

from worker.domain.proof.changed_decisions import (
    Asks,
    ForPeople,
    RecordedAnswer,
    Stands,
    changed,
    decision,
)

LADDER = ("haiku", "sonnet", "opus")


def said(tier: str, confidence: float | None, *blocking: str, fence: int = 1) -> RecordedAnswer:
    return RecordedAnswer(tier=tier, fence=fence, blocking=blocking, confidence=confidence)


def all_at(threshold: float | None) -> dict[str, float | None]:
    return dict.fromkeys(LADDER, threshold)


def test_what_passes_stands() -> None:
    assert decision(LADDER, "haiku", all_at(0.7), [said("haiku", 0.7)]) == Stands("haiku", 1)


def test_a_stricter_threshold_asks_where_nothing_is_recorded() -> None:
    assert decision(LADDER, "haiku", all_at(0.8), [said("haiku", 0.7)]) == Asks("sonnet")


def test_a_recorded_climb_is_followed_before_anything_is_asked() -> None:
    record = [said("haiku", 0.7), said("sonnet", 0.9, fence=2)]
    assert decision(LADDER, "haiku", all_at(0.8), record) == Stands("sonnet", 2)
    assert decision(LADDER, "haiku", all_at(0.6), record) == Stands("haiku", 1)


def test_a_validator_blocks_at_any_threshold() -> None:
    assert decision(LADDER, "haiku", all_at(None), [said("haiku", 1.0, "language")]) == Asks(
        "sonnet"
    )


def test_a_confidence_that_was_not_stated_is_low() -> None:
    assert decision(LADDER, "haiku", all_at(0.1), [said("haiku", None)]) == Asks("sonnet")
    assert decision(LADDER, "haiku", all_at(None), [said("haiku", None)]) == Stands("haiku", 1)


def test_when_every_rung_has_spoken_people_decide() -> None:
    record = [said(tier, 0.1, fence=n) for n, tier in enumerate(LADDER)]
    assert decision(LADDER, "haiku", all_at(0.5), record) == ForPeople(2)


def test_the_later_of_two_at_a_tier_counts() -> None:
    record = [said("haiku", 0.1, fence=1), said("haiku", 0.9, fence=2)]
    assert decision(LADDER, "haiku", all_at(0.5), record) == Stands("haiku", 2)


def test_loosening_asks_nothing_and_tightening_asks_only_what_changes() -> None:
    # given
    chance = random.Random(3)
    records = []
    for _ in range(500):
        record = [said("haiku", round(chance.random(), 2))]
        if record[0].confidence < 0.7:  # type: ignore[operator]
            record.append(said("sonnet", round(chance.random(), 2), fence=2))
            if record[1].confidence < 0.7:  # type: ignore[operator]
                record.append(said("opus", 1.0, fence=3))
        records.append(record)
    before = [decision(LADDER, "haiku", all_at(0.7), record) for record in records]
    # when
    looser = [decision(LADDER, "haiku", all_at(0.5), record) for record in records]
    tighter = [decision(LADDER, "haiku", all_at(0.85), record) for record in records]
    # then
    assert not any(isinstance(one, Asks) for one in (*before, *looser))
    asks = [isinstance(one, Asks) for one in tighter]
    assert all(changed(b, t) for b, t, a in zip(before, tighter, asks, strict=True) if a)
    assert sum(asks) == sum(
        isinstance(b, Stands) and b.tier != "opus" and _confidence(r, b.tier) < 0.85
        for b, r in zip(before, records, strict=True)
    )


def _confidence(record: list[RecordedAnswer], tier: str) -> float:
    return next(a.confidence or 0.0 for a in record if a.tier == tier)
