"""When a run with a deadline leaves the batch lane, and what it is taken to need."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import RunLane
from worker.domain.lane_choice import (
    CALL_S,
    SAFETY,
    LanePace,
    Move,
    Rest,
    lane_of,
    move,
    realtime_s,
)

LADDER = ("haiku", "sonnet", "opus")
ABLE = {name: LanePace(64, rpm=600) for name in ("routing", *LADDER)}
FRESH = Rest(ladder=LADDER, routing_tier="haiku", unrouted=600, at_tier={}, answered={}, climbed={})


def test_the_busiest_tier_sets_the_time() -> None:
    # given: 64 slots do 6.4 calls a second; all 600 are classified, then answered by haiku
    # when / then: haiku's 600 calls take as long as routing's, side by side; four waves of calls
    assert realtime_s(FRESH, ABLE) == pytest.approx(SAFETY * 600 / 6.4 + 4 * CALL_S)


def test_what_the_run_has_shown_replaces_the_assumed_share_of_climbs() -> None:
    # given: opus is slow, and nothing has climbed so far
    slow = ABLE | {"opus": LanePace(64, rpm=6)}
    shown = dataclasses.replace(FRESH, answered={"haiku": 100, "sonnet": 100}, climbed={})
    # when / then
    assert realtime_s(shown, slow) == pytest.approx(SAFETY * 600 / 6.4 + 2 * CALL_S)
    assert realtime_s(FRESH, slow) == pytest.approx(SAFETY * 54 / 0.09 + 4 * CALL_S)


def test_a_queue_that_nobody_consumes_never_ends() -> None:
    # given: jobs wait for opus, and no worker takes it
    rest = Rest(
        ladder=LADDER,
        routing_tier="haiku",
        unrouted=0,
        at_tier={"opus": 1},
        answered={},
        climbed={},
    )
    # when / then: waiting for a batch would not be worse than that, but it is not in time
    assert realtime_s(rest, {}) == float("inf")
    assert move(1e6, float("inf"), turnaround_s=3_600, margin_s=900) is Move.ALL


def test_nothing_left_needs_nothing() -> None:
    assert (
        realtime_s(
            Rest(
                ladder=LADDER, routing_tier="haiku", unrouted=0, at_tier={}, answered={}, climbed={}
            ),
            {},
        )
        == 0
    )


@pytest.mark.parametrize(
    ("left_s", "expected"),
    [
        (6_000, Move.STAY),
        (5_500, Move.UNSENT),
        (1_901, Move.UNSENT),
        (1_900, Move.ALL),
        (-60, Move.ALL),
    ],
)
def test_what_is_not_sent_leaves_first(left_s: float, expected: Move) -> None:
    # given: 1,000 s needed, 900 s kept free, batches that take an hour
    assert move(left_s, 1_000, turnaround_s=3_600, margin_s=900) is expected


@given(
    left=st.floats(-1e6, 1e6),
    needed=st.floats(0, 1e6),
    turnaround=st.floats(0, 1e5),
    margin=st.floats(0, 1e5),
    later=st.floats(0, 1e6),
)
def test_as_time_passes_nothing_comes_back(
    left: float, needed: float, turnaround: float, margin: float, later: float
) -> None:
    order = [Move.STAY, Move.UNSENT, Move.ALL]
    now = move(left, needed, turnaround_s=turnaround, margin_s=margin)
    then = move(left - later, needed, turnaround_s=turnaround, margin_s=margin)
    assert order.index(then) >= order.index(now)


@pytest.mark.parametrize(
    ("named", "deadline", "expected"),
    [
        (None, False, RunLane.REALTIME),
        (None, True, RunLane.BATCH),
        ("realtime", True, RunLane.REALTIME),
        ("batch", False, RunLane.BATCH),
    ],
)
def test_a_deadline_starts_at_half_price_unless_told_otherwise(
    named: str | None, deadline: bool, expected: RunLane
) -> None:
    when = dt.datetime(2100, 1, 1, tzinfo=dt.UTC) if deadline else None
    assert lane_of(named, when) is expected
