"""Steps that come round, and steps that hang."""

import pytest

from worker.lanes.rounds import Rounds


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def rounds(clock: list[float]) -> Rounds:
    return Rounds(lambda: clock[0])


def test_what_is_expected_counts_from_the_start(rounds: Rounds) -> None:
    rounds.expect("rescue", 15)
    assert rounds.news() == {"rescue": 15}
    assert rounds.news() == {}


def test_a_step_comes_round_when_it_ends_well(rounds: Rounds) -> None:
    rounds.expect("rescue", 15)
    rounds.news()
    with pytest.raises(ValueError, match="bad"), rounds.step("rescue"):
        raise ValueError("bad")
    assert rounds.news() == {}
    with rounds.step("rescue"):
        assert rounds.news() == {}
    assert rounds.news() == {"rescue": 15}


def test_a_step_hangs_when_it_says_nothing(rounds: Rounds, clock: list[float]) -> None:
    with rounds.step("read"):
        clock[0] = 299
        assert rounds.hanging(300) == {}
        clock[0] = 301
        assert rounds.hanging(300) == {"read": 301}
        rounds.came_round("read")
        assert rounds.hanging(300) == {}
        clock[0] = 700
        assert rounds.hanging(300) == {"read": 399}
    assert rounds.hanging(0) == {}
