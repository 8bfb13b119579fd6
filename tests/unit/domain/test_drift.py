"""Drift: false alarms as seldom as they say, and real ones soon."""

import random
from statistics import median

import pytest

from worker.domain.proof.drift import (
    AMBER_LENGTH,
    Watch,
    begin,
    first_alarm,
    heard,
    heard_all,
    rates,
)


def audits(chance: random.Random, *parts: tuple[int, float]) -> list[bool]:
    return [chance.random() < rate for count, rate in parts for _ in range(count)]


def test_red_is_rarely_false_at_exactly_alpha() -> None:
    chance = random.Random(1)
    red = sum(
        Watch.RED in first_alarm(audits(chance, (1_500, 0.05)), 0.05, 0.05) for _ in range(60)
    )
    assert red / 60 <= 0.05 + 2 * 0.028


def test_amber_sees_a_jump_within_two_hundred_and_fifty_audits() -> None:
    chance, delays = random.Random(2), []
    for _ in range(40):
        seen = first_alarm(audits(chance, (500, 0.03), (2_000, 0.10)), 0.05, 0.05)
        delays.append(seen[Watch.AMBER] - 500)
    assert 0 < median(delays) <= 250


def test_red_comes_and_stays() -> None:
    vigil = heard_all(begin(0.05), [True] * 30)
    assert vigil.watch(0.05) is Watch.RED
    assert heard_all(vigil, [False] * 3_000).watch(0.05) is Watch.RED


def test_amber_passes_when_the_good_times_come_back() -> None:
    vigil = begin(0.05)
    while vigil.watch(1e-9) is not Watch.AMBER:
        vigil = heard(vigil, True)
    assert vigil.alarm >= AMBER_LENGTH
    assert heard_all(vigil, [False] * 500).watch(1e-9) is Watch.VALID


def test_every_bet_loses_nothing_on_average_at_alpha() -> None:
    for rate in rates(0.05):
        up, down = rate / 0.05, (1 - rate) / 0.95
        assert 0.05 * up + 0.95 * down == pytest.approx(1)
        assert up > 1 > down


def test_counts_are_kept() -> None:
    vigil = heard_all(begin(0.1), [True, False, False])
    assert (vigil.audits, vigil.errors) == (3, 1)


def test_an_impossible_level_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to watch"):
        begin(0.0)
